//! QEMU, unpacked and never installed: of this machine's own suite with its backports, since 7.2
//! damages the registers of guests with a 6.12 kernel; and the suite's own 7.2 for PVH guests, which
//! 10.0 ends before their first line.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::failure::{Failure, Result};
use harness::program;

use super::archive::{Installed, Suite};
use super::cache::Cache;

const SUITE: &str = "bookworm";
const BACKPORTS: &str = "bookworm-backports";
const PACKAGE: &str = "qemu-system-x86";

/// QEMU as it lies in its folder.
#[derive(Debug)]
pub struct Emulator {
    folder: PathBuf,
    /// What `--version` says of the version.
    pub version: String,
}

/// Builds what is missing.
pub fn emulator(cache: &Cache) -> Result<Emulator> {
    // Backports are taken only where they are asked for.
    unpacked(cache, "qemu", &[BACKPORTS])
}

/// The same for PVH guests.
pub fn for_pvh(cache: &Cache) -> Result<Emulator> {
    unpacked(cache, "pvh_qemu", &[])
}

fn unpacked(cache: &Cache, name: &str, extra: &[&str]) -> Result<Emulator> {
    let recipe = [include_str!("emulator.rs")];
    let folder = cache.part(name, &recipe, |folder| {
        let suite = Suite::open(cache, SUITE, extra, Installed::ThisMachine)?;
        let release = extra.first().unwrap_or(&SUITE);
        suite.unpack_with_needs(&["--target-release", release, PACKAGE], folder)
    })?;
    let mut emulator = Emulator { folder, version: String::new() };
    let said = program::output(emulator.command().arg("--version"))?;
    let version = said.split_whitespace().skip_while(|word| *word != "version").nth(1);
    let unknown = || Failure::new(format!("QEMU does not say its version: {said}"));
    emulator.version = version.ok_or_else(unknown)?.to_owned();
    Ok(emulator)
}

impl Emulator {
    /// A command that runs it, with the libraries and the firmware that lie beside it.
    pub fn command(&self) -> Command {
        let below = |path: &str| self.folder.join(path);
        let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
        let libraries = libraries.map(|path| below(path).display().to_string()).join(":");
        let mut command = Command::new(below("usr/bin/qemu-system-x86_64"));
        command.env("LD_LIBRARY_PATH", libraries);
        command.env("QEMU_MODULE_DIR", below("usr/lib/x86_64-linux-gnu/qemu"));
        for firmware in ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"] {
            command.args([Path::new("-L"), &below(firmware)]);
        }
        command
    }
}
