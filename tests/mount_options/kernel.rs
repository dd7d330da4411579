//! Every word, mounted and remounted for real by mount(2), and what the grammar foretold.
//!
//! ext4 shows `nobarrier` in mountinfo while barriers are off, btrfs too; XFS, which has no such
//! option any more, shows nothing. A word that should switch barriers on is tried where they are
//! off. The table of what was foretold and what was seen is printed.

use std::fs;
use std::path::Path;

use harness::loop_device::LoopDevice;
use harness::mount::Mounted;
use harness::scratch::Scratch;
use harness::{program, requires};
use rustix::io::Errno;
use xvdguard_logic::grammar::{Barriers, Grammar, Prediction, When};
use xvdguard_logic::kernel_version::KernelRelease;
use xvdguard_logic::text::Text;

use crate::spellings;

/// The least that mkfs.xfs accepts is 300 MiB; the file is sparse.
const SIZE: u64 = 320 << 20;

/// What became of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Refused(Errno),
    /// Barriers as mountinfo shows them.
    Accepted(Barriers),
}

/// A formatted loop device, and where it is mounted.
struct Volume {
    fstype: &'static str,
    device: LoopDevice,
    folder: Scratch,
}

impl Volume {
    fn new(fstype: &'static str) -> Volume {
        let folder = Scratch::new("mount_options").unwrap();
        let file = folder.path().join("disk");
        fs::File::create(&file).unwrap().set_len(SIZE).unwrap();
        fs::create_dir(folder.path().join("mnt")).unwrap();
        let device = LoopDevice::attach(&file).unwrap();
        let node = device.node().as_os_str();
        program::run(&format!("mkfs.{fstype}"), &["-q".as_ref(), node]).unwrap();
        Volume { fstype, device, folder }
    }

    fn mount(&self, options: &str) -> Result<Mounted, Errno> {
        let target = self.folder.path().join("mnt");
        Mounted::attempt(self.device.node(), &target, self.fstype, options)
    }

    /// ext4 has its folder in sysfs also where it serves ext2 or ext3.
    fn driver(&self) -> &'static str {
        let mounted = self.mount("").unwrap();
        let by_ext4 = Path::new("/sys/fs/ext4").join(self.device.name()).exists();
        mounted.unmount().unwrap();
        if by_ext4 { "ext4" } else { self.fstype }
    }

    /// Mounts with the word behind what was `before`.
    fn try_mount(&self, before: &str, word: &str) -> Seen {
        match self.mount(&format!("{before},{word}")) {
            Ok(mounted) => seen(mounted),
            Err(errno) => Seen::Refused(errno),
        }
    }

    /// Mounts as `before`, then remounts with the word alone.
    fn try_remount(&self, before: &str, word: &str) -> Seen {
        let mounted = self.mount(before).unwrap();
        match mounted.remount(word) {
            Ok(()) => seen(mounted),
            Err(errno) => {
                mounted.unmount().unwrap();
                Seen::Refused(errno)
            }
        }
    }
}

fn seen(mounted: Mounted) -> Seen {
    let mountinfo = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let target = mounted.target().to_str().unwrap();
    let line = mountinfo.lines().find(|line| line.split(' ').nth(4) == Some(target)).unwrap();
    let options = line.rsplit(' ').next().unwrap();
    let off = options.split(',').any(|one| one == "nobarrier" || one == "barrier=0");
    mounted.unmount().unwrap();
    Seen::Accepted(if off { Barriers::Off } else { Barriers::On })
}

/// Whether the kernel did what was foretold, beginning with barriers on or off.
fn agree(foretold: Prediction, seen: Seen, began: Barriers) -> bool {
    match (foretold, seen) {
        (Prediction::Unknown, _) => true,
        (Prediction::Refused, seen) => seen == Seen::Refused(Errno::INVAL),
        (_, Seen::Refused(_)) => false,
        (Prediction::Accepted(Some(foretold)), Seen::Accepted(seen)) => seen == foretold,
        (_, Seen::Accepted(seen)) => seen == began,
    }
}

