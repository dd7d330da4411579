//! Others in the way: links, mounts, attributes, editors, a second xvdguard.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::mount::Mounted;
use harness::programs::{self, Ran};
use harness::{deadline, namespace, program, requires};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{NEW, OLD, Stage, names};

const LIMIT: Duration = Duration::from_secs(30);

fn apply(stage: &Stage) -> Ran {
    programs::run(stage.command("apply"), LIMIT).unwrap()
}

/// Nothing is done, and it is said why.
fn is_refused(stage: &Stage, why: &str) {
    let ran = apply(stage);
    let said = ran.out() + &ran.err();
    assert_eq!(ran.code, Some(1), "{said}");
    assert!(said.contains("cannot replace") && said.contains(why), "{said}");
    assert_eq!(stage.root.read("etc/fstab").unwrap(), OLD);
    assert_eq!(names(&stage.root.within("var/lib/xvdguard")), [] as [&str; 0]);
}

/// And the plan says so beforehand.
fn is_planned_with(stage: &Stage, why: &str) {
    let ran = programs::run(stage.command("plan"), LIMIT).unwrap();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    assert!(ran.out().contains(why), "{}", ran.out());
}

#[test]
fn a_link_stays_a_link_and_its_target_is_untouched() {
    let Some(_) = requires::root() else { return };
    let stage = Stage::new();
    fs::rename(stage.fstab(), stage.root.within("etc/real")).unwrap();
    symlink("real", stage.fstab()).unwrap();
    is_planned_with(&stage, "it is a symbolic link");
    is_refused(&stage, "it is a symbolic link");
    assert!(fs::symlink_metadata(stage.fstab()).unwrap().is_symlink());
}

#[test]
fn a_file_that_is_mounted_over_is_not_replaced() {
    let Some(_) = requires::root() else { return };
    namespace::enter_private_mounts().unwrap();
    let stage = Stage::new();
    let shown = stage.root.within("var/other");
    fs::copy(stage.fstab(), &shown).unwrap();
    let mounted = Mounted::bind(&shown, &stage.fstab()).unwrap();
    is_planned_with(&stage, "something is mounted on the file itself");
    is_refused(&stage, "something is mounted on the file itself");
    mounted.unmount().unwrap();
    assert_eq!(stage.root.read("etc/fstab").unwrap(), OLD);
}

#[test]
fn an_immutable_file_keeps_its_bytes_and_the_kernel_says_why() {
    let Some(_) = requires::root() else { return };
    let Some(_) = requires::program("chattr") else { return };
    let stage = Stage::new();
    let fstab = stage.fstab();
    program::run("chattr", &["+i".as_ref(), fstab.as_os_str()]).unwrap();
    let ran = apply(&stage);
    program::run("chattr", &["-i".as_ref(), fstab.as_os_str()]).unwrap();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out().contains("Operation not permitted (os error 1)"), "{}", ran.out());
    stage.run("revert");
    stage.check_never_applied("after an immutable file");
}

#[test]
fn an_open_editor_keeps_the_file_to_itself() {
    let Some(_) = requires::root() else { return };
    let stage = Stage::new();
    stage.root.write("etc/.fstab.swp", "b0VIM 9.0").unwrap();
    is_planned_with(&stage, "an editor has it open, as .fstab.swp beside it says");
    is_refused(&stage, "an editor has it open, as .fstab.swp beside it says");
}

/// Stopped at each of its syncs in turn; somebody saves another fstab meanwhile.
#[test]
fn what_somebody_saves_meanwhile_is_never_lost() {
    const SAVED: &str = "/dev/xvda / ext4 discard 0 1\n";
    let Some(_) = requires::root() else { return };
    let Some(_) = requires::program("strace") else { return };
    let mut refused = 0;
    for when in 1.. {
        let stage = Stage::new();
        let Some(stopped) = Stopped::at_sync(&stage, when) else { break };
        stage.root.write("etc/fstab~", SAVED).unwrap();
        fs::rename(stage.root.within("etc/fstab~"), stage.fstab()).unwrap();
        let said = stopped.go_on();
        assert_eq!(stage.root.read("etc/fstab").unwrap(), SAVED, "sync {when}: {said}");
        refused += usize::from(said.contains("somebody changed it meanwhile"));
    }
    assert!(refused > 2, "{refused}");
}

/// A program below strace that a signal has stopped.
struct Stopped {
    strace: Child,
    pid: Pid,
}

impl Stopped {
    /// `None` where it has no such sync.
    fn at_sync(stage: &Stage, when: usize) -> Option<Stopped> {
        let (command, trace) = (stage.command("apply"), stage.root.within("trace"));
        let _ = fs::remove_file(&trace);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fsync", "-o"]).arg(&trace);
        strace.args(["-e", &format!("inject=fsync:signal=STOP:when={when}")]);
        strace.arg(command.get_program()).args(command.get_args());
        let mut strace = strace.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stopped = deadline::seen(LIMIT, || {
            let trace = fs::read_to_string(&trace).unwrap_or_default();
            match trace.lines().find(|line| line.contains("--- stopped by SIGSTOP ---")) {
                Some(line) => Some(Some(line.split(' ').next()?.parse().unwrap())),
                None => strace.try_wait().unwrap().map(|_| None),
            }
        });
        let pid: i32 = stopped.expect("neither stopped nor over")?;
        Some(Stopped { strace, pid: Pid::from_raw(pid).unwrap() })
    }

    /// Lets it end, and returns what it said.
    fn go_on(self) -> String {
        kill_process(self.pid, Signal::CONT).unwrap();
        let ended = self.strace.wait_with_output().unwrap();
        String::from_utf8(ended.stdout).unwrap()
    }
}

#[test]
fn two_at_once_work_one_after_the_other() {
    let Some(_) = requires::root() else { return };
    let stage = Stage::new();
    let start = || stage.command("apply").stdout(Stdio::piped()).spawn().unwrap();
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let said = both.each_ref().map(|output| {
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let idle = said.iter().filter(|said| said.contains("nothing to change")).count();
    assert_eq!(idle, 1, "{said:?}");
    stage.check_applied("after two at once");
}

#[test]
fn one_that_holds_the_lock_too_long_is_named() {
    let Some(_) = requires::root() else { return };
    let stage = Stage::new();
    stage.root.write("run/xvdguard/lock", "4711").unwrap();
    let lock = fs::File::open(stage.root.within("run/xvdguard/lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let ran = apply(&stage);
    assert_eq!(ran.code, Some(73), "{ran:?}");
    assert!(ran.err().contains("process 4711 holds it"), "{}", ran.err());
    assert!(!stage.check("with the lock held"));
    drop(lock);
    stage.run("apply");
    assert_eq!(stage.root.read("etc/fstab").unwrap(), NEW);
}
