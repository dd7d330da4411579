//! What every chapter uses: the programs as they are shipped, and a folder in memory.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::failure::{Failure, Result, Tried};
use harness::loop_device;
use harness::mount::Mounted;
use harness::scratch::Scratch;

/// Where things are.
#[derive(Debug)]
pub struct Bench {
    programs: PathBuf,
    memory: Mounted,
    _scratch: Scratch,
}

impl Bench {
    /// Finds the programs and makes the folder. Loop devices that killed tests left are listed by
    /// this kernel among the disks, and whoever reads all disks would pay for them.
    pub fn new() -> Result<Bench> {
        loop_device::remove_all_unused()?;
        let programs = env::var_os("XVDGUARD_BIN_DIR").map(PathBuf::from);
        let programs = programs.ok_or_else(|| Failure::new("run this by: make bench"))?;
        let scratch = Scratch::new("bench")?;
        let memory =
            Mounted::new(Path::new("tmpfs"), &scratch.path().join("memory"), "tmpfs", "size=2g")?;
        Ok(Bench { programs, memory, _scratch: scratch })
    }

    /// A program as it is shipped.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// A path in memory.
    pub fn within(&self, name: &str) -> PathBuf {
        self.memory.target().join(name)
    }

    /// Where the last run of a command wrote what it said.
    pub fn output(&self) -> PathBuf {
        self.within("output")
    }

    /// A command that reads nothing and writes to `output`: a file, since some programs do less
    /// where nobody reads them.
    pub fn command(&self, program: &Path) -> Result<Command> {
        let path = self.output();
        let output = File::create(&path).tried(format_args!("make {}", path.display()))?;
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        Ok(command)
    }
}
