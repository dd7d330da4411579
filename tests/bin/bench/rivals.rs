//! What an administrator would write instead: shell scripts around xenstore-read.
//!
//! They only read. What xvdguard does beside that (sysfs, kernel log, verdicts, its report) they
//! leave out, so the ratios are kind to them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::failure::{Result, Tried};
use harness::program;
use xvdguard_logic::vbd::keys::{BACKEND_DECISIVE, FRONTEND_DECISIVE};

use crate::bench::Bench;
use crate::guest::Guest;
use crate::measure::{self, Sample};

/// What a backend rewrites when it refuses: early boot reads it a second time, after its flushes.
const FEATURES: &str = "feature-flush-cache feature-barrier";

/// A shell script.
#[derive(Debug)]
pub struct Script {
    file: PathBuf,
    shell: PathBuf,
}

impl Script {
    /// The keys that early boot reads, with a process for each key.
    pub fn key_by_key(bench: &Bench) -> Result<Script> {
        let (frontend, backend) = keys();
        let body = format!(
            "for vbd in $(xenstore-list device/vbd); do\n\
             backend=$(xenstore-read device/vbd/$vbd/backend)\n\
             for key in {frontend}; do xenstore-read device/vbd/$vbd/$key; done\n\
             for key in {backend}; do xenstore-read $backend/$key; done\n\
             for key in {FEATURES}; do xenstore-read $backend/$key; done\n\
             done\n"
        );
        Script::new(bench, "key-by-key", &body)
    }

    /// The same keys, with a process for each directory: several keys in one call. It ends at the
    /// first key that is missing, so this works only where all are there, as here.
    pub fn vbd_by_vbd(bench: &Bench) -> Result<Script> {
        let (frontend, backend) = keys();
        let body = format!(
            "below() {{ folder=$1; shift; for key; do printf '%s ' $folder/$key; done; }}\n\
             for vbd in $(xenstore-list device/vbd); do\n\
             backend=$(xenstore-read device/vbd/$vbd/backend)\n\
             xenstore-read $(below device/vbd/$vbd {frontend})\n\
             xenstore-read $(below $backend {backend})\n\
             xenstore-read $(below $backend {FEATURES})\n\
             done\n"
        );
        Script::new(bench, "vbd-by-vbd", &body)
    }

    /// What a rule for the queue of xvda needs to know of its backend.
    pub fn queue(bench: &Bench) -> Result<Script> {
        let body = "backend=$(xenstore-read device/vbd/51712/backend)\n\
                    for key in type params script physical-device-path; do\n\
                    xenstore-read $backend/$key\n\
                    done\n";
        Script::new(bench, "queue", body)
    }

    /// Every node of the guest's disks and their backends.
    pub fn list(bench: &Bench) -> Result<Script> {
        let body = "xenstore-ls -f device/vbd\nxenstore-ls -f /local/domain/0/backend/vbd\n";
        Script::new(bench, "list", body)
    }

    fn new(bench: &Bench, name: &str, body: &str) -> Result<Script> {
        let file = bench.within(&format!("{name}.sh"));
        fs::write(&file, body).tried(format_args!("write {}", file.display()))?;
        let shell = program::find("dash").unwrap_or_else(|| PathBuf::from("/bin/sh"));
        Ok(Script { file, shell })
    }

    /// Runs it against the guest's xenstored.
    pub fn run(&self, bench: &Bench, guest: &Guest) -> Result<Sample> {
        let mut command: Command = bench.command(&self.shell)?;
        command.arg("-e").arg(&self.file).env("XENSTORED_PATH", guest.socket());
        measure::process(command)
    }
}

fn keys() -> (String, String) {
    (FRONTEND_DECISIVE.join(" "), BACKEND_DECISIVE.join(" "))
}
