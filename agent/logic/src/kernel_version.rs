//! The running kernel's version, and what follows from it where behaviour cannot tell.
//!
//! Vendor kernels carry changes of later releases. Each question here is therefore answered for
//! the more dangerous neighbour: a kernel that may still abort counts as one that does.

use alloc::string::ToString;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// `2.6.32`, `6.1.0`, without the vendor's suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KernelVersion {
    /// `6` of `6.1.0-56-cloud-amd64`.
    pub major: u16,
    /// `1` of `6.1.0-56-cloud-amd64`.
    pub minor: u16,
    /// `0` of `6.1.0-56-cloud-amd64`; 0 where there is none.
    pub patch: u16,
}

impl KernelVersion {
    /// A version by its numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        KernelVersion { major, minor, patch }
    }

    /// Reads what `/proc/sys/kernel/osrelease` holds; `None` where it begins with no `N.N`.
    pub fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.trim().splitn(3, '.');
        let major = numbers.next()?.parse().ok()?;
        let minor = leading_number(numbers.next()?)?;
        let patch = numbers.next().and_then(leading_number).unwrap_or(0);
        Some(KernelVersion { major, minor, patch })
    }

    /// Whether a flush that fails inside a journal commit can abort the journal: true before
    /// "xen-blkfront: don't disable cache flushes when they fail" (6.11).
    pub fn aborts_on_failed_flush(self) -> bool {
        self < Self::new(6, 11, 0)
    }

    /// Whether blkfront knows `feature-flush-cache`. The border lies between 2.6.35, which does
    /// not, and 3.2, which does (drivers/block/xen-blkfront.c); 2.6.38 is our reading.
    pub fn blkfront_knows_flush(self) -> bool {
        self >= Self::new(2, 6, 38)
    }
}

/// A kernel by its whole name: `4.18.0-553.el8_10.x86_64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelRelease {
    /// As `uname -r` prints it and `/lib/modules` lists it.
    pub name: Text,
    /// Its numbers.
    pub version: KernelVersion,
    /// Whether an enterprise vendor made it: changes of later releases may be in it.
    pub is_vendor: bool,
}

impl KernelRelease {
    /// Reads a name; `None` where it begins with no `N.N`.
    pub fn parse(name: &Text) -> Option<Self> {
        let version = KernelVersion::parse(&name.to_string())?;
        Some(KernelRelease { name: name.clone(), version, is_vendor: is_vendor(name) })
    }
}

/// Red Hat and its kin write `.el8`, Oracle `uek`, Amazon `.amzn2`, openEuler `.oe2203`, OpenVZ
/// `.vz7` and `stab`; SUSE ends with the flavour. Debian, Ubuntu and Fedora follow the releases.
fn is_vendor(name: &Text) -> bool {
    const WITHIN: [&str; 6] = [".el", "uek", ".amzn", ".oe", ".vz", "stab"];
    const AT_END: [&str; 7] = ["-default", "-xen", "-pae", "-ec2", "-trace", "-smp", "-bigsmp"];
    let ends = |end: &&str| name.as_bytes().ends_with(end.as_bytes());
    WITHIN.iter().any(|part| name.contains(part)) || AT_END.iter().any(ends)
}

fn leading_number(text: &str) -> Option<u16> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_many_vendors_are_read() {
        for (release, expected) in [
            ("6.1.0-56-cloud-amd64\n", (6, 1, 0)),
            ("2.6.32-5-xen-amd64", (2, 6, 32)),
            ("2.6.18-274.7.1.el5xen", (2, 6, 18)),
            ("3.10.0-1160.el7.x86_64", (3, 10, 0)),
            ("6.12+unreleased-amd64", (6, 12, 0)),
            ("7.2.13+deb14-cloud-amd64", (7, 2, 13)),
            ("5.10-rc3", (5, 10, 0)),
        ] {
            let (major, minor, patch) = expected;
            assert_eq!(
                KernelVersion::parse(release),
                Some(KernelVersion::new(major, minor, patch)),
                "{release}"
            );
        }
        assert_eq!(KernelVersion::parse("garbage"), None);
        assert_eq!(KernelVersion::parse("6"), None);
    }

    #[test]
    fn vendors_are_known_by_their_names() {
        for (name, is_vendor) in [
            ("2.6.18-274.7.1.el5xen", true),
            ("4.18.0-553.el8_10.x86_64", true),
            ("5.4.17-2136.el8uek.x86_64", true),
            ("4.14.35-1902.300.11.el7uek.x86_64", true),
            ("2.6.32-042stab145.3", true),
            ("5.14.21-150500.55.19-default", true),
            ("2.6.27.19-5-xen", true),
            ("2.6.32-5-xen-amd64", false),
            ("6.8.0-45-generic", false),
            ("6.1.0-56-cloud-amd64", false),
            ("6.10.3-200.fc40.x86_64", false),
        ] {
            let kernel = KernelRelease::parse(&Text::from(name)).unwrap();
            assert_eq!((kernel.name, kernel.is_vendor), (Text::from(name), is_vendor));
        }
        assert_eq!(KernelRelease::parse(&Text::from("lost+found")), None);
    }

    #[test]
    fn only_kernels_below_6_11_abort() {
        assert!(KernelVersion::new(6, 10, 14).aborts_on_failed_flush());
        assert!(!KernelVersion::new(6, 11, 0).aborts_on_failed_flush());
    }
}
