//! The files of the repository, read once for all tests.
//!
//! What git tracks or would track, so a new file is held to the rules before it is added, and
//! build output never is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::syntax::{self, Facts};

/// One file: its path from the root of the repository, its text, and for Rust what is in it.
#[derive(Debug, Clone)]
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    /// The content; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// What stands in it, where it is Rust.
    pub facts: Option<Facts>,
}

impl Source {
    /// Takes the text of a file and, for Rust, looks into it.
    pub fn new(path: &str, text: &str) -> Self {
        let facts = path.ends_with(".rs").then(|| syntax::read(text));
        Source { path: path.to_owned(), text: text.to_owned(), facts }
    }

    /// Whether the file lies below `folder` (which has no `/` at its end).
    pub fn is_below(&self, folder: &str) -> bool {
        is_below(&self.path, folder)
    }

    /// Whether the file is data that a test reads, and so free of the rules for what people write.
    pub fn is_fixture(&self) -> bool {
        self.path.split('/').any(|part| part == "fixtures")
    }

    /// Whether the whole file is test code: the tests crate, and modules under `#[cfg(test)]`.
    pub fn is_test(&self, test_modules: &[String]) -> bool {
        self.is_below("tests") || test_modules.iter().any(|module| is_module(&self.path, module))
    }

    /// The first line, empty where there is none.
    pub fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or("")
    }
}

/// Whether `path` lies below `folder` (which has no `/` at its end).
pub fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether `path` is the file or lies in the folder of a module, given without `.rs`.
fn is_module(path: &str, module: &str) -> bool {
    path.strip_suffix(".rs") == Some(module) || is_below(path, module)
}

/// The modules, as paths without `.rs`, that are declared under `#[cfg(test)]` in another file.
pub fn test_modules(sources: &[Source]) -> Vec<String> {
    let mut modules = Vec::new();
    for source in sources {
        let Some(facts) = &source.facts else { continue };
        let folder = module_folder(&source.path);
        modules.extend(facts.test_modules.iter().map(|name| format!("{folder}/{name}")));
    }
    modules
}

/// The folder in which the modules of a file lie.
fn module_folder(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    ["/mod", "/lib", "/main"].iter().find_map(|root| stem.strip_suffix(root)).unwrap_or(stem)
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of the repository, read on first use.
pub fn sources() -> Result<&'static [Source], &'static str> {
    static SOURCES: OnceLock<Result<Vec<Source>, String>> = OnceLock::new();
    SOURCES.get_or_init(read).as_deref().map_err(String::as_str)
}

fn read() -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for path in list(&["-co", "--exclude-standard"])? {
        let full = root().join(&path);
        // A tracked file may be gone from the checkout; a link is judged where it points.
        if full.symlink_metadata().is_ok_and(|file| file.is_file()) {
            let bytes = std::fs::read(&full).map_err(|why| format!("cannot read {path}: {why}"))?;
            sources.push(Source::new(&path, &String::from_utf8_lossy(&bytes)));
        }
    }
    Ok(sources)
}

/// What `git ls-files` lists with these options.
pub fn list(options: &[&str]) -> Result<Vec<String>, String> {
    let mut git = Command::new("git");
    // In a container the checkout often belongs to somebody else.
    git.args(["-c", "safe.directory=*", "ls-files", "-z"]).args(options).current_dir(root());
    let output = git.output().map_err(|why| format!("cannot run git: {why}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(names.split_terminator('\0').map(str::to_owned).collect())
}

#[test]
fn this_file_is_in_the_list() {
    assert!(sources().unwrap().iter().any(|source| source.path == "tests/tidy/tree.rs"));
}

#[test]
fn a_test_module_in_its_own_file_is_test_code() {
    let above = Source::new("agent/x/src/mount.rs", "#[cfg(test)]\nmod tests;\nmod table;\n");
    let modules = test_modules(&[above]);
    let is_test = |path| Source::new(path, "").is_test(&modules);
    assert!(is_test("agent/x/src/mount/tests.rs"));
    assert!(is_test("agent/x/src/mount/tests/more.rs"));
    assert!(!is_test("agent/x/src/mount/table.rs"));
    assert!(is_test("tests/faults/main.rs"));
}

#[test]
fn modules_of_a_crate_root_lie_beside_it() {
    assert_eq!(module_folder("agent/x/src/lib.rs"), "agent/x/src");
    assert_eq!(module_folder("agent/x/src/disk/mod.rs"), "agent/x/src/disk");
    assert_eq!(module_folder("agent/x/src/disk.rs"), "agent/x/src/disk");
}
