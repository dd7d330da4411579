//! Guests made of directories, loop devices and a store.

use std::fs;
use std::os::unix::fs::MetadataExt;

use harness::faulty_storage::FaultyStorage;
use harness::guest_root::GuestRoot;
use harness::guest_xenstore::{VbdSpec, add_vbd};
use harness::loop_device::LoopDevice;
use harness::xenstored::Xenstored;
use harness::{requires, scratch};

#[test]
fn a_guest_has_a_disk_whose_node_and_queue_are_real() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let storage = FaultyStorage::start(1 << 20).unwrap();
    let disk = LoopDevice::attach(&storage.file()).unwrap();
    let mut guest = GuestRoot::new().unwrap();
    guest.add_disk("xvda", 51712, &disk).unwrap();
    let node = fs::metadata(guest.within("dev/xvda")).unwrap();
    assert_eq!(node.rdev(), disk.rdev());
    guest.write("sys/block/xvda/queue/write_cache", "write through").unwrap();
    assert_eq!(disk.queue("write_cache").unwrap(), "write through");
    guest.say_mounted("xvda", "/srv", "ext3", "rw,errors=remount-ro").unwrap();
    let mountinfo = guest.read("/proc/self/mountinfo").unwrap();
    assert!(mountinfo.contains("/ /srv rw,relatime - ext3 /dev/xvda rw,errors=remount-ro\n"));
    assert_eq!(guest.read("sys/bus/xen/devices/vbd-51712/state").unwrap(), "Connected\n");
    let number = guest.read("sys/class/block/xvda/dev").unwrap();
    assert!(guest.within(&format!("sys/dev/block/{}/queue", number.trim_end())).is_dir());
}

#[test]
fn a_guest_that_is_dropped_leaves_neither_mount_nor_directory() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let storage = FaultyStorage::start(1 << 20).unwrap();
    let disk = LoopDevice::attach(&storage.file()).unwrap();
    let mut guest = GuestRoot::new().unwrap();
    guest.add_disk("xvda", 51712, &disk).unwrap();
    let path = guest.path().to_owned();
    let start = path.display().to_string();
    assert_eq!(scratch::mounts_below(&start).len(), 1);
    drop(guest);
    assert!(scratch::mounts_below(&start).is_empty());
    assert!(!path.exists() && disk.sysfs().exists());
}

#[test]
fn a_vbd_in_the_store_has_the_keys_of_a_real_one() {
    let Some(_) = requires::xenstored() else { return };
    let store = Xenstored::start().unwrap();
    let spec = VbdSpec { flush: None, more: &[("feature-discard", "1")], ..VbdSpec::default() };
    add_vbd(&store, &spec).unwrap();
    let backend = store.read("device/vbd/51712/backend").unwrap();
    assert_eq!(backend, "/local/domain/0/backend/vbd/0/51712");
    let value = |key: &str| store.read(&format!("{backend}/{key}"));
    assert_eq!(value("feature-barrier").as_deref(), Some("1"));
    assert_eq!(value("feature-discard").as_deref(), Some("1"));
    assert_eq!(value("feature-flush-cache"), None);
    assert_eq!(value("dev").as_deref(), Some("xvda"));
}
