//! The keys of one xenstore directory, and which keys the frontend driver and we read.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// Key and value of one xenstore directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys(BTreeMap<String, Text>);

impl Keys {
    /// The value of a key.
    pub fn text(&self, key: &str) -> Option<&Text> {
        self.0.get(key)
    }

    /// The value of a key that holds a decimal number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key).and_then(Text::number)
    }

    /// Adds a key.
    pub fn insert(&mut self, key: &str, value: Text) {
        self.0.insert(key.to_string(), value);
    }

    /// Removes a key, where it is there.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl From<&[(&str, &str)]> for Keys {
    fn from(pairs: &[(&str, &str)]) -> Self {
        Keys(pairs.iter().map(|(key, value)| (key.to_string(), Text::from(*value))).collect())
    }
}

/// The backend's keys that tell of flushes: it rewrites them to 0 after it refused one.
pub const BACKEND_FEATURES: &[&str] = &["feature-flush-cache", "feature-barrier"];

/// The backend's keys that decide a verdict or a queue rule: all that early boot reads.
pub const BACKEND_DECISIVE: &[&str] = &[
    "feature-flush-cache",
    "feature-barrier",
    "mode",
    "info",
    "device-type",
    "type",
    "params",
    "script",
    "physical-device-path",
];

/// The frontend's keys that early boot reads besides `backend`.
pub const FRONTEND_DECISIVE: &[&str] = &["state", "event-channel"];

/// Every other backend key that Linux blkfront has ever read (drivers/block/xen-blkfront.c), and
/// those that toolstacks and backends write for people (Xen's libxl_disk.c, blkif.h).
pub const BACKEND_MORE: &[&str] = &[
    "physical-device",
    "state",
    "sectors",
    "sector-size",
    "physical-sector-size",
    "feature-discard",
    "discard-granularity",
    "discard-alignment",
    "discard-secure",
    "discard-enable",
    "feature-persistent",
    "feature-max-indirect-segments",
    "max-ring-page-order",
    "multi-queue-max-queues",
    "feature-large-sector-size",
    "dev",
    "online",
    "removable",
    "bootable",
    "frontend-id",
    "hotplug-status",
    "direct-io-safe",
    "specification",
];

/// Every other frontend key that Linux blkfront writes or reads.
pub const FRONTEND_MORE: &[&str] = &[
    "backend-id",
    "virtual-device",
    "virtual-device-ext",
    "device-type",
    "trusted",
    "protocol",
    "ring-ref",
    "ring-page-order",
    "feature-persistent",
    "multi-queue-num-queues",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_asked_for_twice() {
        for lists in [[BACKEND_DECISIVE, BACKEND_MORE], [FRONTEND_DECISIVE, FRONTEND_MORE]] {
            let mut keys = lists.concat();
            let asked = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), asked);
        }
        assert!(BACKEND_FEATURES.iter().all(|key| BACKEND_DECISIVE.contains(key)));
    }
}
