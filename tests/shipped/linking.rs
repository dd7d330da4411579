//! What the programs need of the system they run on.

use std::process::Command;

use harness::program;

use crate::shipped;

/// Libraries as ldd names them; an empty list for a static program.
#[track_caller]
fn libraries(name: &str) -> Option<Vec<String>> {
    let path = shipped(name)?;
    let said = program::output(Command::new("ldd").arg(&path).env("LC_ALL", "C")).unwrap();
    if said.trim() == "statically linked" {
        return Some(Vec::new());
    }
    let first_words = said.lines().filter_map(|line| line.split_whitespace().next());
    Some(first_words.map(|path| path.rsplit('/').next().unwrap().to_owned()).collect())
}

#[test]
fn the_early_program_needs_no_library() {
    let Some(libraries) = libraries("xvdguard-early") else { return };
    assert_eq!(libraries, [""; 0]);
}

/// glibc, its loader, and gcc's unwinder are on every system. libudev is not in an image, and its
/// version differs between distributions.
#[test]
fn the_agent_needs_the_c_library_and_nothing_else() {
    let Some(libraries) = libraries("xvdguard") else { return };
    let known = ["linux-vdso.so", "ld-linux", "libc.so", "libgcc_s.so", "libm.so"];
    let others = |name: &&String| !known.iter().any(|known| name.starts_with(known));
    let others: Vec<&String> = libraries.iter().filter(others).collect();
    assert_eq!(others, [""; 0]);
    assert!(libraries.iter().any(|name| name.starts_with("libc.so")), "{libraries:?}");
}
