//! `/proc/self/mountinfo` (proc(5)): what is mounted where, in this mount namespace.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::block::DeviceNumber;
use crate::text::Text;

/// One line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Unique while it is mounted.
    pub id: u32,
    /// `st_dev` of its files.
    pub device: DeviceNumber,
    /// The part of the file system that is seen here; `/` unless a bind mount or subvolume.
    pub root: Text,
    /// Where.
    pub mount_point: Text,
    /// Options of this mount alone.
    pub options: Text,
    /// `ext4`, `btrfs`, …
    pub fstype: Text,
    /// What was given to mount(8) as source.
    pub source: Text,
    /// Options of the super block.
    pub super_options: Text,
}

impl Mount {
    /// Whether `option` is among the options of this mount, as a whole word.
    pub fn has_option(&self, option: &str) -> bool {
        has_word(&self.options, option)
    }

    /// Whether `option` is among the super block's options, as a whole word.
    pub fn has_super_option(&self, option: &str) -> bool {
        has_word(&self.super_options, option)
    }

    /// Whether neither the mount nor the super block is read-only.
    pub fn is_writable(&self) -> bool {
        self.has_option("rw") && self.has_super_option("rw")
    }

    /// Whether an ext3 or ext4 says that it sends no flush: `nobarrier` since 3.18, `barrier=0`
    /// before (ext4_show_options, ext3_show_options).
    pub fn is_without_barriers(&self) -> bool {
        self.has_super_option("nobarrier") || self.has_super_option("barrier=0")
    }
}

fn has_word(options: &Text, word: &str) -> bool {
    options.as_bytes().split(|byte| *byte == b',').any(|one| one == word.as_bytes())
}

/// Reads the whole file; the second value counts lines that are no mountinfo lines.
pub fn parse(content: &[u8]) -> (Vec<Mount>, usize) {
    let mut broken = 0;
    let mut mounts = Vec::new();
    for line in content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match parse_line(line) {
            Some(mount) => mounts.push(mount),
            None => broken += 1,
        }
    }
    (mounts, broken)
}

fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = core::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let _parent = fields.next()?;
    let device = DeviceNumber::parse(fields.next()?)?;
    let root = unescape(fields.next()?);
    let mount_point = unescape(fields.next()?);
    let options = unescape(fields.next()?);
    // Zero or more optional fields, then a lone hyphen.
    fields.by_ref().find(|field| *field == b"-")?;
    let fstype = unescape(fields.next()?);
    let source = unescape(fields.next()?);
    // An empty source leaves two spaces; the super options are always last.
    let super_options = unescape(fields.next_back().unwrap_or_default());
    Some(Mount { id, device, root, mount_point, options, fstype, source, super_options })
}

/// Undoes the kernel's `\ooo` for space, tab, newline and backslash (fs/proc_namespace.c mangle);
/// the same escapes are used in fstab(5).
pub fn unescape(field: &[u8]) -> Text {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (plain, escape) = rest.split_at(at);
        let byte = octal_escape(escape);
        bytes.extend_from_slice(plain);
        bytes.push(byte.unwrap_or(b'\\'));
        rest = &escape[if byte.is_some() { 4 } else { 1 }..];
    }
    bytes.extend_from_slice(rest);
    Text::from(bytes)
}

/// The byte of an escape `\ooo` that `text` begins with. A first digit above 3 overflows, as in
/// util-linux lib/mangle.c; the kernel writes none.
pub(crate) fn octal_escape(text: &[u8]) -> Option<u8> {
    let digits = text.get(1..4).filter(|_| text[0] == b'\\')?;
    let valid = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let value = |value: u8, digit: &u8| value.wrapping_mul(8).wrapping_add(digit - b'0');
    valid.then(|| digits.iter().fold(0, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &[u8]) -> Mount {
        let (mut mounts, broken) = parse(line);
        assert_eq!((mounts.len(), broken), (1, 0));
        mounts.remove(0)
    }

    #[test]
    fn a_line_of_a_real_guest_is_read() {
        let mount =
            one(b"25 1 202:0 / / rw,relatime shared:1 - ext3 /dev/xvda rw,errors=remount-ro\n");
        assert_eq!(mount.device, DeviceNumber { major: 202, minor: 0 });
        assert_eq!(mount.mount_point, "/");
        assert_eq!(mount.fstype, "ext3");
        assert!(mount.has_super_option("rw") && mount.has_super_option("errors=remount-ro"));
        assert!(!mount.has_super_option("ro"));
    }

    #[test]
    fn mount_points_are_bytes_with_escapes_undone() {
        let line = b"30 25 8:1 / /srv/a\\040b\\012c\\134d\xff rw - ext4 /dev/sda1 rw\n";
        assert_eq!(one(line).mount_point.as_bytes(), b"/srv/a b\nc\\d\xff");
        // Not an escape of the kernel's: kept as it is.
        assert_eq!(unescape(b"a\\9b\\04").as_bytes(), b"a\\9b\\04");
    }

    #[test]
    fn optional_fields_and_an_empty_source_are_allowed() {
        let line = b"36 35 0:40 / /m rw shared:1 master:2 unbindable - tmpfs  rw,size=1k\n";
        let mount = one(line);
        assert_eq!((mount.source, mount.super_options), ("".into(), "rw,size=1k".into()));
    }

    #[test]
    fn broken_lines_are_counted_and_cost_nothing_else() {
        let (mounts, broken) = parse(b"garbage\n1 2 3\n25 1 202:0 / / rw - ext3 /dev/xvda rw");
        assert_eq!((mounts.len(), broken), (1, 2));
    }
}
