//! A guest whose plan is to add `barrier=0` to one line, and what must hold of its fstab.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::guest_root::GuestRoot;
use harness::programs;
use rustix::fs::{XattrFlags, getxattr, listxattr, setxattr};

/// fstab before, with what people write: tabs, a comment, no newline at the end.
pub const OLD: &str = "# static\nproc /proc proc defaults 0 0\n/dev/xvda\t/\text4\tnoatime\t0 1\n\
    //host/share /mnt cifs credentials=/root/x 0 0";
/// And after.
pub const NEW: &str = "# static\nproc /proc proc defaults 0 0\n# xvdguard: was noatime\n\
    /dev/xvda\t/\text4\tnoatime,barrier=0\t0 1\n//host/share /mnt cifs credentials=/root/x 0 0";

/// Whoever else may own it: games and its neighbour on Debian, nobody special elsewhere.
const OWNER: (u32, u32) = (5, 60);
const MODE: u32 = 0o640;

/// A guest.
pub struct Stage {
    pub root: GuestRoot,
    looks: Looks,
}

/// Mode, owner and extended attributes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks {
    mode: u32,
    owner: (u32, u32),
    attributes: BTreeMap<String, Vec<u8>>,
}

impl Stage {
    pub fn new() -> Stage {
        let root = GuestRoot::new().unwrap();
        // The machine's own log would take a system call for each of its lines.
        fs::remove_file(root.within("dev/kmsg")).unwrap();
        for (path, text) in [
            ("proc/cmdline", "root=/dev/xvda ro xvdguard.barrier=off\n"),
            ("dev/kmsg", "6,0,0,-;Linux version 5.10.0-30-amd64\n"),
            ("sys/block/xvda/dev", "202:0\n"),
            ("sys/block/xvda/size", "16384\n"),
            ("sys/block/xvda/ro", "0\n"),
            ("sys/block/xvda/queue/write_cache", "write through\n"),
            ("sys/bus/xen/devices/vbd-51712/nodename", "device/vbd/51712\n"),
            ("sys/bus/xen/devices/vbd-51712/block/xvda/dev", "202:0\n"),
        ] {
            root.write(path, text).unwrap();
        }
        let mut stage = Stage { root, looks: Looks::none() };
        stage.reset();
        stage
    }

    /// fstab as it was at first, and nothing of ours anywhere.
    pub fn reset(&mut self) {
        for folder in ["etc", "var/lib/xvdguard", "run/xvdguard"] {
            let _ = fs::remove_dir_all(self.root.within(folder));
        }
        self.root.write("etc/fstab", OLD).unwrap();
        let fstab = self.fstab();
        chown(&fstab, Some(OWNER.0), Some(OWNER.1)).unwrap();
        fs::set_permissions(&fstab, fs::Permissions::from_mode(MODE)).unwrap();
        for (name, value) in attributes() {
            // Not every file system takes all of them; those that it took must be kept.
            let _ = setxattr(&fstab, name, &value, XattrFlags::empty());
        }
        self.looks = Looks::of(&fstab);
        assert!(self.looks.attributes.len() > 1, "{:?}", self.looks);
    }

    pub fn fstab(&self) -> PathBuf {
        self.root.within("etc/fstab")
    }

    pub fn command(&self, word: &str) -> Command {
        let mut command = programs::command("xvdguard").unwrap();
        command.args([word, "--root"]).arg(self.root.path());
        command
    }

    /// Runs a command undisturbed; it must succeed.
    pub fn run(&self, word: &str) {
        let output = self.command(word).output().unwrap();
        assert!(output.status.success(), "{word}: {output:?}");
    }

    /// fstab has one of the two contents, looks as it did, and can be had back. Returns whether it
    /// is the new one.
    pub fn check(&self, place: &str) -> bool {
        let content = self.root.read("etc/fstab").unwrap();
        assert!(content == OLD || content == NEW, "{place}: {content:?}");
        assert_eq!(Looks::of(&self.fstab()), self.looks, "{place}");
        if content == NEW {
            let way_back = self.root.read("var/lib/xvdguard/fstab.orig");
            assert_eq!(way_back.as_deref(), Ok(OLD), "{place}");
            assert!(self.root.within("var/lib/xvdguard/edits.json").exists(), "{place}");
        }
        content == NEW
    }

    /// What an undisturbed `apply` leaves, and nothing else.
    pub fn check_applied(&self, place: &str) {
        assert!(self.check(place), "{place}: fstab is as before");
        self.check_leftovers(&["edits.json", "fstab.orig"], place);
    }

    /// What an undisturbed `revert` leaves, and nothing else: the mark that keeps the daemon away.
    pub fn check_reverted(&self, place: &str) {
        assert!(!self.check(place), "{place}: fstab is still ours");
        self.check_leftovers(&["reverted"], place);
    }

    /// What a `revert` leaves that had nothing to take back.
    pub fn check_never_applied(&self, place: &str) {
        assert!(!self.check(place), "{place}: fstab is ours");
        self.check_leftovers(&[], place);
    }

    fn check_leftovers(&self, ours: &[&str], place: &str) {
        assert_eq!(names(&self.root.within("etc")), ["fstab"], "{place}");
        assert_eq!(names(&self.root.within("var/lib/xvdguard")), ours, "{place}");
    }
}

impl Looks {
    fn none() -> Looks {
        Looks { mode: 0, owner: (0, 0), attributes: BTreeMap::new() }
    }

    pub fn of(path: &Path) -> Looks {
        let metadata = path.metadata().unwrap();
        let mut list = [0; 4096];
        let size = listxattr(path, &mut list).unwrap();
        let names = list[..size].split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let attributes = names.map(|name| {
            let mut value = [0; 4096];
            let size = getxattr(path, name, &mut value).unwrap();
            (String::from_utf8_lossy(name).into_owned(), value[..size].to_vec())
        });
        let owner = (metadata.uid(), metadata.gid());
        Looks { mode: metadata.mode(), owner, attributes: attributes.collect() }
    }
}

/// A label, an access list (acl(5), linux/posix_acl_xattr.h), and what others keep there.
fn attributes() -> [(&'static str, Vec<u8>); 4] {
    let entry = |tag: u16, permissions: u16, id: u32| {
        [&tag.to_le_bytes()[..], &permissions.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    const NOBODY: u32 = u32::MAX;
    let list = [
        2_u32.to_le_bytes().to_vec(),
        entry(0x01, 6, NOBODY),
        entry(0x02, 4, 1000),
        entry(0x04, 4, NOBODY),
        entry(0x10, 4, NOBODY),
        entry(0x20, 0, NOBODY),
    ];
    [
        ("security.selinux", b"system_u:object_r:etc_t:s0\0".to_vec()),
        ("system.posix_acl_access", list.concat()),
        ("trusted.backup", vec![0, 255, 10]),
        ("user.origin", b"installer".to_vec()),
    ]
}

/// The names in a directory, in order; none where it is missing.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
