//! A storage that fails on command: one file, kept in memory by a server process, that refuses,
//! delays or never answers reads, writes and flushes.
//!
//! A loop device on `file()` is a disk with these faults, and the kernel above it is the real
//! one. The server (`tests/bin/faulty_storage`) holds its mount by a descriptor and is reached
//! through `/proc/<pid>/fd`: the mount is in no namespace, and when the server ends, by whatever
//! signal, the kernel ends the mount and answers all that hangs with ENOTCONN. So dropping this
//! never waits for a hanging request. Never keeps a byte on a real disk.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;

use crate::failure::{Failure, Result, Tried};
use crate::fault::{Answer, Fault};
use crate::helper::{self, Helper};

/// A running server; dropping it ends it.
#[derive(Debug)]
pub struct FaultyStorage {
    _server: Helper,
    folder: PathBuf,
}

/// What the server has seen, as its file `counters` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Reads, answered or not.
    pub reads: u64,
    /// Writes and discards.
    pub writes: u64,
    /// Flushes.
    pub fsyncs: u64,
    /// Reads that were refused.
    pub failed_reads: u64,
    /// Writes and discards that were refused.
    pub failed_writes: u64,
    /// Flushes that were refused.
    pub failed_fsyncs: u64,
    /// Requests that wait for an answer because of `Answer::Hang`.
    pub hanging: u64,
}

impl FaultyStorage {
    /// Starts a server with a file of so many zero bytes. It takes memory for what is written.
    pub fn start(size_bytes: u64) -> Result<FaultyStorage> {
        let mut command = Command::new(helper::binary("faulty_storage")?);
        command.arg(size_bytes.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = Helper::start(command)?;
        let mut said = String::new();
        BufReader::new(server.take_output()?)
            .read_line(&mut said)
            .tried("hear from the server of the faulty storage")?;
        let Some(descriptor) = said.trim_end().strip_prefix("ready ") else {
            return Err(Failure::new(format!("the faulty storage did not start: {said}")));
        };
        let folder = format!("/proc/{}/fd/{descriptor}", server.pid().as_raw_nonzero());
        Ok(FaultyStorage { _server: server, folder: PathBuf::from(folder) })
    }

    /// The file to make a disk of. To be opened, not resolved: `/proc/<pid>/fd/<n>` is no symlink
    /// that realpath(3) could follow.
    pub fn file(&self) -> PathBuf {
        self.folder.join("disk")
    }

    /// Sets one fault; it holds for every request that is not yet answered.
    pub fn set(&self, fault: Fault) -> Result<()> {
        self.set_all(&[fault])
    }

    /// Sets several at once.
    pub fn set_all(&self, faults: &[Fault]) -> Result<()> {
        let lines: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
        let control = self.folder.join("control");
        let opened = OpenOptions::new().write(true).open(&control);
        opened
            .and_then(|mut file| file.write_all(lines.as_bytes()))
            .tried(format_args!("write {lines:?} to {}", control.display()))
    }

    /// Ends every fault; what hangs is answered now.
    pub fn heal(&self) -> Result<()> {
        let [reads, writes, flushes] = Fault::everything(Answer::Ok);
        self.set_all(&[reads, writes, flushes, Fault::DelayMs(0)])
    }

    /// Flushes that arrived, answered or not.
    pub fn fsyncs(&self) -> Result<u64> {
        Ok(self.counters()?.fsyncs)
    }

    /// All that is counted.
    pub fn counters(&self) -> Result<Counters> {
        let path = self.folder.join("counters");
        let text = fs::read_to_string(&path).tried(format_args!("read {}", path.display()))?;
        text.parse()
    }
}

impl Counters {
    fn fields(&mut self) -> [(&'static str, &mut u64); 7] {
        [
            ("reads", &mut self.reads),
            ("writes", &mut self.writes),
            ("fsyncs", &mut self.fsyncs),
            ("failed_reads", &mut self.failed_reads),
            ("failed_writes", &mut self.failed_writes),
            ("failed_fsyncs", &mut self.failed_fsyncs),
            ("hanging", &mut self.hanging),
        ]
    }

    /// One line: `reads=N writes=N …`.
    pub fn to_line(mut self) -> String {
        self.fields().map(|(name, value)| format!("{name}={value}")).join(" ") + "\n"
    }
}

impl FromStr for Counters {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Counters> {
        let mut counters = Counters::default();
        for word in line.split_whitespace() {
            let unknown = || Failure::new(format!("unknown counter: {word:?}"));
            let (name, value) = word.split_once('=').ok_or_else(unknown)?;
            let fields = counters.fields().into_iter().find(|(known, _)| *known == name);
            let (_, field) = fields.ok_or_else(unknown)?;
            *field = value.parse().map_err(|_| unknown())?;
        }
        Ok(counters)
    }
}
