//! What the backend advertises about flushes, as blkfront reads it.
//!
//! The rules are those of blkfront_gather_backend_features (drivers/block/xen-blkfront.c):
//! `feature-barrier` = 1 means barriers, `feature-flush-cache` = 1 overrides that, neither key
//! means a backend that writes synchronously.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::keys::{BACKEND_FEATURES, Keys};
use crate::kernel_version::KernelVersion;

/// What the backend advertises at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advertised {
    /// `feature-flush-cache` = 1.
    Flush,
    /// Only `feature-barrier` = 1.
    Barrier,
    /// A key is there and none is 1.
    Off,
    /// Neither key exists. That is healthy: nothing needs a flush.
    Absent,
}

impl Advertised {
    /// Reads the backend's keys for a kernel; an unknown kernel counts as a new one.
    pub fn from_keys(backend: &Keys, kernel: Option<KernelVersion>) -> Self {
        let knows_flush = kernel.is_none_or(KernelVersion::blkfront_knows_flush);
        let flush = backend.text("feature-flush-cache").filter(|_| knows_flush);
        let barrier = backend.text("feature-barrier");
        let is_on = |key: &str| backend.number(key).is_some_and(|value| value != 0);
        match (flush, barrier) {
            (None, None) => Advertised::Absent,
            (Some(_), _) if is_on("feature-flush-cache") => Advertised::Flush,
            (_, Some(_)) if is_on("feature-barrier") => Advertised::Barrier,
            _ => Advertised::Off,
        }
    }

    /// Whether the frontend sends flushes of some kind.
    pub fn is_on(self) -> bool {
        matches!(self, Advertised::Flush | Advertised::Barrier)
    }

    /// Whether the backend took back what it advertised `before`, on the same connection.
    pub fn is_less_than(self, before: Advertised) -> bool {
        match before {
            Advertised::Flush => matches!(self, Advertised::Barrier | Advertised::Off),
            Advertised::Barrier => self == Advertised::Off,
            Advertised::Off | Advertised::Absent => false,
        }
    }

    /// The key that switches the operation.
    pub fn key(self) -> &'static str {
        match self {
            Advertised::Barrier => "feature-barrier",
            _ => "feature-flush-cache",
        }
    }
}

/// Both keys as they are: `feature-flush-cache = 0, feature-barrier = 1`.
pub fn shown(backend: &Keys) -> String {
    let shown = |key: &&str| Some(format!("{key} = {}", backend.text(key)?));
    let found: Vec<String> = BACKEND_FEATURES.iter().filter_map(shown).collect();
    match found.is_empty() {
        true => "neither feature-flush-cache nor feature-barrier".into(),
        false => found.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advertised(keys: &[(&str, &str)], kernel: KernelVersion) -> Advertised {
        Advertised::from_keys(&Keys::from(keys), Some(kernel))
    }

    #[test]
    fn flush_overrides_barrier_and_absent_is_not_off() {
        let new = KernelVersion::new(6, 1, 0);
        let (flush, barrier) = ("feature-flush-cache", "feature-barrier");
        for (keys, expected) in [
            (&[(flush, "1"), (barrier, "1")][..], Advertised::Flush),
            (&[(barrier, "1")], Advertised::Barrier),
            (&[(flush, "0"), (barrier, "1")], Advertised::Barrier),
            (&[(flush, "0")], Advertised::Off),
            (&[(flush, "0"), (barrier, "0")], Advertised::Off),
            (&[], Advertised::Absent),
            (&[(flush, "yes")], Advertised::Off),
        ] {
            assert_eq!(advertised(keys, new), expected, "{keys:?}");
        }
    }

    #[test]
    fn both_keys_are_shown_as_they_are() {
        let keys = [("feature-barrier", "1"), ("feature-flush-cache", "0")];
        assert_eq!(shown(&Keys::from(&keys[..])), "feature-flush-cache = 0, feature-barrier = 1");
        let none = "neither feature-flush-cache nor feature-barrier";
        assert_eq!(shown(&Keys::default()), none);
    }

    #[test]
    fn a_kernel_of_2_6_32_sees_only_the_barrier() {
        let keys = [("feature-flush-cache", "1")];
        assert_eq!(advertised(&keys, KernelVersion::new(2, 6, 32)), Advertised::Absent);
    }
}
