//! Each test starts a real keeper over a directory with plain files for kernel log and sysrq.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::scratch::Scratch;
use harness::{deadline, requires};
use rustix::fs::OFlags;
use rustix::process::{Signal, WaitOptions, kill_process, waitpid};
use xvdguard_linux::keeper::Keeper;
use xvdguard_linux::keeper::order::{DEAD_BYTES, Order, Terms};
use xvdguard_linux::root::Root;

const SOON: Duration = Duration::from_secs(60);

struct Machine {
    folder: Scratch,
    keeper: Keeper,
}

impl Machine {
    fn new() -> Machine {
        let folder = Scratch::new("keeper").unwrap();
        for path in ["dev", "proc", "run/xvdguard"] {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        for path in ["dev/kmsg", "proc/sysrq-trigger", "proc/diskstats", "disk"] {
            fs::write(folder.path().join(path), "").unwrap();
        }
        let root = Root::at(folder.path().as_os_str().as_bytes()).unwrap();
        let keeper = Keeper::start(&root).unwrap();
        assert_eq!(keeper.missing, [""; 0]);
        Machine { folder, keeper }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    fn until(&self, what: &str, mut look: impl FnMut(&Machine) -> bool) {
        let seen = deadline::seen(SOON, || look(self).then_some(()));
        assert!(
            seen.is_some(),
            "{what}: {}{}",
            self.read("dev/kmsg"),
            self.read("proc/sysrq-trigger")
        );
    }

    fn pid(&self) -> i32 {
        self.keeper.pid().as_raw_nonzero().get()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = kill_process(self.keeper.pid(), Signal::KILL);
        let _ = waitpid(Some(self.keeper.pid()), WaitOptions::empty());
    }
}

fn terms(not_before_ms: u64) -> Terms {
    Terms { orderly_ms: 0, not_before_ms, settle_ms: 0, dead: [0; DEAD_BYTES] }
}

#[test]
fn it_climbs_to_the_last_rung_when_it_is_told_to() {
    let Some(_) = requires::root() else { return };
    let machine = Machine::new();
    machine.keeper.tell(Order::Climb(terms(0)), &[]).unwrap();
    machine.until("all rungs", |machine| machine.read("proc/sysrq-trigger") == "sub");
    let said = machine.read("dev/kmsg");
    assert!(said.contains("rebooting") && said.contains("sysrq b"), "{said}");
}

#[test]
fn it_is_called_so_that_the_shutdown_leaves_it_alone_and_has_none_of_our_files() {
    let Some(_) = requires::root() else { return };
    let machine = Machine::new();
    let command = format!("/proc/{}/cmdline", machine.pid());
    machine.until("its name", |_| {
        fs::read(&command).is_ok_and(|bytes| bytes.starts_with(b"@xvdguard-keeper"))
    });
    // Its socket and what it opened: kernel log, sysrq, counters, folder.
    let files = fs::read_dir(format!("/proc/{}/fd", machine.pid())).unwrap().count();
    assert!(files <= 5, "{files}");
    let status = fs::read_to_string(format!("/proc/{}/status", machine.pid())).unwrap();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    assert_ne!(locked.trim(), "0 kB");
}

#[test]
fn an_armed_one_carries_on_when_the_daemon_is_gone() {
    let Some(_) = requires::root() else { return };
    let machine = Machine::new();
    let disk = machine.folder.path().join("disk");
    fs::write(&disk, [1; 4096]).unwrap();
    let device = File::open(&disk).unwrap();
    machine.keeper.tell(Order::Arm(terms(0)), &[device.as_fd()]).unwrap();
    hang_up(&machine);
    machine.until("all rungs", |machine| machine.read("proc/sysrq-trigger") == "sub");
}

/// A root may lie on several disks: the next boot needs them all.
#[test]
fn it_waits_until_every_device_answers() {
    let Some(_) = requires::root() else { return };
    let machine = Machine::new();
    let paths = ["disk", "other"].map(|name| machine.folder.path().join(name));
    fs::write(&paths[0], [1; 4096]).unwrap();
    // Nothing can be read of an empty one.
    fs::write(&paths[1], "").unwrap();
    let [one, other] = paths.each_ref().map(|path| File::open(path).unwrap());
    machine.keeper.tell(Order::Arm(terms(0)), &[one.as_fd(), other.as_fd()]).unwrap();
    hang_up(&machine);
    machine.until("it is alone", |machine| machine.read("dev/kmsg").contains("alone"));
    let early = deadline::seen(Duration::from_secs(3), || {
        Some(machine.read("proc/sysrq-trigger")).filter(|keys| !keys.is_empty())
    });
    assert_eq!(early, None);
    fs::write(&paths[1], [1; 4096]).unwrap();
    machine.until("all rungs", |machine| machine.read("proc/sysrq-trigger") == "sub");
}

/// A child that hangs in a read cannot be killed: one of them is enough for hours.
#[test]
fn a_silent_device_holds_one_child_and_no_more() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let machine = Machine::new();
    let disk = FaultyDisk::new(1 << 20).unwrap();
    let mut direct = File::options();
    let direct = direct.read(true).custom_flags(OFlags::DIRECT.bits() as i32);
    let device = direct.open(disk.device.node()).unwrap();
    disk.storage.set(Fault::Read(Answer::Hang)).unwrap();
    machine.keeper.tell(Order::Arm(terms(0)), &[device.as_fd()]).unwrap();
    hang_up(&machine);
    let children = format!("/proc/{0}/task/{0}/children", machine.pid());
    let count = || fs::read_to_string(&children).unwrap().split_whitespace().count();
    machine.until("it asks", |_| count() == 1);
    // Each question may take 5 s; three of them come.
    let more = deadline::seen(Duration::from_secs(14), || Some(count()).filter(|n| *n != 1));
    assert_eq!(more, None);
    assert_eq!(machine.read("proc/sysrq-trigger"), "");
    disk.storage.heal().unwrap();
    machine.until("all rungs", |machine| machine.read("proc/sysrq-trigger") == "sub");
}

#[test]
fn a_hold_keeps_an_armed_one_from_climbing() {
    let Some(_) = requires::root() else { return };
    let machine = Machine::new();
    let disk = machine.folder.path().join("disk");
    fs::write(&disk, [1; 4096]).unwrap();
    fs::write(machine.folder.path().join("run/xvdguard/hold"), "{}").unwrap();
    let device = File::open(&disk).unwrap();
    machine.keeper.tell(Order::Arm(terms(0)), &[device.as_fd()]).unwrap();
    hang_up(&machine);
    machine.until("it is alone", |machine| machine.read("dev/kmsg").contains("alone"));
    assert_eq!(machine.read("proc/sysrq-trigger"), "");
    fs::remove_file(machine.folder.path().join("run/xvdguard/hold")).unwrap();
    machine.until("all rungs", |machine| machine.read("proc/sysrq-trigger") == "sub");
}

#[test]
fn one_that_is_not_armed_ends_with_the_daemon() {
    let Some(_) = requires::root() else { return };
    for orders in [vec![], vec![Order::Disarm], vec![Order::End]] {
        let machine = Machine::new();
        for order in orders {
            machine.keeper.tell(order, &[]).unwrap();
        }
        hang_up(&machine);
        let stat = format!("/proc/{}/stat", machine.pid());
        machine.until("its end", |_| {
            fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z "))
        });
        assert_eq!(machine.read("proc/sysrq-trigger"), "");
    }
}

/// As the kernel does it for a daemon that dies.
fn hang_up(machine: &Machine) {
    rustix::net::shutdown(machine.keeper.as_fd(), rustix::net::Shutdown::Both).unwrap();
}
