//! A loop device of our own: a block device on a file.
//!
//! Each is a new device of the kernel, never one that somebody used before: queue settings that
//! an earlier user left would otherwise be inherited. It is bound with "autoclear", so it is
//! unbound when the descriptor held here and the last mount are gone, also when this process is
//! killed. (An open descriptor is no claim: mounts and exclusive opens by others work.)
//! Never uses losetup: that resolves the path of the file first, and `/proc/<pid>/fd/<n>/disk`
//! can be opened but not resolved.

use std::fs::{self, File, OpenOptions};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::io::Errno;

use crate::deadline;
use crate::failure::{Failure, Result, Tried};

/// A bound loop device; dropping it unbinds and removes it, once nothing uses it any more.
#[derive(Debug)]
pub struct LoopDevice {
    number: u32,
    node: PathBuf,
    rdev: u64,
    bound: ManuallyDrop<File>,
}

/// Somebody's `losetup --find` may take a device that we just made; the next one is as good.
const ATTEMPTS: u32 = 50;
/// Unbinding waits for what the device has in flight, which may hang until the storage below,
/// dropped later, is gone: no need to wait for that here.
const UNBINDS_WITHIN: Duration = Duration::from_secs(1);
/// What still uses it now will for long: then the unused number is left to the kernel.
const GIVES_UP_AFTER: Duration = Duration::from_secs(30);
const LOOP_MAJOR: u32 = 7;

impl LoopDevice {
    /// Binds a new loop device to a file.
    pub fn attach(file: &Path) -> Result<LoopDevice> {
        let backing = OpenOptions::new()
            .read(true)
            .write(true)
            .open(file)
            .tried(format_args!("open {} for a loop device", file.display()))?;
        let control = open_control()?;
        for _ in 0..ATTEMPTS {
            let number = control::add(&control).tried("add a loop device")?;
            if let Some(device) = LoopDevice::bind(number, &backing)? {
                return device.with_a_write_cache();
            }
        }
        Err(Failure::new("others took every new loop device"))
    }

    /// Its number, N of loopN.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Its name, as in `/sys/block`.
    pub fn name(&self) -> String {
        format!("loop{}", self.number)
    }

    /// Its node in `/dev`.
    pub fn node(&self) -> &Path {
        &self.node
    }

    /// Its device number, as stat(2) gives it.
    pub fn rdev(&self) -> u64 {
        self.rdev
    }

    /// Its folder in sysfs.
    pub fn sysfs(&self) -> PathBuf {
        Path::new("/sys/block").join(self.name())
    }

    /// A file of its queue, without the newline.
    pub fn queue(&self, attribute: &str) -> Result<String> {
        let path = self.sysfs().join("queue").join(attribute);
        let text = fs::read_to_string(&path).tried(format_args!("read {}", path.display()))?;
        Ok(text.trim_end().to_owned())
    }

    /// Writes a file of its queue, such as `write_cache`.
    pub fn set_queue(&self, attribute: &str, value: &str) -> Result<()> {
        let path = self.sysfs().join("queue").join(attribute);
        fs::write(&path, value).tried(format_args!("write {value:?} to {}", path.display()))
    }

    /// `None` where somebody else was faster.
    fn bind(number: u32, backing: &File) -> Result<Option<LoopDevice>> {
        let node = PathBuf::from(format!("/dev/loop{number}"));
        make_node(&node, number)?;
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&node)
            .tried(format_args!("open {}", node.display()))?;
        match control::configure(&device, backing) {
            Err(Errno::BUSY) => Ok(None),
            Err(errno) => {
                drop(device);
                let _ = remove_unused(number);
                Err(errno).tried(format_args!("bind {}", node.display()))
            }
            Ok(()) => {
                let rdev = device.metadata().tried(format_args!("stat {}", node.display()))?.rdev();
                Ok(Some(LoopDevice { number, node, rdev, bound: ManuallyDrop::new(device) }))
            }
        }
    }

    /// Without it no file system would send a flush.
    fn with_a_write_cache(self) -> Result<LoopDevice> {
        self.set_queue("write_cache", "write back")?;
        Ok(self)
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // SAFETY: `bound` is not used again, `drop` runs once.
        let bound = unsafe { ManuallyDrop::take(&mut self.bound) };
        let number = self.number;
        deadline::within(UNBINDS_WITHIN, move || {
            drop(bound);
            // Refused while a mount or a hanging request still uses it.
            deadline::seen(GIVES_UP_AFTER, || remove_unused(number).ok());
        });
    }
}

