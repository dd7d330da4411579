//! What the service manager needs of the daemon (sd_notify(3), Type=notify with WatchdogSec=), and
//! what the kernel does: it is killed last, and its program stays in memory.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use harness::fault::{Answer, Fault};
use harness::requires;

use crate::stage::{AT, SOON, Stage};

/// The end that the service manager reads.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    /// Of the daemon that starts next.
    fn of(stage: &mut Stage) -> Manager {
        let path = "/run/notify";
        let socket = UnixDatagram::bind(stage.guest.within(path)).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        stage.environment.push(("NOTIFY_SOCKET", path.into()));
        Manager { socket }
    }

    /// The next message.
    fn hears(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("the daemon says something in time");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next message with this line, whatever comes before it.
    fn until(&self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let message = self.hears();
            if message.lines().any(&wanted) {
                return message;
            }
        }
    }
}

/// The value of a variable in a message.
fn value<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// CLOCK_MONOTONIC, in microseconds.
fn monotonic_usec() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000
}

#[test]
fn the_service_manager_hears_of_begin_reload_and_end() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    let manager = Manager::of(&mut stage);
    stage.start_daemon();
    let first = manager.hears();
    assert_eq!(value(&first, "READY"), Some("1"), "{first}");
    assert!(value(&first, "STATUS").unwrap().contains("1 volume: "), "{first}");
    let pid = stage.daemon_pid();
    let before = monotonic_usec();
    stage.guest.run(&format!("kill -HUP {pid}")).unwrap();
    let reloading = manager.until(|line| line == "RELOADING=1");
    // Without it a manager would take an answer to an earlier reload for one to this.
    let at: u64 = value(&reloading, "MONOTONIC_USEC").unwrap().parse().unwrap();
    assert!((before..=monotonic_usec()).contains(&at), "{before} {reloading}");
    manager.until(|line| line == "READY=1");
    assert!(stage.said().contains("was read again"), "{}", stage.said());
    stage.guest.run(&format!("kill -TERM {pid}")).unwrap();
    manager.until(|line| line == "STOPPING=1");
    stage.until_daemon_ends();
}

/// Else the reload would not end, and systemctl reload with it.
#[test]
fn a_reload_of_a_wrong_configuration_ends_as_well() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    let manager = Manager::of(&mut stage);
    stage.watch();
    manager.until(|line| line == "READY=1");
    stage.configure("[recovery]\nsettle = 7\n");
    stage.guest.run(&format!("kill -HUP {}", stage.daemon_pid())).unwrap();
    manager.until(|line| line == "RELOADING=1");
    manager.until(|line| line == "READY=1");
    assert!(stage.said().contains("what was in force stays in force"), "{}", stage.said());
}

#[test]
fn the_service_manager_is_told_how_the_guest_is() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    let manager = Manager::of(&mut stage);
    stage.watch();
    let status = |words: &str| {
        manager.until(|line| line.starts_with("STATUS=") && line.contains(words));
    };
    status("1 volume: 1 healthy");
    stage.begin_outage();
    status(&format!("{AT} aborted"));
    stage.disk.storage.heal().unwrap();
    stage.until_health("healthy");
    status("1 volume: 1 healthy");
}

/// Half of what it waits for is 5 s; the tick alone would be 10 minutes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The daemon reports three times, each time in time.
#[track_caller]
fn reports_in_time(manager: &Manager) {
    let is_alive = |line: &str| line == "WATCHDOG=1";
    manager.until(is_alive);
    for _ in 0..3 {
        let since = Instant::now();
        manager.until(is_alive);
        assert!(since.elapsed() < PATIENCE, "silent for {:?}", since.elapsed());
    }
}

#[test]
fn the_watchdog_hears_of_the_daemon_also_while_the_disk_is_silent() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.configure("[daemon]\ntick = \"10min\"\n");
    let manager = Manager::of(&mut stage);
    stage.environment.push(("WATCHDOG_USEC", PATIENCE.as_micros().to_string()));
    stage.watch();
    reports_in_time(&manager);
    stage.disk.storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
    let _writer = stage.start(&format!("touch {AT}/new; sync {AT}/new"));
    reports_in_time(&manager);
    stage.disk.storage.heal().unwrap();
}

/// Type=notify takes a start without READY=1 for a failed one.
#[test]
fn a_daemon_that_is_switched_off_is_ready_and_ends_well() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    let line = "echo root=/dev/xvda xvdguard=off >/run/cmdline && \
                mount --bind /run/cmdline /proc/cmdline";
    stage.guest.run(line).unwrap();
    let manager = Manager::of(&mut stage);
    stage.start_daemon();
    let message = manager.hears();
    assert_eq!(value(&message, "READY"), Some("1"), "{message}");
    assert!(value(&message, "STATUS").unwrap().contains("xvdguard=off"), "{message}");
    stage.until_daemon_ends();
    assert!(stage.state().is_null(), "{:#}", stage.state());
}

/// What procfs says of the daemon.
fn of_daemon(stage: &Stage, file: &str) -> String {
    stage.guest.run(&format!("cat /proc/{}/{file}", stage.daemon_pid())).unwrap()
}

/// As its unit has it, also where no unit starts it.
#[test]
fn the_memory_killer_takes_others_first() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    let score = of_daemon(&stage, "oom_score_adj");
    // Without CAP_SYS_RESOURCE it is refused, which is no secret.
    let is_told = stage.said().contains("cannot write /proc/self/oom_score_adj: ");
    assert!((score.trim() == "-900") != is_told, "{score}{}", stage.said());
}

/// A part of a process's memory: its first line of smaps (proc_pid_smaps(5)), and those below.
struct Part<'a> {
    head: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl Part<'_> {
    fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(field, _)| *field == name);
        found.map_or("", |(_, value)| value.trim())
    }
}

fn parts(smaps: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for line in smaps.lines() {
        let word = line.split(' ').next().unwrap_or_default();
        match (word.strip_suffix(':'), parts.last_mut()) {
            (Some(name), Some(part)) => part.fields.push((name, &line[word.len()..])),
            _ => parts.push(Part { head: line, fields: Vec::new() }),
        }
    }
    parts
}

/// A page that a dead root is asked for ends the daemon: all of its program is there, and locked.
#[test]
fn the_program_of_the_daemon_is_in_memory_whole_and_stays_there() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    let smaps = of_daemon(&stage, "smaps");
    let parts = parts(&smaps);
    for file in ["/xvdguard", "/libc.so.6"] {
        let its: Vec<&Part<'_>> = parts.iter().filter(|part| part.head.ends_with(file)).collect();
        assert!(its.iter().any(|part| part.head.contains(" r-xp ")), "{file}: {smaps}");
        for part in its.iter().filter(|part| part.head.contains(" r")) {
            assert_eq!(part.field("Rss"), part.field("Size"), "{}", part.head);
            assert!(part.field("VmFlags").split(' ').any(|flag| flag == "lo"), "{}", part.head);
        }
    }
}
