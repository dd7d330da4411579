//! Watchdogs, partitions and ext4's error counts, as sysfs shows them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::File;
use super::wanted::Kind;
use crate::text::Text;

/// A watchdog device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watchdog {
    /// `watchdog0`.
    pub name: Text,
    /// What its driver calls itself.
    pub identity: Text,
    /// Whether it counts down; none where the kernel does not say.
    pub is_armed: Option<bool>,
    /// After so many seconds without a sign of life it bites.
    pub timeout_s: Option<u64>,
}

/// A partition of an xvd disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// `xvda1`.
    pub name: Text,
    /// `xvda`.
    pub disk: Text,
    /// In sectors of 512 bytes.
    pub start_sectors: u64,
}

/// Errors that ext4 has counted in the super block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorCount {
    /// The block device that carries it.
    pub device: Text,
    /// How many, since the last e2fsck.
    pub count: u64,
}

/// Attributes below one folder of sysfs, by the names of the folders in between.
type Attributes<'a, const DEPTH: usize> = BTreeMap<[&'a [u8]; DEPTH], BTreeMap<&'a [u8], &'a Text>>;

fn attributes<'a, const DEPTH: usize>(files: &'a [File], folder: &[u8]) -> Attributes<'a, DEPTH> {
    let mut found = Attributes::new();
    for file in files.iter().filter(|file| file.kind == Kind::Sysfs) {
        let Some(below) = file.path.as_bytes().strip_prefix(folder) else { continue };
        let Some(content) = &file.content else { continue };
        let parts: Vec<&[u8]> = below.split(|byte| *byte == b'/').collect();
        let Some((name, device)) = parts.split_last() else { continue };
        let Ok(device) = <[&[u8]; DEPTH]>::try_from(device) else { continue };
        found.entry(device).or_default().insert(*name, content);
    }
    found
}

pub(super) fn watchdogs(files: &[File]) -> Vec<Watchdog> {
    let found = attributes::<1>(files, b"sys/class/watchdog/").into_iter();
    let watchdog = |([name], values): ([&[u8]; 1], BTreeMap<&[u8], &Text>)| Watchdog {
        name: Text::from(name),
        identity: values.get(&b"identity"[..]).map(|text| trimmed(text)).unwrap_or_default(),
        is_armed: values.get(&b"state"[..]).map(|state| trimmed(state) == "active"),
        timeout_s: values.get(&b"timeout"[..]).and_then(|text| text.number()),
    };
    found.map(watchdog).collect()
}

/// Without extended ones, which are 2 sectors long, hold nothing and stand anywhere.
pub(super) fn partitions(files: &[File]) -> Vec<Partition> {
    const EXTENDED_SECTORS: u64 = 2;
    let found = attributes::<2>(files, b"sys/block/").into_iter();
    let partition = |([disk, name], values): ([&[u8]; 2], BTreeMap<&[u8], &Text>)| {
        let number = |name: &[u8]| values.get(name)?.number();
        let is_extended = number(b"size").is_some_and(|sectors| sectors <= EXTENDED_SECTORS);
        let start_sectors = number(b"start").filter(|_| !is_extended)?;
        Some(Partition { name: Text::from(name), disk: Text::from(disk), start_sectors })
    };
    found.filter_map(partition).collect()
}

pub(super) fn error_counts(files: &[File]) -> Vec<ErrorCount> {
    let found = attributes::<1>(files, b"sys/fs/ext4/").into_iter();
    let count = |([device], values): ([&[u8]; 1], BTreeMap<&[u8], &Text>)| {
        let count = values.get(&b"errors_count"[..])?.number()?;
        Some(ErrorCount { device: Text::from(device), count })
    };
    found.filter_map(count).collect()
}

fn trimmed(text: &Text) -> Text {
    Text::from(text.as_bytes().trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Vec<File> {
        let file = |(path, content): &(&str, &str)| File {
            path: Text::from(*path),
            kind: Kind::Sysfs,
            content: Some(Text::from(*content)),
            is_readable: true,
        };
        files.iter().map(file).collect()
    }

    #[test]
    fn an_extended_partition_counts_for_nothing() {
        let files = files(&[
            ("sys/block/xvda/xvda1/start", "2048\n"),
            ("sys/block/xvda/xvda1/size", "1024\n"),
            ("sys/block/xvda/xvda2/start", "4098\n"),
            ("sys/block/xvda/xvda2/size", "2\n"),
        ]);
        let disk = Text::from("xvda");
        let expected = Partition { name: "xvda1".into(), disk, start_sectors: 2048 };
        assert_eq!(partitions(&files), [expected]);
    }

    #[test]
    fn a_watchdog_without_a_state_is_not_known_to_be_armed() {
        let files = files(&[
            ("sys/class/watchdog/watchdog0/identity", "Software Watchdog\n"),
            ("sys/class/watchdog/watchdog1/state", "active\n"),
            ("sys/class/watchdog/watchdog1/timeout", "60\n"),
        ]);
        let found = watchdogs(&files);
        assert_eq!((found[0].is_armed, found[0].timeout_s), (None, None));
        assert_eq!(found[0].identity, "Software Watchdog");
        assert_eq!((found[1].is_armed, found[1].timeout_s), (Some(true), Some(60)));
    }
}
