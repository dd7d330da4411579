//! Finds and reads the files; runs in a child.

use rustix::fs::FileType;
use rustix::io::Errno;
use xvdguard_logic::audit::setup::{File, Kind, WANTED, Wanted, matches};
use xvdguard_logic::text::Text;

use crate::error::Error;
use crate::root::Root;

/// Larger files are not what they should be; a grub.cfg of a big machine has some 50 KiB.
const MAX_BYTES: i64 = 512 * 1024;

/// So many files of one pattern; more would be no administrator's work.
const MAX_FILES: usize = 256;

/// All of them together; they go through a pipe, and into a recording.
const MAX_BYTES_IN_ALL: i64 = 8 * 1024 * 1024;

/// What was found, and what could not be read.
#[derive(Debug, Default)]
pub struct Gathered {
    /// In the order of `WANTED`, by path within each.
    pub files: Vec<File>,
    /// Each with path and errno.
    pub oddities: Vec<String>,
}

/// Who reads.
struct Gatherer<'a> {
    root: &'a Root,
    gathered: Gathered,
    /// How many files only root may read.
    denied: usize,
    /// Bytes of all contents.
    bytes: i64,
}

/// Reads everything.
pub fn gather(root: &Root) -> Gathered {
    let root = match root.reopen() {
        Ok(root) => root,
        Err(error) => {
            return Gathered { oddities: vec![error.to_string()], ..Gathered::default() };
        }
    };
    let gathered = Gathered::default();
    let mut gatherer = Gatherer { root: &root, gathered, denied: 0, bytes: 0 };
    WANTED.iter().for_each(|wanted| gatherer.take(wanted));
    if gatherer.denied > 0 {
        let count = gatherer.denied;
        gatherer.say(format!("{count} files may be read by root only, ignoring them"));
    }
    gatherer.gathered
}

impl Gatherer<'_> {
    fn say(&mut self, oddity: String) {
        self.gathered.oddities.push(oddity);
    }

    fn take(&mut self, wanted: &Wanted) {
        let mut paths = self.expand(wanted.pattern);
        if paths.len() > MAX_FILES {
            let pattern = self.root.shown(wanted.pattern.as_bytes());
            self.say(format!(
                "{pattern}: {} files, only the first {MAX_FILES} are looked at",
                paths.len()
            ));
            paths.truncate(MAX_FILES);
        }
        for path in paths {
            if let Some(file) = self.file(path, wanted.kind) {
                self.gathered.files.push(file);
            }
        }
    }

    /// The paths that a pattern means. One without a `*` is not looked for here: opening it tells.
    fn expand(&self, pattern: &str) -> Vec<Vec<u8>> {
        let mut paths = vec![Vec::new()];
        for component in pattern.split('/') {
            let found = paths.iter().map(|path| self.below(path, component.as_bytes()));
            paths = found.collect::<Vec<_>>().concat();
        }
        paths
    }

    fn below(&self, folder: &[u8], component: &[u8]) -> Vec<Vec<u8>> {
        let joined = |name: &[u8]| match folder {
            b"" => name.to_vec(),
            _ => [folder, b"/", name].concat(),
        };
        if !component.contains(&b'*') {
            return vec![joined(component)];
        }
        // What cannot be listed holds nothing for the one who asks: cron's tables, for others
        // than root.
        let names =
            self.root.list(if folder.is_empty() { b"." } else { folder }).unwrap_or_default();
        let wanted = names.iter().filter(|name| matches(component, name.as_bytes()));
        wanted.map(|name| joined(name.as_bytes())).collect()
    }

    /// Bytes that the next file may have.
    fn room(&self) -> i64 {
        MAX_BYTES.min(MAX_BYTES_IN_ALL - self.bytes)
    }

    fn file(&mut self, path: Vec<u8>, kind: Kind) -> Option<File> {
        let root = self.root;
        let found = root.stat(&path).and_then(|stat| match kind {
            Kind::Mark => Ok(None),
            _ if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => Ok(None),
            _ if stat.st_size > self.room() => {
                let why = format!("{} bytes are more than there should be", stat.st_size);
                Err(Error::content("read", root.shown(&path), why))
            }
            _ => root.read(&path).map(|content| Some(Text::from(content))),
        });
        self.bytes += found.as_ref().ok().and_then(Option::as_ref).map_or(0, Text::len) as i64;
        let path = Text::from(path);
        match found {
            Ok(None) if kind != Kind::Mark => None,
            Ok(content) => Some(File { path, kind, content, is_readable: true }),
            Err(error) if error.is_missing() => None,
            Err(error) => {
                match error.errno() {
                    Some(Errno::ACCESS | Errno::PERM) => self.denied += 1,
                    _ => self.say(format!("{error}, ignoring")),
                }
                Some(File { path, kind, content: None, is_readable: false })
            }
        }
    }
}
