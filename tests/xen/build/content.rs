//! A name for everything of xvdguard that a Debian guest carries, so that its disk is made again
//! when any of it has changed. Reads files, never writes one.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use harness::failure::{Result, Tried};
use harness::{program, programs};

/// Where the files of xvdguard lie in the repository that are installed beside its programs.
const INSTALLED: [&str; 4] = ["initramfs", "udev-rules", "packaging", "Makefile"];

/// The top of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// A name for it, by content.
pub fn content() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let programs = ["xvdguard", "xvdguard-early"].map(programs::path);
    let mut files = vec![program::ours()?];
    for program in programs {
        files.push(program?);
    }
    for name in INSTALLED {
        add(&repository().join(name), &mut files)?;
    }
    for file in files {
        let bytes = fs::read(&file).tried(format_args!("read {}", file.display()))?;
        hasher.write(&bytes);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files at and below a path, in an order of their own.
fn add(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).tried(format_args!("look into {}", path.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().try_for_each(|path| add(path, files))
}
