//! Runs a program of the system to its end and returns what it printed.
//!
//! Never goes through a shell, never leaves the program running: for those see `helper`.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::failure::{Failure, Result, Tried};

/// Runs `name` with `arguments` and returns its standard output; any exit but 0 is a failure that
/// holds what it said.
pub fn run<A: AsRef<OsStr>>(name: &str, arguments: &[A]) -> Result<String> {
    output(Command::new(name).args(arguments))
}

/// The same for a command with an environment or a working directory of its own.
pub fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().tried(format_args!("run {command:?}"))?;
    let text = String::from_utf8_lossy;
    if status.success() {
        return Ok(text(&stdout).into_owned());
    }
    let said = format!("{}{}", text(&stdout), text(&stderr));
    Err(Failure::new(format!("{command:?} ended with {status}: {}", said.trim_end())))
}

/// Where a program is: in `PATH`, or where root's programs are although `PATH` may not say so.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| Path::is_file(file))
}

/// The file of the program that runs. Asked for once, and before the mounts change: in a chroot,
/// procfs tells it by another path after that.
pub fn ours() -> Result<PathBuf> {
    static OURS: OnceLock<Result<PathBuf>> = OnceLock::new();
    OURS.get_or_init(|| env::current_exe().tried("find the program that runs")).clone()
}
