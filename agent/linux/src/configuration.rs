//! The files of the configuration as bytes: which there are, in the order in which they count.
//!
//! Knows nothing of what stands in them. A file that cannot be read is in the list with its error:
//! whoever took it for absent would act against the administrator's word.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;
use xvdguard_logic::text::Text;

use crate::error::{Error, Result};
use crate::root::{Root, read_whole};

/// Where all of it lies.
const ABOVE: &[u8] = b"etc/xvdguard";

/// The file that comes first.
const MAIN: &[u8] = b"etc/xvdguard/config.toml";

/// The folder whose files come after it, by name.
const FOLDER: &[u8] = b"etc/xvdguard/config.d";

/// What a file in the folder must end with.
const SUFFIX: &[u8] = b".toml";

/// No person writes more, and no program should.
const MAX_BYTES: usize = 256 << 10;

/// One file.
#[derive(Debug)]
pub struct ConfigFile {
    /// As a person would type it.
    pub name: Text,
    /// What stands in it.
    pub content: Result<Vec<u8>>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files that count, the strongest last.
    pub files: Vec<ConfigFile>,
    /// What lies in the folder and is not read for its name; hidden files aside.
    pub passed_over: Vec<Text>,
}

/// The files below this root. None at all is a configuration too: the defaults.
pub fn find(root: &Root) -> Found {
    let mut found = Found::default();
    let main = read(root, MAIN);
    let is_missing = matches!(&main, Err(error) if error.errno() == Some(Errno::NOENT));
    if !is_missing || is_broken_link(root) {
        found.files.push(ConfigFile { name: root.shown(MAIN), content: main });
    }
    match list(root) {
        Ok(names) => names.iter().for_each(|name| found.add(root, name)),
        Err(error) => {
            found.files.push(ConfigFile { name: root.shown(FOLDER), content: Err(error) });
        }
    }
    found
}

/// A link that leads nowhere is missing as well, but somebody wanted it to be there.
fn is_broken_link(root: &Root) -> bool {
    let (_, name) = MAIN.split_at(ABOVE.len() + 1);
    root.enter(ABOVE).is_ok_and(|folder| folder.is_link(name))
}

impl Found {
    fn add(&mut self, root: &Root, name: &Text) {
        if name.starts_with(".") {
            return;
        }
        let path = [FOLDER, b"/", name.as_bytes()].concat();
        if !name.as_bytes().ends_with(SUFFIX) {
            self.passed_over.push(root.shown(&path));
            return;
        }
        self.files.push(ConfigFile { name: root.shown(&path), content: read(root, &path) });
    }
}

/// The names in the folder, sorted; none where there is no folder.
fn list(root: &Root) -> Result<Vec<Text>> {
    match root.open(FOLDER, OFlags::DIRECTORY | OFlags::PATH) {
        Ok(_) => root.list(FOLDER),
        Err(Errno::NOENT) => Ok(Vec::new()),
        Err(errno) => Err(Error::system("list", root.shown(FOLDER), errno)),
    }
}

/// The one file that a person named, from the working directory on. It may be a pipe.
pub fn named(path: &Path) -> Found {
    let path = path.as_os_str().as_bytes();
    let opened = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let content = content(opened, &Text::from(path), |kind| {
        matches!(kind, FileType::RegularFile | FileType::Fifo)
    });
    Found { files: vec![ConfigFile { name: Text::from(path), content }], passed_over: Vec::new() }
}

fn read(root: &Root, path: &[u8]) -> Result<Vec<u8>> {
    // Without NONBLOCK, a pipe that nobody writes to would never be open.
    let opened = root.open(path, OFlags::RDONLY | OFlags::NONBLOCK);
    content(opened, &root.shown(path), |kind| kind == FileType::RegularFile)
}

