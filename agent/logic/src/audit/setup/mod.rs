//! How the machine is set up: files of the administrator and of the kernel, as values.
//!
//! `wanted` says which files there are to look at, `Setup::from_files` reads them. What cannot be
//! understood is left out. Never reads a file itself: `xvdguard-linux` gathers them.

mod devices;
mod kept;
mod kernel_lines;
mod lines;
mod parameters;
mod stages;
mod units;
mod wanted;

use alloc::string::String;
use alloc::vec::Vec;

use crate::fstab::Fstab;
use crate::mountinfo::{self, Mount};
use crate::text::Text;

pub use devices::{ErrorCount, Partition, Watchdog};
pub use kept::kept;
pub use kernel_lines::{KernelLine, Word};
pub use lines::{Line, LineKind};
pub use parameters::{ModuleOption, Sysctl};
pub use stages::Stages;
pub use units::MountUnit;
pub use wanted::{Kind, WANTED, Wanted, matches};

/// A file that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Below the root, without a leading slash.
    pub path: Text,
    /// What it is.
    pub kind: Kind,
    /// What is in it; none for a mark, which only exists, and for what could not be read.
    pub content: Option<Text>,
    /// Whether it could be read, or be seen where it is a mark.
    pub is_readable: bool,
}

/// What the machine is configured as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// `/etc/fstab`.
    pub fstab: Fstab,
    /// Mount units with options.
    pub mount_units: Vec<MountUnit>,
    /// Everything that is mounted.
    pub mounts: Vec<Mount>,
    /// Block devices in use as swap space, by path.
    pub swaps: Vec<Text>,
    /// Lines that a boot loader hands to a kernel.
    pub kernel_lines: Vec<KernelLine>,
    /// `options` of modprobe.d(5).
    pub module_options: Vec<ModuleOption>,
    /// Kernel variables, live and as files set them.
    pub sysctls: Vec<Sysctl>,
    /// Watchdog devices.
    pub watchdogs: Vec<Watchdog>,
    /// Partitions of xvd disks.
    pub partitions: Vec<Partition>,
    /// Errors that ext4 has counted.
    pub error_counts: Vec<ErrorCount>,
    /// Lines of scripts, rules and tables that a rule may be about.
    pub lines: Vec<Line>,
    /// What is known of the boot.
    pub stages: Stages,
}

impl Default for Setup {
    fn default() -> Self {
        Setup::from_files(&[])
    }
}

impl Setup {
    /// Reads the files; their order is that of `WANTED`, by path within each.
    pub fn from_files(files: &[File]) -> Setup {
        let mut setup = Setup {
            fstab: Fstab::parse(b""),
            mount_units: Vec::new(),
            mounts: Vec::new(),
            swaps: Vec::new(),
            kernel_lines: Vec::new(),
            module_options: Vec::new(),
            sysctls: Vec::new(),
            watchdogs: devices::watchdogs(files),
            partitions: devices::partitions(files),
            error_counts: devices::error_counts(files),
            lines: Vec::new(),
            stages: Stages::from_files(files),
        };
        files.iter().for_each(|file| setup.take(file));
        setup
    }

    fn take(&mut self, file: &File) {
        let Some(content) = &file.content else { return };
        match file.kind {
            Kind::Fstab => self.fstab = Fstab::parse(content.as_bytes()),
            Kind::MountUnit => self.mount_units.extend(units::mount_unit(file)),
            Kind::Mountinfo => self.mounts = mountinfo::parse(content.as_bytes()).0,
            Kind::Swaps => self.swaps = swaps(content),
            Kind::Modprobe => self.module_options.extend(parameters::module_options(file)),
            Kind::Sysctl => {
                self.sysctls.extend(parameters::from_file(file));
                self.lines.extend(lines::of_interest(file));
            }
            Kind::LiveSysctl => self.sysctls.extend(parameters::live(file)),
            Kind::Boot(form) => self.kernel_lines.extend(kernel_lines::read(file, form)),
            Kind::Lines(_) => {
                self.lines.extend(lines::of_interest(file));
                self.kernel_lines.extend(kernel_lines::of_guests(file));
            }
            Kind::Release | Kind::Sysfs | Kind::Configuration | Kind::Mark => {}
        }
    }
}

/// The partitions of `/proc/swaps`: its second column says `partition`.
fn swaps(content: &Text) -> Vec<Text> {
    let lines = content.as_bytes().split(|byte| *byte == b'\n').skip(1);
    let fields = |line: &[u8]| -> Option<Text> {
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        let path = fields.next()?;
        (fields.next()? == b"partition").then(|| mountinfo::unescape(path))
    };
    lines.filter_map(fields).collect()
}

impl File {
    /// Its lines, numbered from 1, without blanks around them.
    fn numbered(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let content = self.content.as_ref().map_or(&[][..], Text::as_bytes);
        let lines = content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.enumerate().map(|(index, line)| (index + 1, line))
    }

    /// A line of it, as findings name it.
    fn place(&self, line: usize) -> String {
        alloc::format!("/{}:{line}", self.path)
    }
}
