//! The guest as a machine: its kernel's file systems, modules, log, and device nodes.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::deadline;
use harness::failure::{Failure, Result, Tried};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::system::init_module;

/// Longer than connecting any number of disks takes on a busy machine.
const DISKS_WITHIN: Duration = Duration::from_secs(600);
/// The largest record of the kernel log (PRINTK_MESSAGE_MAX).
const RECORD_BYTES: usize = 8192;

/// Mounts what every initramfs mounts.
pub fn mount_kernel_file_systems() -> Result<()> {
    for (target, fstype) in
        [("/proc", "proc"), ("/sys", "sysfs"), ("/dev", "devtmpfs"), ("/run", "tmpfs")]
    {
        fs::create_dir_all(target).tried(format_args!("make {target}"))?;
        match mount(fstype, target, fstype, MountFlags::empty(), c"") {
            // Some kernels mount devtmpfs themselves.
            Ok(()) | Err(Errno::BUSY) => {}
            Err(errno) => return Err(errno).tried(format_args!("mount {target}")),
        }
    }
    Ok(())
}

/// Loads modules in the order of the file `order`. Some find no hardware in an emulated machine.
pub fn load_modules(folder: &Path) -> Result<()> {
    for name in read(folder.join("order"))?.lines() {
        let path = folder.join(name);
        let module = fs::read(&path).tried(format_args!("read {}", path.display()))?;
        match init_module(&module, c"") {
            Ok(()) | Err(Errno::EXIST | Errno::NODEV) => {}
            Err(errno) => return Err(errno).tried(format_args!("load {name}")),
        }
    }
    Ok(())
}

/// Waits until all of these device nodes are there.
pub fn wait_for(nodes: &[PathBuf]) -> Result<()> {
    let missing = || nodes.iter().find(|node| !node.exists());
    deadline::seen(DISKS_WITHIN, || missing().is_none().then_some(())).ok_or_else(|| {
        let missing = missing().map(|node| node.display().to_string()).unwrap_or_default();
        Failure::new(format!("no {missing} within {} s", DISKS_WITHIN.as_secs()))
    })
}

/// A file of the kernel's, without the end of its last line.
pub fn read(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).tried(format_args!("read {}", path.display()))?;
    Ok(text.trim_end().to_owned())
}

/// Writes a file, and makes the folder that it is in.
pub fn write(path: &str, text: &str) -> Result<()> {
    let folder = Path::new(path).parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).tried(format_args!("make {}", folder.display()))?;
    fs::write(path, text).tried(format_args!("write {path}"))
}

/// The kernel log from its first record, as `SECONDS text`.
pub fn kernel_log() -> Result<Vec<String>> {
    let flags = OFlags::NONBLOCK.bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open("/dev/kmsg");
    let mut log = opened.tried("open /dev/kmsg")?;
    let mut lines = Vec::new();
    while let Some(record) = next_record(&mut log)? {
        lines.extend(line(&record));
    }
    Ok(lines)
}

fn next_record(log: &mut File) -> Result<Option<String>> {
    let mut record = [0; RECORD_BYTES];
    loop {
        match log.read(&mut record) {
            Ok(length) => {
                return Ok(Some(String::from_utf8_lossy(&record[..length]).into_owned()));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            // EPIPE: overwritten meanwhile, the next read goes on behind the gap.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => return Err(error).tried("read /dev/kmsg"),
        }
    }
}

/// `priority,sequence,microseconds,flags;text`, and further lines about the device.
fn line(record: &str) -> Option<String> {
    let (head, text) = record.split_once(';')?;
    let us: u64 = head.split(',').nth(2)?.parse().ok()?;
    let text = text.lines().next()?;
    Some(format!("{}.{:06} {text}", us / 1_000_000, us % 1_000_000))
}
