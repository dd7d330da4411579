//! The files of procfs, sysfs and `/run` that observation reads.

use xvdguard_linux::observe::block_devices::{QUEUE_ALL, SYS_BLOCK};
use xvdguard_linux::reports;
use xvdguard_linux::root::Root;
use xvdguard_logic::disk::Disk;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::text::Text;

use super::{Content, Entry};

const MACHINE: &[&str] = &[
    "proc/cmdline",
    "proc/self/mountinfo",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/random/boot_id",
    "proc/uptime",
    "proc/xen/capabilities",
    "sys/hypervisor/guest_type",
    "sys/hypervisor/properties/features",
    "sys/hypervisor/type",
    "sys/hypervisor/version/extra",
    "sys/hypervisor/version/major",
    "sys/hypervisor/version/minor",
];

/// The names of the machine: left out where they are not wanted.
pub const NAMES: &[&str] = &["proc/sys/kernel/hostname", "sys/hypervisor/uuid"];

const DISK: &[&str] = &["dev", "diskseq", "dm/name", "dm/uuid", "ro", "size", "removable"];

/// Reads them all; what does not exist is left out, what fails is noted.
pub fn read(root: &Root, seen: &mut Observation, anonymous: bool) -> Vec<Entry> {
    let is_silent = |disk: &&Disk| disk.device.as_ref().is_some_and(|one| one.queue_is_silent);
    let silent = seen.disks.iter().filter(is_silent).map(|disk| disk.name.clone()).collect();
    let mut reader = Reader { root, entries: Vec::new(), silent, oddities: &mut seen.oddities };
    let names = NAMES.iter().filter(|_| !anonymous);
    MACHINE.iter().chain(names).for_each(|path| reader.file(path.as_bytes()));
    for name in reports::ALL {
        reader.file(&join(reports::FOLDER, name.as_bytes()));
    }
    reader.bus();
    for name in reader.list(SYS_BLOCK) {
        reader.block_device(&name);
    }
    reader.entries
}

struct Reader<'a> {
    root: &'a Root,
    entries: Vec<Entry>,
    /// Disks whose queue did not answer: reading it here would hang.
    silent: Vec<Text>,
    oddities: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &[u8]) {
        match self.root.read(path) {
            Ok(bytes) => self.push(path, Content::File(bytes)),
            Err(error) if error.is_missing() => {}
            Err(error) => self.oddities.push(format!("{error}; it is not in the recording")),
        }
    }

    fn push(&mut self, path: &[u8], content: Content) {
        self.entries.push(Entry { path: path.to_vec(), content });
    }

    fn list(&mut self, path: &[u8]) -> Vec<Text> {
        self.root.list(path).unwrap_or_else(|error| {
            self.oddities.push(format!("{error}; it is not in the recording"));
            Vec::new()
        })
    }

    /// Which vbd has which block device.
    fn bus(&mut self) {
        const DEVICES: &[u8] = b"sys/bus/xen/devices";
        for vbd in self.list(DEVICES).iter().filter(|name| name.starts_with("vbd-")) {
            let vbd = join(DEVICES, vbd.as_bytes());
            self.push(&vbd, Content::Folder);
            let block = join(&vbd, b"block");
            for name in self.list(&block) {
                self.push(&join(&block, name.as_bytes()), Content::Folder);
            }
        }
    }

    fn block_device(&mut self, name: &Text) {
        let folder = join(SYS_BLOCK, name.as_bytes());
        DISK.iter().for_each(|file| self.file(&join(&folder, file.as_bytes())));
        let attributes = if self.silent.contains(name) { &[] } else { QUEUE_ALL };
        for attribute in attributes {
            self.file(&join(&folder, format!("queue/{attribute}").as_bytes()));
        }
        for list in ["slaves", "holders"] {
            let list = join(&folder, list.as_bytes());
            for device in self.list(&list) {
                self.push(&join(&list, device.as_bytes()), Content::Folder);
            }
        }
        let driver =
            self.root.enter(&folder).ok().and_then(|disk| disk.read_link(b"device/driver"));
        if let Some(driver) = driver {
            let target = Content::Link(driver.as_bytes().to_vec());
            self.push(&join(&folder, b"device/driver"), target);
        }
        for part in self.list(&folder) {
            if part.as_bytes().starts_with(name.as_bytes()) {
                self.file(&join(&join(&folder, part.as_bytes()), b"dev"));
            }
        }
    }
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    [folder, b"/", name].concat()
}
