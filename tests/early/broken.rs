//! Whatever is broken around it, early boot ends with 0 and in time; and where it can still see
//! that the backend refuses flushes, it still does what keeps root alive.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use harness::blkback::refuse_flushes;
use harness::guest::Guest;
use harness::guest_root::GuestRoot;
use harness::mount::Mounted;
use harness::programs;
use harness::requires;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::setup::{boot, ends_well, run, write_cache};

/// Breaks a guest; a mount is kept until the boot is over.
type Break = fn(&Guest) -> Option<Mounted>;

const POLICY: &str = "etc/xvdguard/frozen.policy";

fn put(guest: &Guest, path: &str, content: &[u8]) {
    let path = guest.root.within(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn folder_instead(guest: &Guest, path: &str) {
    let path = guest.root.within(path);
    let _ = fs::remove_file(&path);
    fs::create_dir_all(path).unwrap();
}

fn fifo_instead(guest: &Guest, path: &str) {
    let path = guest.root.within(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn without(guest: &Guest, path: &str) {
    let path = guest.root.within(path);
    fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).unwrap();
}

fn full_run(guest: &Guest) -> Mounted {
    let run = guest.root.within("run");
    let mounted = Mounted::new(Path::new("tmpfs"), &run, "tmpfs", "size=16k").unwrap();
    fs::write(run.join("fill"), [b'x'; 32768]).unwrap_err();
    mounted
}

/// What is broken although the refusal can still be seen, and acted upon.
const BREAKS: [(&str, Break); 20] = [
    ("an empty policy", |guest| {
        put(guest, POLICY, b"");
        None
    }),
    ("a policy of random bytes", |guest| {
        put(guest, POLICY, b"\xff\xfe\0\n\x80=");
        None
    }),
    ("a policy without its first line", |guest| {
        put(guest, POLICY, b"barrier.mode=on\n");
        None
    }),
    ("a policy that is too long", |guest| {
        put(guest, POLICY, &[b'x'; 70_000]);
        None
    }),
    ("a policy of broken lines", |guest| {
        put(
            guest,
            POLICY,
            b"xvdguard-policy=1\nbarrier.mode=\nqueue.x\n=\n\xff\nqueue.match=\\x4\n",
        );
        None
    }),
    ("a policy that is a folder", |guest| {
        folder_instead(guest, POLICY);
        None
    }),
    ("a policy that is a fifo", |guest| {
        fifo_instead(guest, POLICY);
        None
    }),
    ("no command line", |guest| {
        without(guest, "proc/cmdline");
        None
    }),
    ("a command line of random bytes", |guest| {
        put(guest, "proc/cmdline", b"\xff\"\0 barrier=\xfe xvdguard= --");
        None
    }),
    ("no kernel log", |guest| {
        without(guest, "dev/kmsg");
        None
    }),
    ("a kernel log that is a fifo", |guest| {
        fifo_instead(guest, "dev/kmsg");
        None
    }),
    ("a kernel log that is a folder", |guest| {
        folder_instead(guest, "dev/kmsg");
        None
    }),
    ("a kernel log of random bytes", |guest| {
        put(guest, "dev/kmsg", b"\xff;\n\0,1,;\n");
        None
    }),
    ("a mountinfo of random bytes", |guest| {
        put(guest, "proc/self/mountinfo", b"\xff\n1 2 3\n\0");
        None
    }),
    ("a full /run", |guest| Some(full_run(guest))),
    ("a read-only /run", |guest| {
        Some(Mounted::new(Path::new("tmpfs"), &guest.root.within("run"), "tmpfs", "ro").unwrap())
    }),
    ("no /run", |guest| {
        without(guest, "run");
        None
    }),
    ("a /run that is a file", |guest| {
        without(guest, "run");
        put(guest, "run", b"");
        None
    }),
    ("a report that is a folder", |guest| {
        folder_instead(guest, "run/xvdguard/early.json/x");
        None
    }),
    ("a lock that is a link to nowhere", |guest| {
        fs::create_dir_all(guest.root.within("run/xvdguard")).unwrap();
        symlink("/no/such/place", guest.root.within("run/xvdguard/lock")).unwrap();
        None
    }),
];

#[test]
fn a_refusing_backend_is_handled_whatever_else_is_broken() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    for (what, broken) in BREAKS {
        let guest = Guest::with_disks(1).unwrap();
        let mounted = broken(&guest);
        let (storage, key) = (&guest.disks[0].storage, guest.flush_key(0));
        let ran = refuse_flushes(storage, &guest.store, &key, || boot(&guest)).unwrap();
        println!("{:7.1?}  {what}", ran.took);
        assert_eq!(write_cache(&guest, 0), "write through", "{what}");
        let line = fs::read(guest.root.within(crate::setup::LINE)).unwrap_or_default();
        assert_eq!(line, b"", "{what}");
        drop(mounted);
    }
}

/// What nobody can make sense of: nothing is done, and that quickly.
#[test]
fn a_sysfs_of_random_bytes_stops_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let files = [
        "sys/block/xvda/dev",
        "sys/block/xvda/size",
        "sys/block/xvda/ro",
        "sys/block/xvda/queue/write_cache",
        "sys/hypervisor/type",
        "sys/hypervisor/guest_type",
        "sys/hypervisor/properties/features",
        "proc/sys/kernel/osrelease",
        "proc/sys/kernel/random/boot_id",
    ];
    for broken in files.iter().map(std::slice::from_ref).chain([&files[..]]) {
        let mut guest = Guest::new().unwrap();
        let disk = harness::faulty_disk::FaultyDisk::new(1 << 20).unwrap();
        guest.add_blkfront_disk(disk, &[("write_cache", "write back")]).unwrap();
        broken.iter().for_each(|path| put(&guest, path, b"\xff\0\x1b[2J\n:,;\xc3\x28\n"));
        let ran = boot(&guest);
        println!("{:7.1?}  {broken:?}", ran.took);
        assert_eq!(crate::setup::line(&guest), "", "{broken:?}");
    }
}

#[test]
fn a_root_without_anything_stops_nothing() {
    let Some(_) = requires::root() else { return };
    let root = GuestRoot::new().unwrap();
    for path in ["proc", "sys", "dev", "run", "etc"] {
        fs::remove_dir_all(root.within(path)).unwrap();
        let mut command = programs::command("xvdguard-early").unwrap();
        command.args(["boot", "-o"]).arg(root.within("line")).arg("--root").arg(root.path());
        ends_well(run(command));
        assert_eq!(fs::read(root.within("line")).unwrap(), b"", "without {path}");
    }
}

/// A hook that an upgrade left behind may say anything. Never without --root: the machine that
/// runs the tests is nobody's guest.
#[test]
fn arguments_that_nobody_understands_stop_nothing() {
    let Some(_) = requires::root() else { return };
    let root = GuestRoot::new().unwrap();
    let at = root.path().as_os_str();
    let o = OsStr::new;
    let cases: [&[&OsStr]; 14] = [
        &[o("--root"), at, o("--nonsense")],
        &[o("--root"), at, o("--format"), o("grub")],
        &[o("--root"), at, o("--format")],
        &[o("--root"), at, o("-o")],
        &[o("--root"), at, o("more"), o("words")],
        &[o("--root"), at, OsStr::from_bytes(b"\xff\xfe")],
        &[o("--root"), at, o("--format"), OsStr::from_bytes(b"\xff")],
        &[o("--root")],
        &[o("--root"), o("")],
        &[o("--root"), o("/no/such/root")],
        &[o("--root"), o("/dev/null")],
        &[o("--root"), at, o("--xenstore"), o("/no/such/socket"), o("--policy"), o("/no/such")],
        &[o("--root"), at, o("-o"), o("/no/such/folder/file")],
        &[o("--root"), at, o("-o"), o("/dev/full")],
    ];
    for words in cases {
        let mut command = programs::command("xvdguard-early").unwrap();
        command.arg("boot").args(words);
        ends_well(run(command));
    }
}
