//! The files of the configuration as bytes: which there are, in the order in which they count.
//!
//! Knows nothing of what stands in them. A file that cannot be read is in the list with its error:
//! whoever took it for absent would act against the administrator's word.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;
use xvdguard_logic::text::Text;

use crate::child::{self, Ending, Task};
use crate::error::{Error, Result};
use crate::job::{Job, Limit};
use crate::parcel::{push, take_mark, take_text};
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

/// What comes next in a parcel.
const CONTENT: u8 = b'c';
const UNREADABLE: u8 = b'u';
const PASSED_OVER: u8 = b'p';
const END: u8 = b'e';

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// As a person would type it.
    pub name: Text,
    /// What stands in it, or why it cannot be read, with its name.
    pub content: std::result::Result<Text, String>,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The files that count, the strongest last.
    pub files: Vec<ConfigFile>,
    /// What lies in the folder and is not read for its name; hidden files aside.
    pub passed_over: Vec<Text>,
}

/// The files below this root. None at all is a configuration too: the defaults. They lie on the
/// root file system, whose disk may be silent, so a child reads them.
pub fn find(root: &Root, deadline: Instant) -> Found {
    let started = Instant::now();
    let ending = child::run(in_child(root, None), deadline);
    Found::of(ending, &root.shown(ABOVE), started.elapsed())
}

/// The same for a loop that never waits, also of the one file that a person named: one that only
/// this process can open, a pipe of its own, cannot be read again.
#[derive(Debug)]
pub struct Reading {
    /// To be polled.
    pub job: Job,
    about: Text,
    within: Duration,
}

impl Reading {
    /// Begins to read.
    pub fn begin(root: &Root, named: Option<&Path>, within: Duration) -> Result<Reading> {
        let about = named.map_or_else(|| root.shown(ABOVE), shown);
        let job = Job::start(in_child(root, named), Limit::Within(within))?;
        Ok(Reading { job, about, within })
    }

    /// What was found, once the job is over.
    pub fn finish(self) -> Found {
        Found::of(Ok(self.job.finish()), &self.about, self.within)
    }
}

fn in_child<'a>(root: &'a Root, name: Option<&'a Path>) -> Task<'a> {
    Box::new(move || match (name, root.reopen()) {
        (Some(path), _) => named(path).pack(),
        (None, Ok(root)) => find_here(&root).pack(),
        (None, Err(error)) => Found::unreadable(&root.shown(ABOVE), &error).pack(),
    })
}

fn shown(path: &Path) -> Text {
    Text::from(path.as_os_str().as_bytes())
}

fn broken(folder: &Text) -> Error {
    let why = "the process that reads it ended before it was done";
    Error::content("read", folder.clone(), why)
}

fn find_here(root: &Root) -> Found {
    let mut found = Found::default();
    let main = read(root, MAIN);
    let is_missing = matches!(&main, Err(error) if error.errno() == Some(Errno::NOENT));
    if !is_missing || is_broken_link(root) {
        found.files.push(ConfigFile::new(root.shown(MAIN), main));
    }
    match list(root) {
        Ok(names) => names.iter().for_each(|name| found.add(root, name)),
        Err(error) => found.files.push(ConfigFile::new(root.shown(FOLDER), Err(error))),
    }
    found
}

/// A link that leads nowhere is missing as well, but somebody wanted it to be there.
fn is_broken_link(root: &Root) -> bool {
    let (_, name) = MAIN.split_at(ABOVE.len() + 1);
    root.enter(ABOVE).is_ok_and(|folder| folder.is_link(name))
}