/// Takes an unbound loop device away. A process that was killed leaves its devices so: unbound,
/// but still listed. Fails for a device that is in use.
pub fn remove_unused(number: u32) -> Result<()> {
    let removed = control::remove(&open_control()?, number);
    removed.map(drop).tried(format_args!("remove loop{number}"))
}

/// Takes away all that are unbound; only where nobody else is about to bind one.
pub fn remove_all_unused() -> Result<()> {
    for entry in fs::read_dir("/sys/block").tried("list /sys/block")?.flatten() {
        let number =
            entry.file_name().to_str().and_then(|name| name.strip_prefix("loop")?.parse().ok());
        // Refused: somebody uses it.
        number.into_iter().for_each(|number| drop(remove_unused(number)));
    }
    Ok(())
}

fn open_control() -> Result<OwnedFd> {
    let opened = OpenOptions::new().read(true).write(true).open("/dev/loop-control");
    opened.map(OwnedFd::from).tried("open /dev/loop-control")
}

/// devtmpfs has made it already; a plain folder in a container has not.
fn make_node(node: &Path, number: u32) -> Result<()> {
    let mode = Mode::RUSR | Mode::WUSR;
    match mknodat(CWD, node, FileType::BlockDevice, mode, makedev(LOOP_MAJOR, number)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno).tried(format_args!("make {}", node.display())),
    }
}

/// The ioctls of linux/loop.h.
mod control {
    use std::ffi::c_void;

    use rustix::fd::AsFd;
    use rustix::io::Result;
    use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, Setter, ioctl};

    use super::{AsRawFd, File};

    const LOOP_CONFIGURE: Opcode = 0x4c0a;
    const LOOP_CTL_ADD: Opcode = 0x4c80;
    const LOOP_CTL_REMOVE: Opcode = 0x4c81;
    const LO_FLAGS_AUTOCLEAR: u32 = 4;
    /// For LOOP_CTL_ADD: the lowest number that is free.
    const ANY: isize = -1;

    /// `struct loop_config` around `struct loop_info64`, of which only the flags are set.
    #[repr(C)]
    struct LoopConfig {
        fd: u32,
        block_size: u32,
        device_to_size_limit: [u64; 5],
        number_to_key_size: [u32; 3],
        flags: u32,
        names_keys_and_reserve: [u64; 30],
    }

    const _: () = assert!(size_of::<LoopConfig>() == 304);

    /// An ioctl of /dev/loop-control: its argument is a number, its result is one.
    struct Control<const OPCODE: Opcode>(isize);

    // SAFETY: both opcodes take a number, not an address, and write nowhere.
    unsafe impl<const OPCODE: Opcode> Ioctl for Control<OPCODE> {
        type Output = u32;
        const IS_MUTATING: bool = false;

        fn opcode(&self) -> Opcode {
            OPCODE
        }

        fn as_ptr(&mut self) -> *mut c_void {
            std::ptr::without_provenance_mut(self.0 as usize)
        }

        unsafe fn output_from_ptr(result: IoctlOutput, _: *mut c_void) -> Result<u32> {
            Ok(result as u32)
        }
    }

    pub fn add(control: impl AsFd) -> Result<u32> {
        // SAFETY: see `Control`.
        unsafe { ioctl(control, Control::<LOOP_CTL_ADD>(ANY)) }
    }

    pub fn remove(control: impl AsFd, number: u32) -> Result<u32> {
        // SAFETY: see `Control`.
        unsafe { ioctl(control, Control::<LOOP_CTL_REMOVE>(number as isize)) }
    }

    pub fn configure(device: &File, backing: &File) -> Result<()> {
        let config = LoopConfig {
            fd: backing.as_raw_fd() as u32,
            block_size: 0,
            device_to_size_limit: [0; 5],
            number_to_key_size: [0; 3],
            flags: LO_FLAGS_AUTOCLEAR,
            names_keys_and_reserve: [0; 30],
        };
        // SAFETY: LOOP_CONFIGURE reads a `struct loop_config`, whose layout and size this has.
        unsafe { ioctl(device, Setter::<LOOP_CONFIGURE, LoopConfig>::new(config)) }
    }
}
