//! What is kept of a look: the verdict of each disk with its evidence, good for this boot only.
//!
//! Early boot writes `/run/xvdguard/early.json`, `probe` writes `probe.json`; both have this
//! shape, and an earlier report speaks of a disk only while its connection is the same.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::FlushVerdict;
use super::evidence::{Evidence, Source};
use super::untested::Untested;
use crate::disk::{Connection, Disk};
use crate::effect::{Attribute, QueueSetting};
use crate::order;
use crate::text::Text;
use crate::vbd::advertised::Advertised;

/// The version of every JSON document.
pub const SCHEMA: u32 = 1;

/// A whole report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `SCHEMA`.
    pub schema: u32,
    /// `xvdguard` or `xvdguard-early`.
    pub tool: String,
    /// That tool's version.
    pub version: String,
    /// The boot this report belongs to.
    pub boot_id: Option<Text>,
    /// When it was written, in milliseconds since boot.
    pub boot_ms: u64,
    /// RFC 3339 in UTC, where the clock was at hand.
    pub time: Option<String>,
    /// The hash of the policy that the image carries; none where it carries none and the defaults
    /// hold, and in reports of anybody but early boot.
    #[serde(default)]
    pub policy_hash: Option<Text>,
    /// Every disk.
    pub disks: Vec<DiskReport>,
    /// What was done or could not be done, in sentences.
    #[serde(default)]
    pub said: Vec<String>,
    /// Round trips to xenstore and requests in them.
    #[serde(default)]
    pub xenstore: Option<XenstoreUse>,
}

/// How much xenstore was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct XenstoreUse {
    /// Waits for an answer that the next question depended on.
    pub round_trips: u64,
    /// Questions in all.
    pub requests: u64,
}

/// One disk, as JSON document D.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskReport {
    /// The kernel's name.
    pub name: Text,
    /// The vbd's number.
    pub vbd: Option<u32>,
    /// What serves it, in words.
    pub backend_kind: String,
    /// What the evidence adds up to.
    pub verdict: FlushVerdict,
    /// Why, in one sentence.
    pub reason: String,
    /// What stands between an untested disk and its verdict.
    #[serde(default)]
    pub untested: Option<Untested>,
    /// The facts it rests on.
    pub evidence: Vec<Evidence>,
    /// What must be unchanged for this to hold.
    #[serde(default)]
    pub connection: Connection,
    /// What the backend advertised when this was written; none where xenstore was not read.
    #[serde(default)]
    pub advertised: Option<Advertised>,
    /// Whether xvdguard wrote `write through` to this disk.
    #[serde(default)]
    pub switched_off_by_us: bool,
}

impl DiskReport {
    /// The head of a report about `disk`.
    pub fn new(disk: &Disk, advertised: Option<Advertised>) -> Self {
        DiskReport {
            name: disk.name.clone(),
            vbd: disk.vbd.as_ref().map(|vbd| vbd.id),
            backend_kind: alloc::format!("{}", disk.backend_kind()),
            verdict: FlushVerdict::Untested,
            reason: String::new(),
            untested: None,
            evidence: Vec::new(),
            connection: disk.connection(),
            advertised,
            switched_off_by_us: false,
        }
    }
}

impl DiskReport {
    /// Keeps what xvdguard itself wrote to the disk's queue.
    pub fn note_setting(&mut self, setting: &QueueSetting, boot_ms: u64) {
        let text = alloc::format!("xvdguard wrote {} to queue/{}", setting.new, setting.attribute);
        self.evidence.push(Evidence::new(Source::Action, text, boot_ms));
        self.switched_off_by_us |=
            setting.attribute == Attribute::WriteCache && setting.new == "write through";
    }
}

/// What earlier reports of this boot say about a disk on the same connection, newest first.
pub fn earlier<'a>(
    reports: &'a [Report],
    boot_id: Option<&Text>,
    disk: &Disk,
) -> Vec<&'a DiskReport> {
    let connection = disk.connection();
    let mut found: Vec<(u64, &DiskReport)> = reports
        .iter()
        .filter(|report| report.boot_id.is_some() && report.boot_id.as_ref() == boot_id)
        .flat_map(|report| report.disks.iter().map(move |one| (report.boot_ms, one)))
        .filter(|(_, one)| one.name == disk.name && one.connection == connection)
        .collect();
    order::sort_by_key(&mut found, |(boot_ms, _)| core::cmp::Reverse(*boot_ms));
    found.into_iter().map(|(_, one)| one).collect()
}