impl ConfigFile {
    fn new(name: Text, content: Result<Vec<u8>>) -> Self {
        let content = content.map(Text::from).map_err(|error| error.to_string());
        ConfigFile { name, content }
    }
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
        self.files.push(ConfigFile::new(root.shown(&path), read(root, &path)));
    }

    fn of(ending: Result<Ending>, about: &Text, spent: Duration) -> Found {
        let answer = ending.and_then(|ending| match ending {
            Ending::Answered(answer) => Ok(answer),
            Ending::Died => Err(broken(about)),
            Ending::Silent => {
                Err(Error::timed_out("read", about.clone(), spent.as_millis() as u64))
            }
        });
        let found = answer.and_then(|answer| Found::unpack(&answer).ok_or_else(|| broken(about)));
        found.unwrap_or_else(|error| Found::unreadable(about, &error))
    }

    fn unreadable(folder: &Text, error: &Error) -> Found {
        let file = ConfigFile { name: folder.clone(), content: Err(error.to_string()) };
        Found { files: vec![file], passed_over: Vec::new() }
    }

    fn pack(&self) -> Vec<u8> {
        let mut parcel = Vec::new();
        for file in &self.files {
            let (mark, text) = match &file.content {
                Ok(content) => (CONTENT, content.as_bytes()),
                Err(error) => (UNREADABLE, error.as_bytes()),
            };
            parcel.push(mark);
            push(&mut parcel, file.name.as_bytes());
            push(&mut parcel, text);
        }
        for name in &self.passed_over {
            parcel.push(PASSED_OVER);
            push(&mut parcel, name.as_bytes());
        }
        parcel.push(END);
        parcel
    }

    /// Undoes `pack`; `None` for what is not whole.
    fn unpack(mut parcel: &[u8]) -> Option<Found> {
        let mut found = Found::default();
        loop {
            let mark = take_mark(&mut parcel)?;
            if mark == END {
                return parcel.is_empty().then_some(found);
            }
            let name = take_text(&mut parcel)?;
            let content = match mark {
                CONTENT => Ok(take_text(&mut parcel)?),
                UNREADABLE => Err(take_text(&mut parcel)?.as_str()?.to_owned()),
                PASSED_OVER => {
                    found.passed_over.push(name);
                    continue;
                }
                _ => return None,
            };
            found.files.push(ConfigFile { name, content });
        }
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

/// The one file that a person named, from the working directory on. It may be a pipe of this
/// process, so no child reads it: for commands, and for the first time.
pub fn named(path: &Path) -> Found {
    let opened = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let content = content(opened, &shown(path), |kind| {
        matches!(kind, FileType::RegularFile | FileType::Fifo)
    });
    let file = ConfigFile::new(shown(path), content);
    Found { files: vec![file], passed_over: Vec::new() }
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

    /// Through a child, as always.
    fn here(root: &Root) -> Found {
        let found = find(root, Instant::now() + Duration::from_secs(60));
        assert_eq!(found, find_here(root));
        found
    }

    fn names(found: &Found) -> Vec<String> {
        let name = |file: &ConfigFile| file.name.to_string().rsplit('/').next().unwrap().to_owned();
        found.files.iter().map(name).collect()
    }

    /// What is said of the last file.
    fn said(found: &Found) -> String {
        found.files.last().unwrap().content.clone().unwrap_err()
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
        let found = here(&root);
        assert_eq!(names(&found), ["config.toml", "100.toml", "20.toml"]);
        assert_eq!(found.files[0].content, Ok("first".into()));
        assert_eq!(found.passed_over.len(), 1);
        assert!(found.passed_over[0].contains("config.d/40.toml~"), "{:?}", found.passed_over);
    }

    #[test]
    fn no_file_at_all_is_no_error() {
        let (dir, root) = sample(&[]);
        assert!(here(&root).files.is_empty());
        std::fs::remove_dir_all(dir.path().join("etc")).unwrap();
        assert!(here(&root).files.is_empty());
    }

    #[test]
    fn what_is_there_and_cannot_be_read_is_never_taken_for_absent() {
        let (dir, root) = sample(&[]);
        let within = |path: &str| dir.path().join("etc/xvdguard").join(path);
        std::fs::create_dir(within("config.d/a.toml")).unwrap();
        assert!(said(&here(&root)).contains("it is a directory"));
        symlink("nowhere", within("config.d/b.toml")).unwrap();
        assert!(said(&here(&root)).contains("No such file"), "{}", said(&here(&root)));
        symlink("c.toml", within("config.d/c.toml")).unwrap();
        assert!(said(&here(&root)).contains("symbolic link"), "{}", said(&here(&root)));
        std::fs::File::create(within("config.d/d.toml")).unwrap().set_len(2 << 20).unwrap();
        assert!(said(&here(&root)).contains("more than 256 KiB"));
        let pipe = within("config.d/e.toml");
        fs::mkfifoat(fs::CWD, &pipe, Mode::RUSR).unwrap();
        assert!(said(&here(&root)).contains("no regular file"), "{}", said(&here(&root)));
        std::fs::remove_dir_all(within("config.d")).unwrap();
        symlink("nowhere", within("config.toml")).unwrap();
        assert!(said(&here(&root)).contains("No such file"), "{}", said(&here(&root)));
        std::fs::write(within("config.d"), "").unwrap();
        assert!(said(&here(&root)).contains("Not a directory"), "{}", said(&here(&root)));
    }

    #[test]
    fn half_a_parcel_is_none() {
        let (_dir, root) =
            sample(&[("config.toml", "x"), ("config.d/a", ""), ("config.d/b.toml", "")]);
        let parcel = find_here(&root).pack();
        assert_eq!(Found::unpack(&parcel), Some(find_here(&root)));
        for length in 0..parcel.len() {
            assert_eq!(Found::unpack(&parcel[..length]), None, "{length}");
        }
        assert_eq!(Found::unpack(&[&parcel[..], b"e"].concat()), None);
    }

    #[test]
    fn a_disk_that_does_not_answer_in_time_is_no_configuration_without_files() {
        let (_dir, root) = sample(&[("config.toml", "x")]);
        let found = find(&root, Instant::now());
        assert!(said(&found).contains("no answer within"), "{}", said(&found));
    }

    #[test]
    fn a_named_pipe_that_nobody_writes_to_costs_the_reader_alone() {
        let (dir, root) = sample(&[]);
        let pipe = dir.path().join("pipe");
        fs::mkfifoat(fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let mut reading = Reading::begin(&root, Some(&pipe), Duration::ZERO).unwrap();
        reading.job.wait();
        assert!(said(&reading.finish()).contains("no answer within"));
        let other = dir.path().join("etc/xvdguard/other");
        std::fs::write(&other, "named").unwrap();
        let far = Duration::from_secs(60);
        let mut reading = Reading::begin(&root, Some(&other), far).unwrap();
        reading.job.wait();
        assert_eq!(reading.finish(), named(&other));
    }

    #[test]
    fn a_named_file_is_the_only_one() {
        let (dir, _root) = sample(&[("config.toml", "x"), ("other", "named")]);
        let found = named(&dir.path().join("etc/xvdguard/other"));
        assert_eq!(found.files.len(), 1);
        assert_eq!(found.files[0].content, Ok("named".into()));
        assert!(said(&named(dir.path())).contains("it is a directory"));
        assert!(said(&named(Path::new("/no/such"))).contains("No such file"));
        assert!(said(&named(Path::new("/dev/zero"))).contains("no regular file"));
    }
}
