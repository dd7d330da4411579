//! A directory that plays a guest, for programs that take `--root`.
//!
//! It has what a small Xen guest has in proc, sys and dev. Its disks are loop devices: their node
//! carries the loop device's number and their folder in sysfs is the real one, so a flush and a
//! write to `queue/write_cache` are real. Everything else is plain files, to be written over with
//! `write`. Never holds a whole system: no init, no libraries, nothing to run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dev, FileType, Mode, major, makedev, minor, mknodat};

use crate::failure::{Result, Tried};
use crate::loop_device::LoopDevice;
use crate::mount::Mounted;
use crate::scratch::Scratch;

/// A guest's root directory; dropping it unmounts what it shows and removes it.
#[derive(Debug)]
pub struct GuestRoot {
    shown: Vec<Mounted>,
    folder: Scratch,
}

/// What a Linux 5.10 guest with one disk shows. The root file system is none of its vbds.
const FILES: [(&str, &str); 10] = [
    ("proc/cmdline", "root=/dev/vda1 ro console=hvc0\n"),
    ("proc/sys/kernel/osrelease", "5.10.0-30-amd64\n"),
    ("proc/self/mountinfo", "21 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"),
    ("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
    ("proc/xen/capabilities", ""),
    ("sys/hypervisor/type", "xen\n"),
    ("sys/hypervisor/guest_type", "PV\n"),
    ("sys/hypervisor/uuid", "aeb329f7-6d7a-4164-ba74-1b6e5bd7036d\n"),
    ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
    ("etc/fstab", ""),
];
const FOLDERS: [&str; 6] =
    ["dev", "run", "var/lib", "sys/block", "sys/class/block", "sys/bus/xen/devices"];

/// The character device of the kernel log: major of the memory devices, minor.
const KMSG: (u32, u32) = (1, 11);

impl GuestRoot {
    /// A guest without a vbd.
    pub fn new() -> Result<GuestRoot> {
        let guest = GuestRoot { shown: Vec::new(), folder: Scratch::new("guest")? };
        for (path, text) in FILES {
            guest.write(path, text)?;
        }
        for folder in FOLDERS {
            guest.make_folder(folder)?;
        }
        guest.make_node("dev/kmsg", FileType::CharacterDevice, makedev(KMSG.0, KMSG.1))?;
        Ok(guest)
    }

    /// The directory for `--root`.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path inside: `within("etc/fstab")`.
    pub fn within(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    /// Writes a file inside, with the folders above it.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let file = self.within(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).tried(format_args!("make {}", folder.display()))?;
        }
        fs::write(&file, text).tried(format_args!("write {}", file.display()))
    }

    /// Reads a file inside.
    pub fn read(&self, path: &str) -> Result<String> {
        let file = self.within(path);
        fs::read_to_string(&file).tried(format_args!("read {}", file.display()))
    }

    /// Gives the guest a disk: node, sysfs folder, and the device on the xenbus that ties `name`
    /// to the vbd.
    pub fn add_disk(&mut self, name: &str, vbd: u32, disk: &LoopDevice) -> Result<()> {
        self.make_node(&format!("dev/{name}"), FileType::BlockDevice, disk.rdev())?;
        let block = format!("sys/block/{name}");
        self.make_folder(&block)?;
        self.shown.push(Mounted::bind(&disk.sysfs(), &self.within(&block))?);
        self.link(&format!("../../block/{name}"), &format!("sys/class/block/{name}"))?;
        let number = format!("{}:{}", major(disk.rdev()), minor(disk.rdev()));
        self.link(&format!("../../block/{name}"), &format!("sys/dev/block/{number}"))?;
        let device = format!("sys/bus/xen/devices/vbd-{vbd}");
        self.write(&format!("{device}/nodename"), &format!("device/vbd/{vbd}\n"))?;
        self.write(&format!("{device}/devtype"), "vbd\n")?;
        self.write(&format!("{device}/state"), "Connected\n")?;
        self.make_folder(&format!("{device}/block/{name}"))
    }

    /// Makes the guest's mountinfo say that a disk is mounted. Mounts nothing.
    pub fn say_mounted(
        &self,
        name: &str,
        mount_point: &str,
        fstype: &str,
        super_options: &str,
    ) -> Result<()> {
        let so_far = self.read("proc/self/mountinfo")?;
        let number = self.read(&format!("sys/block/{name}/dev"))?;
        let id = 30 + so_far.lines().count();
        let line = format!(
            "{id} 21 {} / {mount_point} rw,relatime - {fstype} /dev/{name} {super_options}\n",
            number.trim_end()
        );
        self.write("proc/self/mountinfo", &(so_far + &line))
    }

    fn make_folder(&self, path: &str) -> Result<()> {
        let folder = self.within(path);
        fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))
    }

    fn make_node(&self, path: &str, kind: FileType, number: Dev) -> Result<()> {
        let node = self.within(path);
        mknodat(CWD, &node, kind, Mode::RUSR | Mode::WUSR, number)
            .tried(format_args!("make the device node {}", node.display()))
    }

    fn link(&self, target: &str, path: &str) -> Result<()> {
        let link = self.within(path);
        if let Some(folder) = link.parent() {
            fs::create_dir_all(folder).tried(format_args!("make {}", folder.display()))?;
        }
        symlink(target, &link).tried(format_args!("make the link {}", link.display()))
    }
}
