//! A guest where `xvdguard apply` has been: our lines in fstab, what was noted beside them, what a
//! package manager may say of them, and what it must leave. Never runs `apply` itself: what that
//! writes is written out here, so that a package is held to the form on disk.

use std::fs;

use crate::chroot::Chroot;

/// fstab as the administrator wrote it.
const FSTAB: &str = "# static file system information\n/dev/xvda2 / ext4 defaults 0 1\n\
    /dev/xvdb /srv ext4 noatime 0 2\n";
/// What `xvdguard apply` makes of it.
const EDITED: &str = "# static file system information\n/dev/xvda2 / ext4 defaults 0 1\n\
    # xvdguard: was noatime\n/dev/xvdb /srv ext4 noatime,barrier=0 0 2\n";
/// What it notes beside fstab as it was.
const EDITS: &str = r#"{"schema":1,"tool":"xvdguard","version":"0.1.0","edits":[{
    "source":"/dev/xvdb","mount_point":"/srv","old":"noatime","new":"noatime,barrier=0",
    "reason":"xvdb: flush is refused","rule":"rewrite-fstab","time":null}]}"#;
/// The way back, which stays as long as our lines stand.
pub const KEPT: [&str; 3] =
    ["/var/lib/xvdguard", "/var/lib/xvdguard/edits.json", "/var/lib/xvdguard/fstab.orig"];

/// Writes our lines.
pub fn write(chroot: &Chroot) {
    fs::write(chroot.within("etc/fstab"), EDITED).unwrap();
}

/// Notes what the program and the daemon keep, once the package has brought the folder for it.
pub fn note(chroot: &Chroot) {
    let notes = [("fstab.orig", FSTAB), ("edits.json", EDITS), ("boots", ""), ("record/1", "")];
    for (name, text) in notes {
        let path = chroot.within("var/lib/xvdguard").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Our lines stand, byte for byte, and so does the way back.
#[track_caller]
pub fn stand(chroot: &Chroot) {
    let read = |path: &str| fs::read_to_string(chroot.within(path)).unwrap();
    assert_eq!(read("etc/fstab"), EDITED);
    assert_eq!(read("var/lib/xvdguard/fstab.orig"), FSTAB);
    assert_eq!(read("var/lib/xvdguard/edits.json"), EDITS);
}

/// fstab is the administrator's again, byte for byte.
#[track_caller]
pub fn are_gone(chroot: &Chroot) {
    assert_eq!(fs::read_to_string(chroot.within("etc/fstab")).unwrap(), FSTAB);
}

/// Who removes the package is told which lines stay, and the way back.
#[track_caller]
pub fn are_told(said: &str) {
    assert!(said.contains("# xvdguard: was noatime"), "{said}");
    assert!(said.contains("/dev/xvdb /srv ext4 noatime,barrier=0"), "{said}");
    assert!(said.contains("xvdguard revert"), "{said}");
    assert!(!said.contains("/dev/xvda2 / ext4"), "that line is the administrator's: {said}");
}

/// Who upgrades it, or removes it where nothing of ours is left, is told of no lines to take back.
#[track_caller]
pub fn are_not_told(said: &str) {
    for word in ["fstab", "revert", "barrier=0"] {
        assert!(!said.contains(word), "{word}: {said}");
    }
}
