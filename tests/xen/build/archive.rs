//! Packages of any Debian suite, from the archive that apt on this machine is configured for.
//!
//! Each suite has lists and a configuration of its own below target/xen, so that the machine's apt
//! never learns of it; packages are unpacked there and never installed. apt checks signatures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::failure::{Failure, Result, Tried};
use harness::program;

use super::cache::Cache;

/// What apt shall take for installed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// Nothing: what is unpacked has to stand alone.
    Nothing,
    /// What this machine has: what is unpacked runs here.
    ThisMachine,
}

/// One suite of the archive.
#[derive(Debug)]
pub struct Suite {
    configuration: PathBuf,
    folder: PathBuf,
}

impl Suite {
    /// A suite and its updates; `extra` names further ones (`bookworm-backports`).
    pub fn open(cache: &Cache, name: &str, extra: &[&str], status: Installed) -> Result<Suite> {
        let folder = cache.place(&format!("apt/{name}-{status:?}"))?;
        for below in ["lists/partial", "cache/archives/partial"] {
            let path = folder.join(below);
            fs::create_dir_all(&path).tried(format_args!("make {}", path.display()))?;
        }
        let suite = Suite { configuration: folder.join("apt.conf"), folder };
        suite.write("sources.list", &sources(name, extra)?)?;
        suite.write("empty", "")?;
        suite.write("apt.conf", &suite.configured(status))?;
        suite.apt("apt-get", &["update"])?;
        Ok(suite)
    }

    fn configured(&self, status: Installed) -> String {
        let own = self.folder.display();
        let status = match status {
            Installed::Nothing => format!("{own}/empty"),
            Installed::ThisMachine => "/var/lib/dpkg/status".into(),
        };
        format!(
            "Dir::Etc::sourcelist \"{own}/sources.list\";\nDir::Etc::sourceparts \"-\";\n\
             Dir::Etc::preferences \"-\";\nDir::Etc::preferencesparts \"-\";\n\
             Dir::State::lists \"{own}/lists\";\nDir::State::status \"{status}\";\n\
             Dir::Cache \"{own}/cache\";\nAcquire::Languages \"none\";\nAcquire::Retries \"3\";\n\
             APT::Sandbox::User \"root\";\nAPT::Install-Recommends \"false\";\n\
             APT::Get::Assume-Yes \"true\";\n"
        )
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).tried(format_args!("write {}", path.display()))
    }

    fn apt(&self, name: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(name);
        command.args(arguments).env("APT_CONFIG", &self.configuration).env("LC_ALL", "C");
        program::output(command.current_dir(&self.folder))
    }

    /// The packages that these depend on, with all below; for finding names with a version in them.
    pub fn below(&self, packages: &[&str]) -> Result<Vec<String>> {
        const HARD: [&str; 8] = [
            "depends",
            "--recurse",
            "--no-recommends",
            "--no-suggests",
            "--no-conflicts",
            "--no-breaks",
            "--no-replaces",
            "--no-enhances",
        ];
        let listed = self.apt("apt-cache", &[&HARD[..], packages].concat())?;
        let names = listed.lines().filter(|line| line.starts_with(|c: char| c.is_alphanumeric()));
        Ok(names.map(str::to_owned).collect())
    }

    /// Unpacks these packages into a folder, with all they need that is not installed.
    pub fn unpack_with_needs(&self, packages: &[&str], into: &Path) -> Result<()> {
        let archives = self.folder.join("cache/archives");
        remove_packages(&archives)?;
        self.apt("apt-get", &[&["install", "--download-only"], packages].concat())?;
        unpack_all(&archives, into)
    }

    /// Unpacks just these.
    pub fn unpack(&self, packages: &[&str], into: &Path) -> Result<()> {
        remove_packages(&self.folder)?;
        self.apt("apt-get", &[&["download"], packages].concat())?;
        unpack_all(&self.folder, into)?;
        remove_packages(&self.folder)
    }

    /// The version of a package that apt would take.
    pub fn version(&self, package: &str) -> Result<String> {
        let shown = self.apt("apt-cache", &["show", "--no-all-versions", package])?;
        let version = shown.lines().find_map(|line| line.strip_prefix("Version: "));
        let missing = || Failure::new(format!("the archive has no package {package}"));
        version.map(str::to_owned).ok_or_else(missing)
    }
}

/// The keys of every suite, in the package debian-archive-keyring.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where Debian's archive is, for this machine's apt.
pub fn mirror() -> Result<String> {
    place("Debian")
}

fn place(label: &str) -> Result<String> {
    const FORMAT: &str = "$(LABEL)|$(REPO_URI)";
    let asked = ["indextargets", "--format", FORMAT, "Created-By: Packages", "Origin: Debian"];
    let targets = program::run("apt-get", &asked)?;
    let mut known = targets.lines().filter_map(|line| line.split_once('|'));
    let found = known.find(|(of, _)| *of == label).map(|(_, uri)| uri.to_owned());
    let missing = || Failure::new(format!("apt knows no archive of {label}. Do: apt-get update"));
    found.ok_or_else(missing)
}

/// sources.list(5) for a suite: the places are those that this machine's own suite comes from.
fn sources(name: &str, extra: &[&str]) -> Result<String> {
    let line = |uri: &str, suite: &str| format!("deb [signed-by={KEYS}] {uri} {suite} main\n");
    let main = place("Debian")?;
    let mut lines: Vec<String> =
        [name].iter().chain(extra).map(|suite| line(&main, suite)).collect();
    // Unstable has no security updates of its own.
    if name != "sid" {
        lines.push(line(&place("Debian-Security")?, &format!("{name}-security")));
    }
    Ok(lines.concat())
}

fn packages_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).tried(format_args!("look into {}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|end| end == "deb")).collect())
}

fn remove_packages(folder: &Path) -> Result<()> {
    for package in packages_in(folder)? {
        fs::remove_file(&package).tried(format_args!("remove {}", package.display()))?;
    }
    Ok(())
}

fn unpack_all(from: &Path, into: &Path) -> Result<()> {
    let packages = packages_in(from)?;
    if packages.is_empty() {
        return Err(Failure::new(format!("apt left no package in {}", from.display())));
    }
    fs::create_dir_all(into).tried(format_args!("make {}", into.display()))?;
    for package in packages {
        let extract = ["--extract".as_ref(), package.as_os_str(), into.as_os_str()];
        program::run("dpkg-deb", &extract)?;
    }
    Ok(())
}
