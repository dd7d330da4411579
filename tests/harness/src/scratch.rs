//! Directories that go away, whatever happens.
//!
//! All of a process lie below one folder in /var/tmp (which, unlike /tmp and /run, is not mounted
//! `nodev` by common systems: guests need device nodes). A *keeper*, a small shell, waits for this
//! process to end, however it ends, then unmounts what is left below that folder and removes it.
//! Never removes across a mount: what cannot be unmounted is left where it is.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use rustix::mount::{UnmountFlags, unmount};

use crate::failure::{Result, Tried};

/// A directory, removed with all it holds when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

/// Waits for the end of its input, which comes when the process that holds the pipe is gone.
const KEEPER: &str = r#"trap '' HUP INT TERM; read -r _
awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | tac |
while read -r mount_point; do umount -l "$mount_point"; done
rm -rf --one-file-system "$1""#;

struct Base {
    path: PathBuf,
    /// The pipe that the keeper reads; the kernel closes it.
    _lifeline: Option<ChildStdin>,
}

/// How the path of every scratch directory of every process begins.
pub const ALL: &str = "/var/tmp/xvdguard-tests-";

static BASE: OnceLock<Result<Base>> = OnceLock::new();

impl Scratch {
    /// A new empty directory whose name begins with `name`.
    pub fn new(name: &str) -> Result<Scratch> {
        let base = BASE.get_or_init(make_base).as_ref().map_err(Clone::clone)?;
        let directory = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir_in(&base.path)
            .tried(format_args!("make a directory in {}", base.path.display()))?;
        Ok(Scratch { path: directory.keep() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let below = format!("{}/", self.path.display());
        for mount_point in mounts_below(&below).iter().rev() {
            let _ = unmount(mount_point, UnmountFlags::DETACH);
        }
        if mounts_below(&below).is_empty() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The folder of this process, where all its scratch directories are.
pub fn base() -> Result<&'static Path> {
    BASE.get_or_init(make_base).as_ref().map(|base| &*base.path).map_err(Clone::clone)
}

/// The mount points whose path begins with `start`, in this thread's mount namespace, oldest
/// first.
pub fn mounts_below(start: &str) -> Vec<PathBuf> {
    let mountinfo = fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default();
    let mount_points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4));
    mount_points.filter(|point| point.starts_with(start)).map(PathBuf::from).collect()
}

fn make_base() -> Result<Base> {
    let (folder, prefix) = ALL.rsplit_once('/').unwrap_or(("/", ALL));
    let path = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(folder)
        .tried(format_args!("make a directory in {folder}"))?
        .keep();
    let lifeline = start_keeper(&path).tried("start the keeper of the scratch directory")?;
    Ok(Base { path, _lifeline: lifeline })
}

fn start_keeper(path: &Path) -> io::Result<Option<ChildStdin>> {
    let mut keeper = Command::new("sh")
        .args(["-c", KEEPER, "xvdguard-tests-keeper"])
        .arg(path)
        .process_group(0)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(keeper.stdin.take())
}
