//! What every bed is made of, packed once for all: QEMU, Xen and dom0, and what dom0 finds in /bed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use harness::failure::{Result, Tried};
use harness::program;
use harness::scratch::Scratch;

use crate::build::debian::Debian;
use crate::build::dom0::Host;
use crate::build::emulator::Emulator;
use crate::build::{GuestKernel, guest};

/// All that beds need.
#[derive(Debug)]
pub struct Stock {
    /// QEMU.
    pub emulator: Emulator,
    /// Xen and dom0.
    pub host: Host,
    /// What QEMU shows to dom0 as disks: a tar that dom0 finds unpacked in `/bed`, and Debian's
    /// root where it is needed. Nothing is written to them.
    pub drives: Vec<PathBuf>,
    /// What stays.
    pub logs: PathBuf,
    _scratch: Scratch,
}

impl Stock {
    /// Packs a fresh file system, and kernel and root of each guest.
    pub fn new(
        (emulator, host): (Emulator, Host),
        debian: Option<&Debian>,
        kernels: &[GuestKernel],
        logs: PathBuf,
    ) -> Result<Stock> {
        let scratch = Scratch::new("xen")?;
        let payload = pack(&scratch, debian, kernels)?;
        let drives = [payload].into_iter().chain(debian.map(Debian::disk)).collect();
        Ok(Stock { emulator, host, drives, logs, _scratch: scratch })
    }
}

fn pack(scratch: &Scratch, debian: Option<&Debian>, kernels: &[GuestKernel]) -> Result<PathBuf> {
    let folder = scratch.path().join("bed");
    fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))?;
    make_disk(&folder.join("disk.ext3"))?;
    for kernel in kernels {
        let folder = folder.join(&kernel.name);
        fs::create_dir(&folder).tried(format_args!("make {}", folder.display()))?;
        symlink(kernel.folder.join("vmlinux"), folder.join("vmlinux")).tried("link the image")?;
        let root = guest::root(kernel, scratch)?;
        fs::write(folder.join("initrd"), root).tried("write a guest's root")?;
    }
    if let Some(debian) = debian {
        symlink(&debian.folder, folder.join("debian")).tried("link Debian")?;
    }
    let payload = scratch.path().join("payload.tar");
    let words = ["-c", "-h", "--exclude=debian/disk.ext3", "-f"].map(OsStr::new);
    let places = [payload.as_os_str(), "-C".as_ref(), folder.as_os_str(), ".".as_ref()];
    program::run("tar", &[&words[..], &places].concat())?;
    Ok(payload)
}

fn make_disk(path: &Path) -> Result<()> {
    let words = ["-q", "-F", "-b", "1024", "-E", "lazy_itable_init=0"].map(OsStr::new);
    program::run("mkfs.ext3", &[&words[..], &[path.as_os_str(), "8M".as_ref()]].concat()).map(drop)
}
