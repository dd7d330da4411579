//! Running `xvdguard explain`, and reading what it says.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::programs::{self, Ran};
use serde_json::Value;
use tempfile::TempDir;

/// Far more than any log here takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A folder beside this file.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("explain").join(name)
}

/// The logs of a folder, by name without its end.
pub fn logs(name: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let logs = entries.filter(|path| path.extension() == Some(OsStr::new("log")));
    let mut logs: Vec<_> =
        logs.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path)).collect();
    logs.sort();
    logs
}

/// Runs `xvdguard explain` with these arguments.
pub fn explain(arguments: &[&str]) -> Ran {
    let mut command = programs::command("xvdguard").unwrap();
    command.arg("explain").args(arguments);
    programs::run(command, LIMIT).unwrap()
}

/// The document of a log.
pub fn document(path: &Path) -> Value {
    let ran = explain(&["--json", &path.to_string_lossy()]);
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {ran:?}"))
}

/// A log that a test has written.
pub struct Log {
    folder: TempDir,
}

impl Log {
    /// With this content.
    pub fn new(content: impl AsRef<[u8]>) -> Log {
        let log = Log { folder: tempfile::tempdir().unwrap() };
        fs::write(log.path(), content).unwrap();
        log
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("kernel.log")
    }

    /// Runs `xvdguard explain` on it.
    pub fn explain(&self, arguments: &[&str]) -> Ran {
        let path = self.path();
        explain(&[arguments, &[&path.to_string_lossy()]].concat())
    }

    /// Its document.
    pub fn document(&self) -> Value {
        document(&self.path())
    }
}
