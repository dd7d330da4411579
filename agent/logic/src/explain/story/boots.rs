//! Hosts and their boots, told apart by what the lines carry.
//!
//! A new boot is what the log proves to be one: another identifier of the journal, a line between
//! two boots, "Linux version" again, or the kernel's clock back at its beginning.

use alloc::vec::Vec;

use super::is_same;
use crate::explain::form::{self, Entry};
use crate::kernel_version::KernelVersion;

/// One machine of the log, in its current boot.
#[derive(Debug, Default)]
pub struct Host {
    /// As the log names it; empty where it does not.
    pub name: Vec<u8>,
    /// The current boot, from 0.
    pub boot: u32,
    /// What runs there, if the log says it.
    pub kernel: Option<KernelVersion>,
    boot_id: Vec<u8>,
    last_us: u64,
    messages: u32,
    has_version: bool,
}

/// All machines of a log.
#[derive(Debug)]
pub struct Hosts {
    all: Vec<Host>,
    current: usize,
}

/// More machines than any log that a person reads; what comes later counts as the last one.
const MOST: usize = 16;

/// Lines of several processors reach the log out of order by less than this.
const DISORDER_US: u64 = 5_000_000;

/// The first lines of a boot are said in its first second.
const BEGINNING_US: u64 = 1_000_000;

/// Some kernels say a line or two before their version.
const LINES_BEFORE_VERSION: u32 = 4;

impl Default for Hosts {
    fn default() -> Self {
        Hosts { all: Vec::from([Host::default()]), current: 0 }
    }
}

impl Hosts {
    /// The host that speaks; notices when that is a new boot.
    pub fn enter(&mut self, entry: &Entry<'_>) -> usize {
        if entry.boot == form::Boot::New {
            self.all[self.current].end();
            return self.current;
        }
        if !is_same(&self.all[self.current].name, entry.host) {
            self.current = self.find(entry.host);
        }
        self.all[self.current].take(entry);
        self.current
    }

    /// The same for a line that tells nothing but its time.
    pub fn enter_plain(&mut self, boot_us: u64, text: &[u8]) -> usize {
        if !self.all[self.current].name.is_empty() {
            self.current = self.find(b"");
        }
        self.all[self.current].hear(Some(boot_us), text);
        self.current
    }

    /// A host by its place.
    pub fn get(&self, host: usize) -> &Host {
        &self.all[host]
    }

    /// How many were heard, and how many boots they had in all.
    pub fn count(&self) -> (u32, u32) {
        let heard = self.all.iter().filter(|host| host.messages > 0 || host.boot > 0);
        heard.fold((0, 0), |(hosts, boots), host| (hosts + 1, boots + host.boot + 1))
    }

    fn find(&mut self, name: &[u8]) -> usize {
        if let Some(known) = self.all.iter().position(|host| host.name == name) {
            return known;
        }
        if self.all.len() < MOST {
            self.all.push(Host { name: name.to_vec(), ..Host::default() });
        }
        self.all.len() - 1
    }
}

impl Host {
    fn take(&mut self, entry: &Entry<'_>) {
        match entry.boot {
            form::Boot::Id(id) => self.enter_boot(id),
            form::Boot::Unsaid | form::Boot::New => {}
        }
        self.hear(entry.time.boot_us, entry.text);
    }

    fn hear(&mut self, boot_us: Option<u64>, text: &[u8]) {
        if let Some(now_us) = boot_us {
            if now_us < self.last_us {
                self.look_back(now_us);
            }
            self.last_us = now_us;
        }
        if let Some((b"Linux version ", release)) = text.split_first_chunk() {
            self.take_version(release);
        }
        self.messages = self.messages.saturating_add(1);
    }

    fn end(&mut self) {
        if self.messages > 0 {
            self.begin();
        }
    }

    fn enter_boot(&mut self, id: &[u8]) {
        if self.boot_id != id {
            if !self.boot_id.is_empty() {
                self.begin();
            }
            self.boot_id = id.to_vec();
        }
    }

    /// The clock went back: to its beginning, or to a part of the log that the file holds twice.
    fn look_back(&mut self, now_us: u64) {
        if now_us < BEGINNING_US && self.last_us - now_us > DISORDER_US {
            self.begin();
        }
    }

    fn take_version(&mut self, release: &[u8]) {
        if self.has_version || self.messages > LINES_BEFORE_VERSION {
            self.begin();
        }
        let end = release.iter().position(|byte| *byte == b' ').unwrap_or(release.len());
        let release = core::str::from_utf8(&release[..end]).ok();
        self.kernel = release.and_then(KernelVersion::parse);
        self.has_version = true;
    }

    fn begin(&mut self) {
        self.boot = self.boot.saturating_add(1);
        (self.kernel, self.has_version, self.messages, self.last_us) = (None, false, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::form::{Boot, Time};

    /// Lines as (host, seconds since boot, text).
    fn boots(lines: &[(&str, u64, &str)]) -> Vec<(u32, Option<KernelVersion>)> {
        let mut hosts = Hosts::default();
        let told = lines.iter().map(|(host, s, text)| {
            let time = Time { boot_us: Some(s * 1_000_000), wall: b"" };
            let host = hosts.enter(&Entry {
                text: text.as_bytes(),
                host: host.as_bytes(),
                time,
                ..Entry::default()
            });
            (hosts.get(host).boot, hosts.get(host).kernel)
        });
        told.collect()
    }

    #[test]
    fn the_clock_at_its_beginning_is_a_new_boot() {
        let told = boots(&[("", 0, "a"), ("", 90, "b"), ("", 0, "c"), ("", 90, "d"), ("", 0, "e")]);
        assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), [0, 0, 1, 1, 2]);
    }

    #[test]
    fn a_log_that_repeats_its_end_is_one_boot() {
        let told = boots(&[("", 50, "a"), ("", 112, "b"), ("", 13, "a"), ("", 60, "c")]);
        assert!(told.iter().all(|told| told.0 == 0), "{told:?}");
    }

    #[test]
    fn a_version_begins_a_boot_but_not_the_first() {
        let version = "Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists) #1 SMP";
        let told = boots(&[("", 0, "early"), ("", 0, version), ("", 2, "a"), ("", 0, version)]);
        let kernel = Some(KernelVersion::new(6, 1, 0));
        assert_eq!(told, [(0, None), (0, kernel), (0, kernel), (1, kernel)]);
    }

    #[test]
    fn each_host_has_its_own_clock() {
        let told =
            boots(&[("dom0", 108, "a"), ("u2", 1, "b"), ("dom0", 109, "c"), ("u2", 80, "d")]);
        assert!(told.iter().all(|told| told.0 == 0), "{told:?}");
    }

    #[test]
    fn the_journal_names_its_boots() {
        let mut hosts = Hosts::default();
        let mut boot_at = |boot| {
            let host = hosts.enter(&Entry { boot, text: b"a", ..Entry::default() });
            hosts.get(host).boot
        };
        let ids = [Boot::Id(b"x"), Boot::Id(b"x"), Boot::Id(b"y"), Boot::Unsaid, Boot::New];
        assert_eq!(ids.map(&mut boot_at), [0, 0, 1, 1, 2]);
    }
}