fn content(
    opened: std::result::Result<OwnedFd, Errno>,
    name: &Text,
    is_wanted: impl Fn(FileType) -> bool,
) -> Result<Vec<u8>> {
    let failed = |errno| Error::system("read", name.clone(), errno);
    let refused = |why: &str| Err(Error::content("read", name.clone(), why));
    let file = opened.map_err(failed)?;
    let stat = fs::fstat(&file).map_err(failed)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::Directory {
        return refused("it is a directory, and must be a file");
    }
    if !is_wanted(kind) {
        return refused("it is no regular file");
    }
    if usize::try_from(stat.st_size).is_ok_and(|size| size > MAX_BYTES) {
        return refused(TOO_LARGE);
    }
    match read_whole(file.as_fd()) {
        Ok(content) if content.len() > MAX_BYTES => refused(TOO_LARGE),
        Ok(content) => Ok(content),
        Err(errno) => Err(failed(errno)),
    }
}

const TOO_LARGE: &str = "it has more than 256 KiB, and no configuration is that large";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn sample(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("etc/xvdguard/config.d")).unwrap();
        for (name, content) in files {
            std::fs::write(dir.path().join("etc/xvdguard").join(name), content).unwrap();
        }
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        (dir, root)
    }

    fn names(found: &Found) -> Vec<String> {
        let name = |file: &ConfigFile| file.name.to_string().rsplit('/').next().unwrap().to_owned();
        found.files.iter().map(name).collect()
    }

    /// What is said of the last file.
    fn said(found: &Found) -> String {
        found.files.last().unwrap().content.as_ref().unwrap_err().to_string()
    }

    #[test]
    fn the_folder_comes_after_the_file_and_by_name() {
        let (_dir, root) = sample(&[
            ("config.d/20.toml", "b"),
            ("config.d/100.toml", "a"),
            ("config.toml", "first"),
            ("config.d/.30.toml", "hidden"),
            ("config.d/40.toml~", "left by an editor"),
        ]);
        let found = find(&root);
        assert_eq!(names(&found), ["config.toml", "100.toml", "20.toml"]);
        assert_eq!(found.files[0].content, Ok(b"first".to_vec()));
        assert_eq!(found.passed_over.len(), 1);
        assert!(found.passed_over[0].contains("config.d/40.toml~"), "{:?}", found.passed_over);
    }

    #[test]
    fn no_file_at_all_is_no_error() {
        let (dir, root) = sample(&[]);
        assert!(find(&root).files.is_empty());
        std::fs::remove_dir_all(dir.path().join("etc")).unwrap();
        assert!(find(&root).files.is_empty());
    }

    #[test]
    fn what_is_there_and_cannot_be_read_is_never_taken_for_absent() {
        let (dir, root) = sample(&[]);
        let within = |path: &str| dir.path().join("etc/xvdguard").join(path);
        std::fs::create_dir(within("config.d/a.toml")).unwrap();
        assert!(said(&find(&root)).contains("it is a directory"));
        symlink("nowhere", within("config.d/b.toml")).unwrap();
        assert!(said(&find(&root)).contains("No such file"), "{}", said(&find(&root)));
        symlink("c.toml", within("config.d/c.toml")).unwrap();
        assert!(said(&find(&root)).contains("symbolic link"), "{}", said(&find(&root)));
        std::fs::File::create(within("config.d/d.toml")).unwrap().set_len(2 << 20).unwrap();
        assert!(said(&find(&root)).contains("more than 256 KiB"));
        let pipe = within("config.d/e.toml");
        fs::mkfifoat(fs::CWD, &pipe, Mode::RUSR).unwrap();
        assert!(said(&find(&root)).contains("no regular file"), "{}", said(&find(&root)));
        std::fs::remove_dir_all(within("config.d")).unwrap();
        symlink("nowhere", within("config.toml")).unwrap();
        assert!(said(&find(&root)).contains("No such file"), "{}", said(&find(&root)));
        std::fs::write(within("config.d"), "").unwrap();
        assert!(said(&find(&root)).contains("Not a directory"), "{}", said(&find(&root)));
    }

    #[test]
    fn a_named_file_is_the_only_one() {
        let (dir, _root) = sample(&[("config.toml", "x"), ("other", "named")]);
        let found = named(&dir.path().join("etc/xvdguard/other"));
        assert_eq!(found.files.len(), 1);
        assert_eq!(found.files[0].content, Ok(b"named".to_vec()));
        assert!(said(&named(dir.path())).contains("it is a directory"));
        assert!(said(&named(Path::new("/no/such"))).contains("No such file"));
        assert!(said(&named(Path::new("/dev/zero"))).contains("no regular file"));
    }
}
