//! How the commands end where they cannot do their work.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use harness::guest_root::GuestRoot;
use harness::programs;
use harness::requires;
use harness::scratch::{self, Scratch};

use crate::setup::{Machine, ready};

/// Nobody, on Debian and elsewhere.
const NOBODY: u32 = 65534;

#[test]
fn without_root_one_may_plan_and_not_apply() {
    let Some(_) = requires::root() else { return };
    let folder = Scratch::new("unprivileged").unwrap();
    for path in [scratch::base().unwrap(), folder.path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let program = folder.path().join("xvdguard");
    fs::copy(programs::path("xvdguard").unwrap(), &program).unwrap();
    let run = |word: &str| {
        let mut command = Command::new(&program);
        command.arg(word).uid(NOBODY).gid(NOBODY);
        programs::run(command, Duration::from_secs(20)).unwrap()
    };
    for word in ["apply", "revert"] {
        let ran = run(word);
        assert_eq!(ran.code, Some(77), "{ran:?}");
        assert!(ran.err().contains(&format!("{word} needs root")), "{}", ran.err());
    }
    let planned = run("plan");
    assert!(matches!(planned.code, Some(0 | 10)), "{planned:?}");
}

#[test]
fn a_wrong_configuration_stops_apply_and_not_revert() {
    let Some(_) = ready("ext4") else { return };
    let machine = Machine::new(&["ext4"], "[barrier]\nmode = \"of\"\n");
    machine.write_fstab("# xvdguard: was rw\n/dev/xvda / ext4 rw,barrier=0 0 1\n");
    for word in ["plan", "apply"] {
        assert!(machine.ends_with(78, &[word]).contains("config.toml:2"));
    }
    machine.ends_with(0, &["revert"]);
    assert_eq!(machine.fstab(), "/dev/xvda / ext4 rw 0 1\n");
}

#[test]
fn switched_off_by_the_command_line_nothing_is_changed() {
    let Some(_) = requires::root() else { return };
    let root = GuestRoot::new().unwrap();
    root.write("proc/cmdline", "root=/dev/xvda barrier=off xvdguard=off\n").unwrap();
    root.write("sys/bus/xen/devices/vbd-51712/block/xvda/dev", "202:0\n").unwrap();
    root.write("sys/block/xvda/dev", "202:0\n").unwrap();
    root.write("sys/block/xvda/size", "16384\n").unwrap();
    root.write("etc/fstab", "/dev/xvda / ext4 rw 0 1\n").unwrap();
    for word in ["plan", "apply"] {
        let mut command = programs::command("xvdguard").unwrap();
        command.args([word, "--root"]).arg(root.path());
        let ran = programs::run(command, Duration::from_secs(20)).unwrap();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out().contains("\"xvdguard=off\" on the kernel command line"), "{}", ran.out());
    }
    assert_eq!(root.read("etc/fstab").unwrap(), "/dev/xvda / ext4 rw 0 1\n");
}
