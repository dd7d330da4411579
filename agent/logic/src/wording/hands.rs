//! What the hands say of a step of a recovery that they refused or could not do.

use alloc::format;
use alloc::string::String;
use core::fmt::Display;

use crate::block::DeviceNumber;
use crate::effect::QueueSetting;
use crate::recovery::effects::Identity;
use crate::super_block::is_same_mount;
use crate::text::Text;

/// A child ended without a word.
pub const CHILD_DIED: &str = "the child that did it ended without an answer";

/// An order that only the daemon itself can carry out came to a child.
pub const NOT_FOR_A_CHILD: &str = "this is the daemon's own to do";

/// Without it nothing reboots.
pub const NO_KEEPER: &str = "there is no keeper that could reboot; see the daemon's first lines";

/// What to do where the records of boots are broken.
pub const REMOVE_RECORDS: &str = "remove it; automatic reboots begin again with the next boot";

/// The disk that they lie on does not answer.
pub const RECORDS_SILENT: &str = "the records of earlier boots cannot be read in time";

/// The guard could not be written.
pub const RECORD_NOT_READ_BACK: &str =
    "the record of this boot reads otherwise than it was written; without it nothing reboots";

/// The node in `/dev` is another device's.
pub fn other_node(node: &Text, device: DeviceNumber) -> String {
    format!("{node} is not the block device {device}")
}

/// The device holds no such file system.
pub fn no_super_block(node: &Text, fstype: &Text) -> String {
    format!("{node} holds no super block of {fstype} that could be compared")
}

/// What tells one super block from another; none where they are the same.
pub fn difference(known: &Identity, now: &Identity) -> Option<String> {
    if known.uuid != now.uuid {
        return Some(format!("its file system is {} and was {}", now.uuid, known.uuid));
    }
    if known.sectors != now.sectors {
        return Some(format!("it has {} sectors and had {}", now.sectors, known.sectors));
    }
    let mount = |identity: &Identity| identity.mount.clone().unwrap_or_default();
    if !is_same_mount(mount(known).as_bytes(), mount(now).as_bytes()) {
        return Some(
            "its last mount is not this boot's: an older snapshot, or mounted by another machine"
                .into(),
        );
    }
    None
}

/// The journal is another's, or has come less far.
pub fn other_journal(device_name: &Text) -> String {
    format!(
        "{device_name}: its journal is not where this boot left it: an older snapshot, or another \
         file system"
    )
}

/// Something else is at the mount point.
pub fn mounted_otherwise(mount_point: &Text) -> String {
    format!("{mount_point} does not show the mount that is meant any more")
}

/// The device is mounted in our own namespace.
pub fn still_mounted(node: &Text, mount_point: &Text) -> String {
    format!("{node} is still mounted on {mount_point}")
}

/// The super block lives on in another mount namespace.
pub fn alive_elsewhere(node: &Text, who: &[String]) -> String {
    let who = if who.is_empty() { "nobody that can be seen".into() } else { who.join(", ") };
    format!("{node} is unmounted here, but its super block is alive; held by: {who}")
}

/// Another device lies on it.
pub fn below_another(node: &Text, holder: &Text) -> String {
    format!("{node} is in use by {holder}, which lies on it")
}

/// It is swap space.
pub fn is_swap(path: &Text) -> String {
    format!("{path} is swap space in use")
}

/// O_EXCL was refused.
pub fn opened_by_another(node: &Text, who: &[String]) -> String {
    if who.is_empty() {
        return format!("{node} is claimed by something else (a mount, a check, another device)");
    }
    format!("{node} is claimed; it is mounted for {}", who.join(", "))
}

/// A process, by name and id.
pub fn process(name: &Text, pid: &Text) -> String {
    format!("{name} (process {pid})")
}

/// A mount that is in the way.
pub fn another_mount(mount_point: &Text) -> String {
    format!("the mount {mount_point}")
}

/// A loop device on a file of the volume.
pub fn loop_device(name: &Text, file: &Text) -> String {
    format!("{name}, whose file is {file}")
}

/// umount said EBUSY.
pub fn held_by(error: &str, who: &[String]) -> String {
    if who.is_empty() { error.into() } else { format!("{error}; held by {}", who.join(", ")) }
}

/// Units that were to stop.
pub fn still_active(units: &[String]) -> String {
    format!("still active: {}", units.join(", "))
}

/// A unit that is none of ours to touch.
pub fn no_such_unit(unit: &Text, objection: &str) -> String {
    format!("{unit} {objection}")
}

/// systemctl failed.
pub fn systemctl_said(verb: &Text, code: i32, line: &Text) -> String {
    said(&format!("systemctl {verb}"), code, line)
}

/// fsck failed.
pub fn fsck_said(node: &Text, code: i32, line: &Text) -> String {
    said(&format!("e2fsck -p {node}"), code, line)
}

/// mount(8) failed.
pub fn mount_said(mount_point: &Text, code: i32, line: &Text) -> String {
    said(&format!("mount {mount_point}"), code, line)
}

/// It said that it had mounted it.
pub fn not_mounted(mount_point: &Text) -> String {
    format!("{mount_point} is not mounted, although nothing failed")
}

/// The kernel rounded a setting.
pub fn set_otherwise(setting: &QueueSetting, has: &Text) -> String {
    format!("{} of {} reads {has}, not {}", setting.attribute, setting.disk, setting.new)
}

fn said(what: &dyn Display, code: i32, line: &Text) -> String {
    match line.is_empty() {
        true => format!("{what} ended with {code}"),
        false => format!("{what} ended with {code}: {line}"),
    }
}
