//! Long logs for `explain`, in every form that it reads.

use harness::messages::Messages;

/// Lines of healthy kernels, of all lengths and beginnings.
const OTHERS: [&str; 24] = [
    "Linux agpgart interface v0.103",
    "BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable",
    "ACPI: PCI: Interrupt link LNKC configured for IRQ 11",
    "pci 0000:00:01.1: legacy IDE quirk: reg 0x10: [io  0x01f0-0x01f7]",
    "PM: hibernation: Registered nosave memory: [mem 0x000a0000-0x000fffff]",
    "Kernel command line: root=/dev/xvda1 ro console=hvc0 quiet",
    "rcu: \tRCU restricting CPUs from NR_CPUS=8192 to nr_cpu_ids=4.",
    "Xen: using vcpuop timer interface",
    "xen_netfront: Initialising Xen virtual ethernet driver",
    "TCP established hash table entries: 8192 (order: 4, 65536 bytes, linear)",
    "systemd[1]: Inserted module 'autofs4'",
    "EDAC MC: Ver: 3.0.0",
    "IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
    "audit: type=1400 audit(1795166400.123:17): apparmor=\"STATUS\" operation=\"profile_load\" \
     profile=\"unconfined\" name=\"/usr/sbin/cupsd\" pid=412 comm=\"apparmor_parser\"",
    "loop: module loaded",
    "clocksource: Switched to clocksource xen",
    "random: crng init done",
    "bridge: filtering via arp/ip/ip6tables is no longer available by default.",
    "Freeing unused kernel image (initmem) memory: 2624K",
    "e1000 0000:00:03.0 eth0: (PCI:33MHz:32-bit) 52:54:00:12:34:56",
    "nf_conntrack: default automatic helper assignment has been turned off for security reasons",
    "process 'usr/bin/fstype' started with executable stack",
    "x86/fpu: Enabled xstate features 0x7, context size is 832 bytes, using 'compacted' format.",
    "DMAR-IR: Queued invalidation will be enabled to support x2apic and Intr-remapping.",
];

/// How a log is written.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// What prints it.
    pub name: &'static str,
    head: &'static str,
    line: fn(u64, &str) -> String,
    tail: &'static str,
}

/// That of which speed is promised.
pub const DMESG: Form = form("dmesg", |n, text| format!("{}{text}\n", stamp(n)));

/// The others.
pub const FORMS: [Form; 12] = [
    form("/dev/kmsg", |n, text| format!("4,{n},{n}009,-;{text}\n")),
    form("dmesg -T", |n, text| format!("[Fri Nov 20 10:{} 2026] {text}\n", clock(n))),
    form("dmesg -x", |n, text| format!("kern  :err   : {}{text}\n", stamp(n))),
    Form {
        name: "dmesg --json",
        head: "{\n   \"dmesg\": [\n",
        line: |n, text| {
            let text = serde_json::Value::from(text);
            format!(
                "      {{\n         \"pri\": 3,\n         \"time\": {}.{:06},\n         \
                     \"msg\": {text}\n      }},\n",
                n / 1000,
                n % 1000
            )
        },
        tail: "{\"msg\":\"\"}]}\n",
    },
    form("journalctl", |n, text| format!("Nov 20 10:{} guest kernel: {text}\n", clock(n))),
    form("journalctl -o short-iso", |n, text| {
        format!("2026-11-20T10:{}+0000 guest kernel: {text}\n", clock(n))
    }),
    form("journalctl -o json", |n, text| {
        let text = serde_json::Value::from(text);
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"{}\",\"_BOOT_ID\":\"a1\",\"_TRANSPORT\":\"kernel\",\
                 \"PRIORITY\":\"3\",\"SYSLOG_IDENTIFIER\":\"kernel\",\"_HOSTNAME\":\"guest\",\
                 \"MESSAGE\":{text}}}\n",
            1_795_166_400_000_000 + n * 1009
        )
    }),
    form("journalctl -o export", |n, text| {
        format!(
            "__REALTIME_TIMESTAMP={}\n_BOOT_ID=a1\n_TRANSPORT=kernel\nPRIORITY=3\n\
                 _HOSTNAME=guest\nMESSAGE={text}\n\n",
            1_795_166_400_000_000 + n * 1009
        )
    }),
    form("syslog, RFC 3164", |n, text| {
        format!("Nov 20 10:{} guest kernel: {}{text}\n", clock(n), stamp(n))
    }),
    form("syslog, RFC 5424", |n, text| {
        format!("<3>1 2026-11-20T10:{}.000123Z guest kernel - - - {text}\n", clock(n))
    }),
    form("serial console", |n, text| format!("\x1b[0m{}{text}\r\r\n", stamp(n))),
    form("quoted in a ticket", |n, text| {
        format!("  &gt; {}{}\n", stamp(n), text.replace('"', "&quot;"))
    }),
];

const fn form(name: &'static str, line: fn(u64, &str) -> String) -> Form {
    Form { name, head: "", line, tail: "" }
}

fn stamp(n: u64) -> String {
    format!("[{:5}.{:06}] ", n / 1000, n % 1000 * 1000 + 9)
}

fn clock(n: u64) -> String {
    format!("{:02}:{:02}", n / 60_000 % 60, n / 1000 % 60)
}

/// A log of at least so many bytes, of whose lines so many of a hundred say something: the examples
/// of all rows in turn. The names of devices in them are few, as in a real incident.
pub fn log(messages: &Messages, form: Form, percent: u64, bytes: usize) -> String {
    let mut log = String::from(form.head);
    let (mut hits, mut others) = (messages.rows.iter().cycle(), OTHERS.iter().cycle());
    for n in 0.. {
        let is_hit = n * percent / 100 != (n + 1) * percent / 100;
        let text = match is_hit {
            true => hits.next().map_or("", |row| &row.example),
            false => others.next().map_or("", |text| text),
        };
        log += &(form.line)(n, text);
        if log.len() >= bytes {
            break;
        }
    }
    log + form.tail
}
