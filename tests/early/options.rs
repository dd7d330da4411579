//! The one line that a hook reads: below 4.7, where `write_cache` does not exist, root needs
//! `barrier=0`, and nothing else may ever stand there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use harness::blkback::refuse_flushes;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::{program, requires};

use crate::setup::{LINE, boot_with, line, report};

/// A guest of Debian 8 whose root, a vbd that is a partition, refuses flushes.
fn old_guest(fstype: &str) -> Guest {
    let mut guest = Guest::new().unwrap();
    let disk = FaultyDisk::formatted(fstype).unwrap();
    guest.add_blkfront_disk_as("xvda2", 51714, disk, &[]).unwrap();
    guest.run_kernel("3.16.0-4-amd64").unwrap();
    root_is(&guest, "/dev/xvda2");
    guest
}

fn root_is(guest: &Guest, word: &str) {
    guest.root.write("proc/cmdline", &format!("root={word} ro quiet\n")).unwrap();
}

/// The line after a boot in which the backend refuses, and all that was said.
fn line_of<W: AsRef<OsStr>>(guest: &Guest, words: &[W]) -> (String, String) {
    const KEY: &str = "/local/domain/0/backend/vbd/0/51714/feature-flush-cache";
    guest.store.write(KEY, "1").unwrap();
    guest.forget_reports().unwrap();
    let storage = &guest.disks[0].storage;
    refuse_flushes(storage, &guest.store, KEY, || boot_with(guest, words)).unwrap();
    let bytes = fs::read(guest.root.within(LINE)).unwrap();
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"=,._:-".contains(byte);
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    assert!(text.iter().all(safe), "{:?}", String::from_utf8_lossy(&bytes));
    assert_eq!(bytes.len() - text.len(), usize::from(!text.is_empty()), "{bytes:?}");
    (line(guest), report(guest).unwrap()["said"].to_string())
}

#[test]
fn each_hook_gets_the_options_that_it_needs() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = old_guest("ext3");
    for (format, have, expected) in [
        ("initramfs", "", "barrier=0"),
        ("initramfs", "noatime,data=ordered", "noatime,data=ordered,barrier=0"),
        ("initramfs", "-o noatime", "noatime,barrier=0"),
        ("initramfs", "subvol=@:x-y_z.1", ""),
        ("dracut", "noatime", "barrier=0"),
        ("plain", "noatime", "barrier=0"),
    ] {
        let (line, said) = line_of(&guest, &["--format", format, "--have", have]);
        assert_eq!(line, expected, "{format} {have}");
        assert!(said.contains("ext3 and ext4 on it need barrier=0"), "{said}");
    }
}

#[test]
fn hostile_options_reach_no_shell() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = old_guest("ext3");
    let hostile: [&[u8]; 9] = [
        b"a;reboot",
        b"$(reboot)",
        b"`reboot`",
        b"context=\"x y\"",
        b"it's",
        b"a\nb",
        b"a b",
        b"\xff\xfe",
        b"a\x1b[2J",
    ];
    for have in hostile.map(OsStr::from_bytes) {
        for (format, expected) in
            [("initramfs", ""), ("dracut", "barrier=0"), ("plain", "barrier=0")]
        {
            let words = ["--format".as_ref(), format.as_ref(), "--have".as_ref(), have];
            let (line, said) = line_of(&guest, &words);
            assert_eq!(line, expected, "{format} {have:?}");
            assert_eq!(said.contains("cannot be handed on safely"), expected.is_empty(), "{said}");
        }
    }
}

/// ext2 has no journal, and an unknown root may know no `barrier=0`.
#[test]
fn what_is_not_proven_to_be_ext3_or_ext4_keeps_its_options() {
    let Some(_) = requires::faulty_disk("ext2") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = old_guest("ext2");
    let node = guest.disks[0].device.node().to_owned();
    let read = |what: &str| {
        let (line, said) = line_of(&guest, &["--format", "plain"]);
        assert_eq!(line, "", "{what}");
        assert!(said.contains("root is not mounted with barrier=0"), "{what}: {said}");
    };
    read("ext2");
    fs::write(&node, [b"XFSB".to_vec(), vec![0; 8188]].concat()).unwrap();
    read("xfs");
    fs::write(&node, [0; 8192]).unwrap();
    read("nothing");
    guest.disks[0].storage.set(Fault::Read(Answer::Eio)).unwrap();
    rustix::fs::fadvise(fs::File::open(&node).unwrap(), 0, None, rustix::fs::Advice::DontNeed)
        .unwrap();
    read("a super block that cannot be read");
}

#[test]
fn root_is_found_by_each_of_its_names_and_only_there() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = old_guest("ext4");
    fs::create_dir_all(guest.root.within("dev/disk/by-uuid")).unwrap();
    symlink("../../xvda2", guest.root.within("dev/disk/by-uuid/12-ab")).unwrap();
    for (word, expected) in [
        ("/dev/xvda2", "barrier=0"),
        ("UUID=12-ab", "barrier=0"),
        ("\"UUID=12-ab\"", "barrier=0"),
        ("UUID=34-cd", ""),
        ("/dev/vda1", ""),
        ("/dev/kmsg", ""),
        ("nfs:server:/x", ""),
        ("", ""),
    ] {
        root_is(&guest, word);
        assert_eq!(line_of(&guest, &["--format", "plain"]).0, expected, "{word}");
    }
}

