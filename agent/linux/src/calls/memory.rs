//! Memory that stays where it is, and the name that a process goes by.
//!
//! A page that is fetched from a dead root is a SIGBUS: what must go on is locked.

use std::ffi::c_void;
use std::path::Path;
use std::thread;

use nix::libc;
use rustix::io::Errno;
use rustix::mm::{MlockAllFlags, mlock, mlockall};

/// Locks all that is mapped now and later.
pub fn lock_all() -> Result<(), Errno> {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)
}

/// Locks each page from its first use on (4.4+), else all that is mapped.
pub fn lock_what_is_used() -> Result<(), Errno> {
    let used = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    mlockall(used).or_else(|_| mlockall(MlockAllFlags::CURRENT))
}

/// Gives large blocks back to the kernel when they are freed: glibc learns from them, and would
/// keep as many megabytes for ever (mallopt(3)).
pub fn keep_heap_small() {
    const BYTES: i32 = 128 * 1024;
    // SAFETY: these two set numbers of glibc's, before there is a second thread.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, BYTES);
    }
}

/// Does something on a thread of its own: what it touched of the stack goes with that, and what
/// glibc's heap keeps for each thread is free again (what is small stays in a cache of the thread
/// that freed it, and with it the pages around it). For what comes once, before anything is locked;
/// where there may be no thread, it is done all the same.
pub fn once<T: Send>(work: impl Fn() -> T + Sync) -> T {
    // SAFETY: this sets a number of glibc's, before there is a second thread: one heap for both.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
    thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, &work) {
        Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(_) => work(),
    })
}

/// Gives all that is free back to the kernel: after work that took much for a moment, and before
/// anything is locked, since locked pages cannot be given back one by one (madvise(2)).
pub fn give_back() {
    // SAFETY: malloc_trim(3) touches nothing that is in use.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Libraries without which nothing of this program runs: how their names begin. libgcc_s is for
/// stack traces, which a program that aborts does not make.
const LIBRARIES: [&str; 3] = ["libc.so", "libc-", "ld-"];

/// Brings all of this program and of the libraries it cannot do without into memory, and keeps it
/// there: what it has never run yet is what a dead root is asked for.
pub fn lock_program() -> Result<(), Errno> {
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(|_| Errno::NOENT)?;
    let program = std::fs::read_link("/proc/self/exe").unwrap_or_default();
    let mut locked = Ok(());
    for (start, length) in maps.lines().filter_map(|line| part(line, &program)) {
        // SAFETY: the kernel just named this range as mapped here and readable; locking it changes
        // nothing that a reference could see.
        locked = locked.and(unsafe { mlock(start as *mut c_void, length) });
    }
    locked
}

/// Where a part of a program lies and its length, of a line of proc_pid_maps(5): `start-end perms
/// offset device inode path`.
fn part(line: &str, program: &Path) -> Option<(usize, usize)> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let is_readable = fields.next()?.starts_with('r');
    let path = Path::new(fields.nth(3)?);
    let name = path.file_name()?.to_str()?;
    let is_needed = path == program || LIBRARIES.iter().any(|start| name.starts_with(start));
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    let (start, end) = (number(start)?, number(end)?);
    (is_readable && is_needed).then_some((start, end.checked_sub(start)?))
}

/// Touches several times as much of the stack as the keeper's deepest call needs, so that it needs
/// no new page.
#[inline(never)]
pub fn touch_stack() {
    const BYTES: usize = 16 * 1024;
    let mut stack = [0u8; BYTES];
    std::hint::black_box(&mut stack);
}

/// Writes another command line over this process's own: what ps(1) shows, and what the shutdown
/// of systemd reads: a process of root whose name begins with `@` is not killed by it
/// (src/shared/killall.c). False where procfs does not tell where it lies.
pub fn rename_process(name: &[u8]) -> bool {
    let Some((start, end)) = argument_range() else { return false };
    let room = end - start;
    if room < 2 {
        return false;
    }
    let taken = name.len().min(room - 1);
    // SAFETY: the kernel put the arguments there (proc_pid_stat(5) arg_start, arg_end), into the
    // stack of this process, which may write it. Nobody reads them as Rust values again: std keeps
    // pointers to them, and what they point to stays a C string, of other bytes.
    unsafe {
        let bytes = start as *mut c_void;
        libc::memset(bytes, 0, room);
        libc::memcpy(bytes, name.as_ptr().cast(), taken);
    }
    true
}

/// Fields 48 and 49 of stat, counted from 1; the second field may hold spaces in parentheses.
fn argument_range() -> Option<(usize, usize)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(45);
    let start: usize = fields.next()?.trim().parse().ok()?;
    let end: usize = fields.next()?.trim().parse().ok()?;
    (start > 0 && end > start).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_and_what_it_cannot_do_without_are_locked() {
        let program = Path::new("/usr/sbin/xvdguard");
        let of = |line: &str| part(line, program);
        let text = "5581c0000000-5581c0001000 r-xp 00048000 fe:00 1234   /usr/sbin/xvdguard";
        assert_eq!(of(text), Some((0x5581_c000_0000, 0x1000)));
        let libc =
            "7f0000000000-7f0000002000 r--p 00000000 fe:00 7  /usr/lib/x86_64-linux-gnu/libc.so.6";
        assert_eq!(of(libc), Some((0x7f00_0000_0000, 0x2000)));
        assert_eq!(of(&libc.replace("libc.so.6", "libm.so.6")), None);
        assert_eq!(of(&libc.replace("libc.so.6", "libgcc_s.so.1")), None);
        assert_eq!(of(&text.replace("r-xp", "---p")), None);
        assert_eq!(of("7ffd0000-7ffd1000 rw-p 00000000 00:00 0  [stack]"), None);
        assert_eq!(of("7f0000000000-7f0000002000 rw-p 00000000 00:00 0"), None);
        assert_eq!(of(""), None);
    }
}
