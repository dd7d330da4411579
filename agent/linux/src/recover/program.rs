//! A program of the system, run to its end by a child, with what it said.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use xvdguard_logic::text::Text;

use crate::error::Error;

/// What a program came to.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; 128 and the signal where one ended it.
    pub code: i32,
    /// Standard output.
    pub output: Vec<u8>,
    /// The last line that is not empty, of both outputs, for people.
    pub last_line: Text,
}

/// Where programs of root are; the environment of a daemon may not say so.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command with a plain environment.
pub fn command(name: &str, arguments: &[&[u8]]) -> Command {
    let mut command = Command::new(name);
    let arguments = arguments.iter().map(|bytes| OsString::from(OsStr::from_bytes(bytes)));
    command.args(arguments).env("PATH", PATH).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Runs it.
pub fn run(name: &str, arguments: &[&[u8]]) -> Result<Ran, Error> {
    let ran = command(name, arguments)
        .output()
        .map_err(|error| Error::from_errno("run", name, error.raw_os_error().unwrap_or(0)))?;
    let code = ran.status.code().unwrap_or(128 + ran.status.signal().unwrap_or(0));
    let said = [&ran.stdout[..], &ran.stderr].concat();
    let mut lines = said.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let last_line = Text::from(lines.next_back().unwrap_or_default());
    Ok(Ran { code, output: ran.stdout, last_line })
}