/// How it is mounted before the word comes: a change must be there to see.
fn before(fstype: &str, foretold: Prediction) -> &'static str {
    let switches_on = foretold == Prediction::Accepted(Some(Barriers::On));
    if switches_on && fstype != "xfs" { "nobarrier" } else { "" }
}

fn compare(fstype: &'static str) {
    let volume = Volume::new(fstype);
    let kernel = running();
    let (name, driver) = (Text::from(fstype), volume.driver());
    let grammar = Grammar::new(&name, &kernel).served_by(driver);
    assert!(grammar.is_known());
    let mut wrong = Vec::new();
    let mut table = format!("{fstype} by the {driver} driver, Linux {}\n", kernel.name);
    for word in spellings::all() {
        for when in [When::Mount, When::Remount] {
            let foretold = foretell(grammar, &word, when);
            let before = before(fstype, foretold);
            let seen = match when {
                When::Mount => volume.try_mount(before, &word),
                When::Remount => volume.try_remount(before, &word),
            };
            let line = row(when, &word, foretold, seen);
            table += &line;
            let began = if before.is_empty() { Barriers::On } else { Barriers::Off };
            if !agree(foretold, seen, began) {
                wrong.push(line);
            }
        }
    }
    println!("{table}");
    assert_eq!(wrong, [""; 0], "{fstype}");
}

/// A word that the table has no row for is one that the file system does not know.
fn foretell(grammar: Grammar<'_>, word: &str, when: When) -> Prediction {
    let word = Text::from(word);
    match grammar.predict(&word, When::Mount) {
        Prediction::Unknown => grammar.predict_unknown_option(when),
        _ => grammar.predict(&word, when),
    }
}

/// Several words, and none: what the grammar makes of all of them together.
fn compare_several(fstype: &'static str) {
    let volume = Volume::new(fstype);
    let kernel = running();
    let (name, driver) = (Text::from(fstype), volume.driver());
    let grammar = Grammar::new(&name, &kernel).served_by(driver);
    for words in ["", "nobarrier,barrier", "barrier,nobarrier", "barrier,noatime,nobarrier,ro"] {
        let options: Vec<Text> = words.split(',').map(Text::from).collect();
        let seen = volume.try_mount("", words);
        assert_eq!(grammar.barriers(&options).map(Seen::Accepted), Some(seen), "{fstype} {words}");
    }
}

fn running() -> KernelRelease {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    KernelRelease::parse(&Text::from(release.trim())).unwrap()
}

fn row(when: When, word: &str, foretold: Prediction, seen: Seen) -> String {
    let (when, foretold) = (format!("{when:?}"), format!("{foretold:?}"));
    let seen = match seen {
        Seen::Refused(errno) => errno.to_string(),
        Seen::Accepted(barriers) => format!("accepted, barriers {barriers:?}"),
    };
    format!("  {when:8} {word:24} {foretold:20} {seen}\n")
}

/// What all of these tests need.
#[track_caller]
fn required(fstype: &str) -> Option<requires::Met> {
    requires::loop_devices()?;
    requires::file_system(fstype)?;
    requires::program(&format!("mkfs.{fstype}"))?;
    requires::root()
}

#[test]
fn ext2_does_what_the_grammar_says() {
    let Some(_) = required("ext2") else { return };
    compare("ext2");
}

#[test]
fn ext3_does_what_the_grammar_says() {
    let Some(_) = required("ext3") else { return };
    compare("ext3");
}

#[test]
fn ext4_does_what_the_grammar_says() {
    let Some(_) = required("ext4") else { return };
    compare("ext4");
}

#[test]
fn xfs_does_what_the_grammar_says() {
    let Some(_) = required("xfs") else { return };
    compare("xfs");
}

#[test]
fn btrfs_does_what_the_grammar_says() {
    let Some(_) = required("btrfs") else { return };
    compare("btrfs");
}

#[test]
fn of_several_words_the_last_counts() {
    for fstype in ["ext3", "ext4", "btrfs"] {
        let Some(_) = required(fstype) else { continue };
        compare_several(fstype);
    }
}
