//! What was built stays below target/xen, by content: a part is built again when its recipe, the
//! text that decides what it is, has changed, and never otherwise.
//!
//! A part appears under its name only when it is whole. Versions of packages are those of the day
//! it was built; remove target/xen to get today's.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use harness::failure::{Failure, Result, Tried};
use rustix::fs::{FlockOperation, flock};

/// Two guest kernels unpacked, dom0, QEMU, and a run.
const NEEDED_BYTES: u64 = 4 << 30;

/// The folder with all parts, held by one run at a time.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    _lock: File,
}

impl Cache {
    /// Below the folder that cargo builds into.
    pub fn open() -> Result<Cache> {
        let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target");
        let folder = target.unwrap_or(beside).join("xen");
        fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))?;
        let room = rustix::fs::statvfs(&folder).tried("ask for free space")?;
        let free = room.f_bavail * room.f_frsize;
        if free < NEEDED_BYTES {
            let what = format!(
                "{} has {} MiB free, and the bed needs {}: make room",
                folder.display(),
                free >> 20,
                NEEDED_BYTES >> 20
            );
            return Err(Failure::new(what));
        }
        let lock = folder.join("lock");
        let lock = File::create(&lock).tried(format_args!("make {}", lock.display()))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .tried("hold target/xen: another run has it")?;
        Ok(Cache { folder, _lock: lock })
    }

    /// A folder that is there, for what is not built.
    pub fn place(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))?;
        Ok(folder)
    }

    /// The part, as it was built before or by `make` in a new folder.
    pub fn part(
        &self,
        name: &str,
        recipe: &[&str],
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        recipe.iter().for_each(|text| hasher.write(text.as_bytes()));
        let folder = self.folder.join(format!("{name}-{:016x}", hasher.finish()));
        if folder.is_dir() {
            return Ok(folder);
        }
        crate::say(&format!("building {name}"));
        self.remove_older(name)?;
        let new = self.folder.join(format!("{name}-unfinished"));
        fs::create_dir(&new).tried(format_args!("make {}", new.display()))?;
        make(&new)?;
        fs::rename(&new, &folder).tried(format_args!("name {}", folder.display()))?;
        Ok(folder)
    }

    fn remove_older(&self, name: &str) -> Result<()> {
        let what = || format!("look into {}", self.folder.display());
        for entry in fs::read_dir(&self.folder).tried(what())? {
            let path = entry.tried(what())?.path();
            let file_name = path.file_name().unwrap_or_default().to_string_lossy();
            if file_name.rsplit_once('-').is_some_and(|(part, _)| part == name) {
                fs::remove_dir_all(&path).tried(format_args!("remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}
