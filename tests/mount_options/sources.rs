//! What a word of fstab names, on a guest with real device nodes and links named as libblkid names
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use harness::guest_root::GuestRoot;
use harness::loop_device::LoopDevice;
use harness::scratch::Scratch;
use harness::{program, requires};
use xvdguard_linux::observe::block_devices;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::root::Root;
use xvdguard_linux::source;
use xvdguard_logic::text::Text;

/// ext4 keeps 16 bytes.
const LABELS: [&str; 6] = ["root", "my root", "a/b\\c\"ü", "x'y$z%(~)", "#+-.:=@_", "tab\there"];

/// What udev asks libblkid for the names of its links.
fn names_of(device: &LoopDevice) -> BTreeMap<String, String> {
    let arguments = ["-p".as_ref(), "-o".as_ref(), "udev".as_ref(), device.node().as_os_str()];
    let said = program::run("blkid", &arguments).unwrap();
    let pairs = said.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn format(device: &LoopDevice, label: &str) {
    let options = ["-q", "-F", "-O", "^has_journal", "-L", label].map(AsRef::as_ref);
    program::run("mkfs.ext4", &[&options[..], &[device.node().as_os_str()]].concat()).unwrap();
}

#[test]
fn tags_lead_through_the_links_of_udev_to_the_disk() {
    let Some(_) = requires::root() else { return };
    let Some(_) = requires::loop_devices() else { return };
    let Some(_) = requires::program("blkid") else { return };
    let folder = Scratch::new("sources").unwrap();
    let file = folder.path().join("disk");
    fs::File::create(&file).unwrap().set_len(4 << 20).unwrap();
    let device = LoopDevice::attach(&file).unwrap();
    let mut guest = GuestRoot::new().unwrap();
    guest.add_disk("xvda", 51712, &device).unwrap();
    let root = Root::at(guest.path().as_os_str().as_bytes()).unwrap();
    let tree = block_devices::read(&root, &BTreeSet::new(), Depth::All, &mut Vec::new()).tree;
    let find = |word: &str| source::find(&root, &Text::from(word), &tree);
    for label in LABELS {
        format(&device, label);
        let names = names_of(&device);
        let uuid = &names["ID_FS_UUID"];
        let words = [format!("LABEL={label}"), format!("UUID={uuid}"), format!("UUID=\"{uuid}\"")];
        for word in &words {
            let error = find(word).unwrap_err().to_string();
            assert!(error.contains("/dev/disk/by-"), "{error}");
        }
        for (folder, name) in [("by-label", "ID_FS_LABEL_ENC"), ("by-uuid", "ID_FS_UUID_ENC")] {
            let folder = guest.within("dev/disk").join(folder);
            fs::create_dir_all(&folder).unwrap();
            symlink("../../xvda", folder.join(&names[name])).unwrap();
        }
        for word in &words {
            let found = find(word).unwrap();
            assert_eq!((found.name, found.disks), ("xvda".into(), vec!["xvda".into()]), "{word}");
        }
    }
    assert_eq!(find("/dev/xvda").unwrap().node, "dev/xvda");
    let error = find("/dev/kmsg").unwrap_err().to_string();
    assert!(error.ends_with("/dev/kmsg is no block device"), "{error}");
}
