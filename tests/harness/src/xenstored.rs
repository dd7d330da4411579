//! Xen's own xenstored, without Xen: each instance with a directory and a socket of its own.
//!
//! `tests/prepare` unpacks the program and compiles the shim that stands in for the hypervisor.
//! Every client is domain 0, so relative paths resolve below `/local/domain/0` and permissions do
//! not bite. Reads and writes go through the programs of xenstore-utils, never through the
//! client that is under test.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::deadline;
use crate::failure::{Failure, Result, Tried};
use crate::helper::Helper;
use crate::program;
use crate::scratch::Scratch;

/// A running xenstored; dropping it ends it and removes its directory.
#[derive(Debug)]
pub struct Xenstored {
    server: Helper,
    socket: PathBuf,
    _directory: Scratch,
}

/// It listens within milliseconds; this is for a machine that is busy with other tests.
const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// Pairs in one call of xenstore-write; far below the limit of execve(2).
const PAIRS_AT_ONCE: usize = 200;

/// The folder with the unpacked program, or why it cannot be used.
pub fn installed() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target/xenstored");
    for file in ["xenstored", "shim.so"].map(|name| folder.join(name)) {
        std::fs::metadata(&file)
            .tried(format_args!("find {}, which tests/prepare makes", file.display()))?;
    }
    for name in ["xenstore-write", "xenstore-read", "xenstore-ls", "xenstore-rm"] {
        if program::find(name).is_none() {
            return Err(Failure::new(format!("needs {name}, which tests/prepare installs")));
        }
    }
    Ok(folder)
}

impl Xenstored {
    /// Starts an empty store and waits until it listens.
    pub fn start() -> Result<Xenstored> {
        let programs = installed()?;
        let directory = Scratch::new("xenstored")?;
        let socket = directory.path().join("socket");
        let mut command = Command::new(programs.join("xenstored"));
        command
            .arg("--no-fork")
            .env("LD_PRELOAD", programs.join("shim.so"))
            .env("XENSTORED_RUNDIR", directory.path())
            .env("XENSTORED_ROOTDIR", directory.path())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Helper::start(command)?;
        deadline::seen(STARTS_WITHIN, || UnixStream::connect(&socket).ok())
            .ok_or_else(|| Failure::new("xenstored does not listen on its socket"))?;
        Ok(Xenstored { server, socket, _directory: directory })
    }

    /// The socket to connect to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its process id, for a test that looks at it from outside.
    pub fn pid(&self) -> i32 {
        self.server.pid().as_raw_nonzero().get()
    }

    /// Writes one value. Waits while the store is frozen.
    pub fn write(&self, path: &str, value: &str) -> Result<()> {
        self.write_all(&[(path, value)])
    }

    /// Writes many values, few processes for all of them.
    pub fn write_all<P: AsRef<str>, V: AsRef<str>>(&self, pairs: &[(P, V)]) -> Result<()> {
        for some in pairs.chunks(PAIRS_AT_ONCE) {
            let mut command = self.client("xenstore-write");
            command.arg("--"); // a value may begin with a dash
            for (path, value) in some {
                command.arg(path.as_ref()).arg(escaped(value.as_ref()));
            }
            program::output(&mut command)?;
        }
        Ok(())
    }

    /// The value at a path, as it is stored; `None` where there is none, or no store.
    pub fn read(&self, path: &str) -> Option<String> {
        program::output(self.client("xenstore-read").args(["-R", path])).ok()
    }

    /// Removes a path and all below it.
    pub fn remove(&self, path: &str) -> Result<()> {
        program::output(self.client("xenstore-rm").arg(path)).map(drop)
    }

    /// What `xenstore-ls -f` prints: every path with its value.
    pub fn listing(&self) -> Result<String> {
        program::output(self.client("xenstore-ls").arg("-f"))
    }

    /// Stops it where it is: connections are accepted by the kernel, but nothing is answered.
    pub fn freeze(&self) -> Result<()> {
        self.server.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> Result<()> {
        self.server.signal(Signal::CONT)
    }

    /// Ends it: connections break, and the socket stays as a file that nobody serves.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("XENSTORED_PATH", &self.socket);
        command
    }
}

/// xenstore-write undoes backslash escapes in values.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\")
}