/// One layer of the device-mapper or md, whose content is that of a file system of its own.
fn add_layer(guest: &Guest, name: &str, above: &str, content: &FaultyDisk) {
    let (major, minor) =
        (rustix::fs::major(content.device.rdev()), rustix::fs::minor(content.device.rdev()));
    let block = format!("sys/block/{name}");
    guest.root.write(&format!("{block}/dev"), &format!("{major}:{minor}\n")).unwrap();
    guest.root.write(&format!("{block}/size"), "131072\n").unwrap();
    guest.root.write(&format!("{block}/ro"), "0\n").unwrap();
    fs::create_dir_all(guest.root.within(&format!("{block}/slaves/{above}"))).unwrap();
    let node = guest.root.within(&format!("dev/{name}"));
    let words = [node.to_str().unwrap(), "b", &major.to_string(), &minor.to_string()];
    program::run("mknod", &words).unwrap();
}

/// LVM on the vbd, md on LVM, dm-crypt on md: each as root.
#[test]
fn root_is_found_on_every_layer() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = old_guest("ext4");
    let layers = [("dm-0", "xvda2"), ("md127", "dm-0"), ("dm-1", "md127")];
    let contents = layers.map(|_| FaultyDisk::formatted("ext4").unwrap());
    for ((name, above), content) in layers.iter().zip(&contents) {
        add_layer(&guest, name, above, content);
    }
    fs::create_dir_all(guest.root.within("dev/mapper")).unwrap();
    for (link, to) in [("vg0-root", "../dm-0"), ("luks-root", "../dm-1")] {
        symlink(to, guest.root.within("dev/mapper").join(link)).unwrap();
    }
    for word in ["/dev/mapper/vg0-root", "/dev/md127", "/dev/mapper/luks-root"] {
        root_is(&guest, word);
        assert_eq!(line_of(&guest, &["--format", "plain"]).0, "barrier=0", "{word}");
    }
    // Not what lies on another disk.
    fs::rename(
        guest.root.within("sys/block/dm-0/slaves/xvda2"),
        guest.root.within("sys/block/dm-0/slaves/sda"),
    )
    .unwrap();
    assert_eq!(line_of(&guest, &["--format", "plain"]).0, "");
}

#[test]
fn the_lever_and_the_mode_decide_who_gets_the_option() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let Some(_) = requires::xenstored() else { return };
    let old = old_guest("ext3");
    let policy = |guest: &Guest, lines: &str| {
        let policy = format!("xvdguard-policy=1\n{lines}\n");
        guest.root.write("etc/xvdguard/frozen.policy", &policy).unwrap();
    };
    for (lines, expected) in [
        ("barrier.lever=auto", "barrier=0"),
        ("barrier.lever=mount", "barrier=0"),
        ("barrier.lever=queue", ""),
        ("barrier.mode=on", ""),
        ("barrier.mode=leave", ""),
        ("barrier.mode=off", "barrier=0"),
    ] {
        policy(&old, lines);
        assert_eq!(line_of(&old, &["--format", "plain"]).0, expected, "{lines}");
    }
    // The lever of old kernels, chosen on a new one: the queue is left alone.
    let mut new = Guest::new().unwrap();
    let disk = FaultyDisk::formatted("ext3").unwrap();
    new.add_blkfront_disk_as("xvda2", 51714, disk, &[("write_cache", "write back")]).unwrap();
    root_is(&new, "/dev/xvda2");
    policy(&new, "barrier.lever=mount");
    assert_eq!(line_of(&new, &["--format", "plain"]).0, "barrier=0");
    let cache = new.root.read("sys/block/xvda2/queue/write_cache").unwrap();
    assert_eq!(cache, "write back\n");
}

/// An error may be an outage, which the next boot should not remember as a property of root.
#[test]
fn an_error_answer_adds_no_option() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = old_guest("ext3");
    guest.write_log(&["4,1,9000000,-;blkfront: xvda2: empty flush op failed"]).unwrap();
    boot_with(&guest, &["--format", "plain"]);
    assert_eq!(
        (crate::setup::verdict(&guest, "xvda2").as_str(), line(&guest).as_str()),
        ("failing", "")
    );
}

/// What the line is for.
#[test]
fn the_option_is_one_that_mount_takes() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = old_guest("ext3");
    let (line, _) = line_of(&guest, &["--format", "initramfs", "--have", "errors=remount-ro"]);
    let folder = harness::scratch::Scratch::new("root").unwrap();
    let mounted = guest.disks[0].mount(&folder.path().join("mnt"), "ext3", &line).unwrap();
    fs::write(mounted.target().join("file"), "kept").unwrap();
    program::run("sync", &["-f".as_ref(), mounted.target().as_os_str()]).unwrap();
    assert_eq!(guest.disks[0].errors_count(), Some(0));
}
