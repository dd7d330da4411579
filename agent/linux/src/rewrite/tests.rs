//! What is replaced, and what is refused; faults and foreign owners are in `tests/faults/`.

use std::fs::{self, Permissions, hard_link, read_to_string};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use rustix::fs::{XattrFlags, getxattr, setxattr};
use tempfile::TempDir;

use super::{Original, remove_leftover};
use crate::root::Root;

const OLD: &str = "/dev/xvda / ext4 defaults 0 1\n";
const NEW: &str = "/dev/xvda / ext4 barrier=0 0 1\n";

struct Sample {
    dir: TempDir,
    root: Root,
}

impl Sample {
    fn new() -> Sample {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(dir.path().join("etc/fstab"), OLD).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        Sample { dir, root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("etc").join(name)
    }

    fn read(&self) -> super::Result<Original> {
        Original::read(&self.root, b"etc/fstab")
    }

    fn refusal(&self) -> String {
        self.read().unwrap_err().to_string()
    }

    /// The bytes of the file, with every other name that is beside it.
    fn found(&self) -> (String, Vec<String>) {
        let names = fs::read_dir(self.path("")).unwrap().flatten();
        let others = names.map(|entry| entry.file_name().into_string().unwrap());
        let others = others.filter(|name| name != "fstab").collect();
        (read_to_string(self.path("fstab")).unwrap(), others)
    }
}

#[test]
fn a_replaced_file_keeps_mode_and_attributes() {
    let sample = Sample::new();
    let path = sample.path("fstab");
    fs::set_permissions(&path, Permissions::from_mode(0o2640)).unwrap();
    setxattr(&path, "user.origin", b"installer\0", XattrFlags::empty()).unwrap();
    setxattr(&path, "user.empty", b"", XattrFlags::empty()).unwrap();
    let inode = path.metadata().unwrap().ino();
    sample.read().unwrap().replace(NEW.as_bytes()).unwrap();
    let metadata = path.metadata().unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o2640);
    assert_ne!(metadata.ino(), inode);
    let mut value = [0; 64];
    let size = getxattr(&path, "user.origin", &mut value).unwrap();
    assert_eq!(&value[..size], b"installer\0");
    assert_eq!(getxattr(&path, "user.empty", &mut value), Ok(0));
    assert_eq!(sample.found(), (NEW.to_owned(), vec![]));
}

#[test]
fn a_link_to_the_file_is_refused_and_stays_a_link() {
    let sample = Sample::new();
    fs::rename(sample.path("fstab"), sample.path("real")).unwrap();
    for target in ["real", "/etc/real", "nowhere"] {
        symlink(target, sample.path("fstab")).unwrap();
        let refusal = sample.refusal();
        assert!(refusal.contains("etc/fstab: it is a symbolic link"), "{refusal}");
        fs::remove_file(sample.path("fstab")).unwrap();
    }
}

#[test]
fn a_second_name_is_refused_and_keeps_its_bytes() {
    let sample = Sample::new();
    hard_link(sample.path("fstab"), sample.path("second")).unwrap();
    assert!(sample.refusal().contains("it has 2 names (hard links)"));
}

#[test]
fn a_directory_or_nothing_is_refused() {
    let sample = Sample::new();
    fs::remove_file(sample.path("fstab")).unwrap();
    assert!(sample.read().unwrap_err().is_missing());
    fs::create_dir(sample.path("fstab")).unwrap();
    assert!(sample.refusal().contains("it is no regular file"));
}

#[test]
fn an_open_editor_is_respected() {
    let sample = Sample::new();
    for sign in [".fstab.swp", ".#fstab"] {
        symlink("root@host.4711:1", sample.path(sign)).unwrap();
        assert!(sample.refusal().contains(&format!("as {sign} beside it says")));
        fs::remove_file(sample.path(sign)).unwrap();
    }
    sample.read().unwrap();
}

#[test]
fn what_somebody_changed_meanwhile_is_kept() {
    let in_place: fn(&Sample) =
        |sample| fs::write(sample.path("fstab"), "/dev/xvdb / x\n").unwrap();
    let renamed_over: fn(&Sample) = |sample| {
        fs::write(sample.path("fstab~"), OLD).unwrap();
        fs::rename(sample.path("fstab~"), sample.path("fstab")).unwrap();
    };
    let mode: fn(&Sample) =
        |sample| fs::set_permissions(sample.path("fstab"), Permissions::from_mode(0o600)).unwrap();
    for change in [in_place, renamed_over, mode] {
        let sample = Sample::new();
        let original = sample.read().unwrap();
        change(&sample);
        let changed = sample.found();
        let error = original.replace(NEW.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("somebody changed it meanwhile"), "{error}");
        assert_eq!(sample.found(), changed);
    }
}

#[test]
fn what_a_dead_run_left_is_cleared_away() {
    let sample = Sample::new();
    let leave = || fs::write(sample.path(".fstab.xvdguard-new"), "half of i").unwrap();
    leave();
    remove_leftover(&sample.root, b"etc/fstab").unwrap();
    assert_eq!(sample.found(), (OLD.to_owned(), vec![]));
    leave();
    sample.read().unwrap().replace(NEW.as_bytes()).unwrap();
    assert_eq!(sample.found(), (NEW.to_owned(), vec![]));
}
