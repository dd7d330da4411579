//! What the bed is made of, built where it is missing: QEMU, hypervisor and dom0, guest kernels.
//!
//! Programs that this needs from the machine are installed by apt, and named before. Everything
//! else is unpacked below target/xen. Never mounts, never binds a loop device, never enters a root.

mod archive;
mod cache;
mod content;
pub mod cpio;
pub mod debian;
pub mod dom0;
pub mod emulator;
pub mod guest;
mod image;
mod kernel;

use std::fs;
use std::path::PathBuf;

use harness::failure::{Result, Tried};
use harness::program;

pub use cache::Cache;

use archive::{Installed, Suite};

/// The programs that building runs, each with the package that has it.
const PROGRAMS: [(&str, &str); 13] = [
    ("busybox", "busybox-static"),
    ("debootstrap", "debootstrap"),
    ("gcc", "gcc"),
    ("gzip", "gzip"),
    ("ldd", "libc-bin"),
    ("lz4", "lz4"),
    ("make", "make"),
    ("mkfs.ext3", "e2fsprogs"),
    ("modprobe", "kmod"),
    ("strip", "binutils"),
    ("tar", "tar"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// The kernels that guests run, and the suite that has each; the last is whatever is newest.
const KERNELS: [(&str, &str); 4] =
    [("5.10", "bullseye"), ("6.1", "bookworm"), ("6.12", "trixie"), (NEWEST, "sid")];
const NEWEST: &str = "newest";
/// The one that also runs in a PVH guest, and how it is called there.
const PVH: (&str, &str) = ("6.1", "6.1-pvh");

/// A kernel that guests run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestKernel {
    /// `6.1`: how people call it.
    pub name: String,
    /// `uname -r`.
    pub release: String,
    /// Its files: `vmlinux` and `modules/`.
    pub folder: PathBuf,
    /// Whether its guests are PVH, and not PV.
    pub is_pvh: bool,
}

impl GuestKernel {
    /// Whatever runs in a PV guest.
    pub fn any(&self) -> bool {
        !self.is_pvh
    }

    /// Whatever runs in whichever guest.
    pub fn any_or_pvh(&self) -> bool {
        true
    }

    /// Whether it is that of the Debian in which stories are told.
    pub fn is_bookworms(&self) -> bool {
        self.name == "6.1"
    }

    /// The same of bullseye.
    pub fn is_bullseyes(&self) -> bool {
        self.name == "5.10"
    }

    /// The same of trixie.
    pub fn is_trixies(&self) -> bool {
        self.name == "6.12"
    }

    /// Whether blkfront goes on as if nothing were wrong when a flush failed.
    pub fn hides_failures(&self) -> bool {
        !self.switches_off()
    }

    /// Whether a flush that fails makes blkfront switch flushes off, as it did before Linux 6.11
    /// (drivers/block/xen-blkfront.c, "don't disable cache flushes when they fail").
    pub fn switches_off(&self) -> bool {
        let name = self.name.trim_end_matches("-pvh");
        let mut numbers = name.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        version < (6, 11)
    }
}

/// Installs what building needs and the machine lacks.
pub fn prepare() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(name, _)| program::find(name).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    crate::say(&format!("installing {}: building the bed runs them", missing.join(" ")));
    let install = [&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat();
    program::run("apt-get", &install).map(drop)
}

/// The kernels with this name, or all, built where they are missing.
pub fn guest_kernels(cache: &Cache, wanted: Option<&str>) -> Result<Vec<GuestKernel>> {
    let is_named = |name: &str| name == PVH.1 || KERNELS.iter().any(|(known, _)| *known == name);
    let mut kernels = Vec::new();
    for (called, suite) in KERNELS {
        if called == PVH.0 && wanted.is_none_or(|wanted| wanted == PVH.1) {
            let kernel = guest_kernel(cache, called, suite)?;
            kernels.push(GuestKernel { name: PVH.1.to_owned(), is_pvh: true, ..kernel });
        }
        // Whoever asks for 7.2 means the newest, if that is what it is.
        if wanted.is_some_and(|wanted| wanted != called && (is_named(wanted) || called != NEWEST)) {
            continue;
        }
        let kernel = guest_kernel(cache, called, suite)?;
        let is_wanted = wanted.is_none_or(|wanted| wanted == called || wanted == kernel.name);
        kernels.extend(is_wanted.then_some(kernel));
    }
    Ok(kernels)
}

fn guest_kernel(cache: &Cache, called: &str, suite: &str) -> Result<GuestKernel> {
    let recipe = [suite, include_str!("kernel.rs")];
    let folder = cache.part(&format!("kernel-{called}"), &recipe, |folder| {
        let suite = Suite::open(cache, suite, &[], Installed::Nothing)?;
        kernel::build_guest(&suite, folder)
    })?;
    let release = folder.join("release");
    let release = fs::read_to_string(&release).tried(format_args!("read {}", release.display()))?;
    let name = release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    Ok(GuestKernel { name, release, folder, is_pvh: false })
}
