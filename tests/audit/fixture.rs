//! A guest's root directory as one text, so that a case shows at a glance what it is about.
//!
//! Head lines come first: sentences of what the case is about, `base: NAME` for the guest that it
//! changes (`fixtures/bases/NAME.txt`), `where: PLACE` and `says: WORDS` for what is expected. Then
//! `== PATH ==` and the file's content; `== PATH/ ==` is a folder, `== PATH -> TARGET ==` a link,
//! `== -PATH ==` takes something of the base away.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// One case.
pub struct Fixture {
    /// What findings of the rule must name, one line each.
    pub places: Vec<String>,
    /// Words that must stand in one of their texts.
    pub says: Vec<String>,
    base: Option<String>,
    parts: Vec<Part>,
}

enum Part {
    File(String, String),
    Folder(String),
    Link(String, String),
    Without(String),
}

/// The folder of all fixtures.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("audit/fixtures")
}

impl Fixture {
    /// Reads a case.
    pub fn read(path: &Path) -> Fixture {
        let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        let mut sections = text.split("\n== ");
        let head = sections.next().unwrap_or_default();
        let values = |key: &'static str| {
            let lines = head.lines().filter_map(move |line| line.strip_prefix(key));
            lines.map(|value| value.trim().to_owned())
        };
        Fixture {
            places: values("where:").collect(),
            says: values("says:").collect(),
            base: values("base:").next(),
            parts: sections.map(part).collect(),
        }
    }

    /// The base of that name.
    pub fn base(name: &str) -> Fixture {
        Fixture::read(&folder().join(format!("bases/{name}.txt")))
    }

    /// Makes the directory.
    pub fn expand(&self) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        self.lay(root.path());
        root
    }

    fn lay(&self, root: &Path) {
        if let Some(base) = &self.base {
            Fixture::base(base).lay(root);
        }
        for part in &self.parts {
            let place = |path: &str| {
                let place = root.join(path);
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                place
            };
            match part {
                Part::File(path, content) => fs::write(place(path), content).unwrap(),
                Part::Folder(path) => fs::create_dir_all(place(path)).unwrap(),
                Part::Link(path, target) => symlink(target, place(path)).unwrap(),
                Part::Without(path) if place(path).is_dir() => {
                    fs::remove_dir_all(place(path)).unwrap();
                }
                Part::Without(path) => {
                    fs::remove_file(place(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
                }
            }
        }
    }
}

fn part(section: &str) -> Part {
    let (head, content) = section.split_once('\n').unwrap_or((section, ""));
    let head = head.strip_suffix(" ==").unwrap_or_else(|| panic!("no == at the end: {head}"));
    if let Some((path, target)) = head.split_once(" -> ") {
        return Part::Link(path.into(), target.into());
    }
    if let Some(path) = head.strip_prefix('-') {
        return Part::Without(path.into());
    }
    if let Some(path) = head.strip_suffix('/') {
        return Part::Folder(path.into());
    }
    // The newline before the next section belongs to the content.
    Part::File(head.into(), format!("{}\n", content.trim_end_matches('\n')))
}
