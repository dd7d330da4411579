/*
 * Stands in for the hypervisor under Xen's own xenstored, so that the real program serves its
 * Unix socket on a machine without Xen. Loaded with LD_PRELOAD, for tests only.
 *
 * There is one domain, 0; its ring is an empty page that nobody writes to and its event channel
 * never fires. So guests' permissions cannot be tested through this: every client is domain 0.
 * Never reaches a real hypervisor, even where there is one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

/* xenstored only compares handles with NULL, any address will do. */
static char handle;
static int silent_channel = -1;

xc_interface *xc_interface_open(xentoollog_logger *log, xentoollog_logger *build, unsigned flags)
{
	return (xc_interface *)&handle;
}

int xc_interface_close(xc_interface *xc)
{
	return 0;
}

int xc_domain_getinfo(xc_interface *xc, uint32_t first, unsigned int room, xc_dominfo_t *found)
{
	if (first > 0 || room == 0)
		return 0;
	memset(found, 0, sizeof(*found));
	found->running = 1;
	return 1;
}

xenevtchn_handle *xenevtchn_open(xentoollog_logger *log, unsigned int flags)
{
	silent_channel = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return silent_channel < 0 ? NULL : (xenevtchn_handle *)&handle;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	return silent_channel;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domain,
						     evtchn_port_t port)
{
	return port;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	return 1000 + virq;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

/* Other domains' rings would be mapped by grants; domain 0's is a file, which open() serves. */
xengnttab_handle *xengnttab_open(xentoollog_logger *log, unsigned flags)
{
	return (xengnttab_handle *)&handle;
}

int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t count)
{
	return 0;
}

/* The two files of /proc/xen by which domain 0's ring is found: its page, and its port as text. */
static int open_anonymous(const char *text, off_t size)
{
	int fd = memfd_create("xenstored-ring", MFD_CLOEXEC);
	ssize_t length = (ssize_t)strlen(text);

	if (fd < 0 || pwrite(fd, text, length, 0) != length || ftruncate(fd, size) != 0)
		return -1;
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	mode_t mode;

	if (strcmp(path, "/proc/xen/xsd_kva") == 0)
		return open_anonymous("", getpagesize());
	if (strcmp(path, "/proc/xen/xsd_port") == 0)
		return open_anonymous("1\n", 2);
	va_start(rest, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
