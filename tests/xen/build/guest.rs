//! The root of a tiny guest: this program as its init, xvdguard's programs, a shell and what it
//! runs, modules; each program with the libraries that this machine would load for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::failure::{Failure, Result, Tried};
use harness::scratch::Scratch;
use harness::{program, programs};

use super::GuestKernel;
use super::cpio::Cpio;
use crate::guest::{AGENT, BUSYBOX, EARLY, OWN_INIT, TO_OWN_ROOT};

/// What a shell runs there.
const SCRIPTS: [(&str, &str); 3] = [
    (AGENT, include_str!("../guest/agent")),
    (TO_OWN_ROOT, include_str!("../guest/own-root")),
    (OWN_INIT, include_str!("../guest/own-init")),
];
/// What the agent, the stories and the daemon run beside busybox.
const TOOLS: [&str; 3] = ["xenstore-read", "xenstore-write", "e2fsck"];

/// An archive that a kernel takes for its first root.
pub fn root(kernel: &GuestKernel, scratch: &Scratch) -> Result<Vec<u8>> {
    let mut root = Cpio::default();
    let mut programs = vec![
        ("init".to_owned(), stripped(&program::ours()?, scratch)?),
        (below(EARLY), programs::path("xvdguard-early")?),
        ("bin/xvdguard".to_owned(), programs::path("xvdguard")?),
        (below(BUSYBOX), found("busybox")?),
    ];
    for tool in TOOLS {
        programs.push((format!("bin/{tool}"), found(tool)?));
    }
    let mut libraries = BTreeSet::new();
    for (_, program) in &programs {
        libraries.extend(needed(program)?);
    }
    let files = libraries.iter().map(|path| (below(path), PathBuf::from(path)));
    let files: Vec<_> = files.chain(programs).collect();
    let folders: BTreeSet<&Path> =
        files.iter().flat_map(|(path, _)| Path::new(path).ancestors().skip(1)).collect();
    for folder in folders.into_iter().filter(|folder| !folder.as_os_str().is_empty()) {
        root.folder(&folder.display().to_string());
    }
    for (path, from) in &files {
        root.copy(path, 0o755, from)?;
    }
    for name in ["sh", "mount", "umount"] {
        root.link(&format!("bin/{name}"), BUSYBOX);
    }
    for (path, script) in SCRIPTS {
        root.file(&below(path), 0o755, script.as_bytes());
    }
    root.folder("modules");
    root.tree(&kernel.folder.join("modules"), "modules/", &|_| true)?;
    Ok(root.finish())
}

fn below(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}

fn found(name: &str) -> Result<PathBuf> {
    program::find(name).ok_or_else(|| Failure::new(format!("this machine has no {name}")))
}

/// A copy without what only a debugger reads, since it would fill the guest's memory.
fn stripped(program: &Path, scratch: &Scratch) -> Result<PathBuf> {
    let to = scratch.path().join("stripped");
    program::run("strip", &["-o".as_ref(), to.as_os_str(), program.as_os_str()])?;
    Ok(to)
}

/// The libraries that a program needs, by their paths, as ldd(1) shows them; none where it is
/// static.
fn needed(program: &Path) -> Result<BTreeSet<String>> {
    let shown = std::process::Command::new("ldd").arg(program).env("LC_ALL", "C").output();
    let shown = shown.tried(format_args!("run ldd on {}", program.display()))?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    if let Some(missing) = shown.lines().find(|line| line.contains("not found")) {
        return Err(Failure::new(format!("{}: {}", program.display(), missing.trim())));
    }
    Ok(paths(&shown))
}

/// `libc.so.6 => /lib/…/libc.so.6 (0x…)` and `/lib64/ld-linux-x86-64.so.2 (0x…)`.
fn paths(shown: &str) -> BTreeSet<String> {
    let words = shown.lines().filter_map(|line| {
        line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned)
    });
    words.filter(|path| !path.ends_with(':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_what_ldd_shows() {
        let shown = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                     \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0)\n\
                     \t/lib64/ld-linux-x86-64.so.2 (0x00007f1)\n";
        let paths: Vec<String> = paths(shown).into_iter().collect();
        assert_eq!(paths, ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    }
}
