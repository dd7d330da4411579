//! A directory that plays a machine with these files, and runs of `xvdguard` on it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::programs::{self, Ran};
use serde_json::Value;
use tempfile::TempDir;

/// Long enough for any of these runs on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

/// EX_CONFIG (sysexits.h).
pub const WRONG: Option<i32> = Some(78);

/// The root directory of a machine.
pub struct Machine {
    folder: TempDir,
}

impl Machine {
    /// With these files, each by its path below the root.
    pub fn with(files: &[(&str, &str)]) -> Machine {
        let machine = Machine { folder: tempfile::tempdir().unwrap() };
        files.iter().for_each(|(path, text)| machine.write(path, text));
        machine
    }

    /// With this text as its only file of configuration.
    pub fn configured(text: &str) -> Machine {
        Machine::with(&[("etc/xvdguard/config.toml", text)])
    }

    /// Writes a file.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.within(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A path below the root.
    pub fn within(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The root directory as messages show it.
    pub fn shown(&self) -> String {
        self.folder.path().to_str().unwrap().to_owned()
    }

    /// Runs `xvdguard` with this root.
    pub fn run<W: AsRef<OsStr>>(&self, words: &[W]) -> Ran {
        let mut command = programs::command("xvdguard").unwrap();
        command.arg("--root").arg(self.folder.path()).args(words);
        programs::run(command, LIMIT).unwrap()
    }

    /// `config check` of a configuration that is wrong: what is said, without the path of the root.
    pub fn said(&self) -> String {
        let ran = self.run(&["config", "check"]);
        assert_eq!((ran.code, ran.out().as_str()), (WRONG, ""), "{}", ran.err());
        ran.err().replace(&self.shown(), "")
    }

    /// `config show --json` of one that is right.
    pub fn values(&self) -> Value {
        let ran = self.run(&["--json", "config", "show"]);
        assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{}", ran.out());
        serde_json::from_str::<Value>(&ran.out()).unwrap()["values"].take()
    }
}
