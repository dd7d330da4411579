//! From evidence to verdict.
//!
//! The order matters: what cannot be flushed, then every sign of a failure on this connection,
//! then what the backend advertises, then whether flushes still reach it, and only then whether
//! one of them was proof. Measured on 5.10, 6.1, 6.12 and 7.2 under a real Xen.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::FlushVerdict;
use super::evidence::{Evidence, Source};
use super::report::DiskReport;
use super::untested::Untested;
use crate::disk::{Disk, WriteCache};
use crate::kernel_log::LogFact;
use crate::kernel_log::blkfront::Uses;
use crate::kernel_log::connection::ConnectionLog;
use crate::observation::Observation;
use crate::vbd::advertised::{self, Advertised};
use crate::wording::untested;

/// A flush that was sent to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// When it was sent, in milliseconds since boot.
    pub sent_ms: u64,
    /// How it ended.
    pub outcome: ProbeOutcome,
}

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// fsync returned 0 after so many microseconds.
    Returned {
        /// How long it took.
        took_us: u64,
    },
    /// fsync returned this errno.
    Error {
        /// As in errno(3).
        errno: i32,
    },
    /// No answer within the deadline of so many milliseconds.
    Silent {
        /// The deadline.
        deadline_ms: u64,
    },
    /// Not sent, and why.
    NotSent(NotSent),
}

/// Why a disk was not probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The node carries a mounted file system and this kernel has no ranged flush.
    Mounted,
    /// Something holds the node that neither mountinfo nor sysfs names.
    Claimed,
    /// The kernel's line is rate limited: this disk's turn did not come before the deadline.
    RateLimited,
    /// The mode says to look only.
    ByPolicy,
    /// The node could not be opened or is not the disk it should be.
    NodeUnusable,
}

/// EOPNOTSUPP (errno(3)); the value of x86, ARM and POWER.
const EOPNOTSUPP: i32 = 95;

/// What is known about one disk besides the observation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Knowledge<'a> {
    /// The disk as it was seen before the probe of this run.
    pub before: Option<&'a Disk>,
    /// The probe of this run.
    pub probe: Option<Probe>,
    /// Earlier reports of this boot on the same connection, newest first.
    pub earlier: &'a [&'a DiskReport],
}

/// Judges one disk.
pub fn judge(disk: &Disk, seen: &Observation, known: Knowledge<'_>) -> DiskReport {
    let advertised = disk.vbd.as_ref().and_then(|vbd| vbd.advertised(seen.kernel));
    let log = ConnectionLog::of(&seen.log, &disk.name, seen.kernel);
    let mut case =
        Case { disk, seen, known, advertised, log, evidence: Vec::new(), untested: None };
    let (verdict, reason) = case.conclude();
    case.note_actions();
    let switched_off_by_us = case.known.earlier.iter().any(|report| report.switched_off_by_us);
    DiskReport {
        verdict,
        reason,
        untested: case.untested,
        evidence: case.evidence,
        switched_off_by_us,
        ..DiskReport::new(disk, advertised)
    }
}

struct Case<'a> {
    disk: &'a Disk,
    seen: &'a Observation,
    known: Knowledge<'a>,
    advertised: Option<Advertised>,
    log: ConnectionLog<'a>,
    evidence: Vec<Evidence>,
    untested: Option<Untested>,
}

type Conclusion = (FlushVerdict, String);

impl Case<'_> {
    fn conclude(&mut self) -> Conclusion {
        if let Some(why) = self.disk.unflushable() {
            return (FlushVerdict::Absent, format!("{why}"));
        }
        self.note_advertised();
        self.failure()
            .or_else(|| self.not_advertised())
            .or_else(|| self.not_sent())
            .or_else(|| self.proof())
            .unwrap_or_else(|| self.untested())
    }

    fn untested(&mut self) -> Conclusion {
        self.note_probe();
        let why = self.why_untested();
        self.untested = Some(why);
        (FlushVerdict::Untested, untested::reason(why).into())
    }

    /// A probe that proved nothing is evidence all the same.
    fn note_probe(&mut self) {
        let Some(Probe { sent_ms, outcome }) = self.known.probe else { return };
        let text = match outcome {
            ProbeOutcome::Silent { deadline_ms } => {
                format!("a flush was sent and not answered within {deadline_ms} ms")
            }
            ProbeOutcome::Error { errno } => {
                format!("a flush of the node returned {}", errno_name(errno))
            }
            ProbeOutcome::Returned { .. } | ProbeOutcome::NotSent(_) => return,
        };
        self.note(Source::Probe, text, sent_ms);
    }

    fn note(&mut self, source: Source, text: impl Into<String>, boot_ms: u64) {
        self.evidence.push(Evidence::new(source, text, boot_ms));
    }

    fn note_line(&mut self, fact: &LogFact) {
        self.note(Source::KernelLog, format!("{}", fact.line), fact.boot_ms);
    }

    /// What xvdguard did to this connection earlier in this boot.
    fn note_actions(&mut self) {
        let earlier = self.known.earlier.iter().flat_map(|report| &report.evidence);
        for action in earlier.filter(|fact| fact.source == Source::Action) {
            if !self.evidence.contains(action) {
                self.evidence.push(action.clone());
            }
        }
    }

    fn note_advertised(&mut self) {
        let now = self.seen.boot_ms;
        match self.advertised {
            Some(_) => {
                let keys = self.disk.vbd.as_ref().map(|vbd| advertised::shown(&vbd.backend));
                self.note(Source::Xenstore, keys.unwrap_or_default(), now);
            }
            None => {
                if let Some(connect) = self.log.connect {
                    self.note_line(connect);
                }
            }
        }
    }

    /// Every sign that a flush failed on this connection. A refusal outweighs an error: the
    /// backend said what it cannot do.
    fn failure(&mut self) -> Option<Conclusion> {
        if self.advertised == Some(Advertised::Absent) {
            return None;
        }
        // What tips the scale is noted last: that is the piece that a short message shows.
        let failing = [self.failed_by_errno(), self.failed_in_log()];
        let refused = [self.refused_by_errno(), self.key_dropped(), self.refused_in_log()];
        if refused.contains(&true) {
            let reason = "the backend promised flushes and refused one (EOPNOTSUPP)";
            return Some((FlushVerdict::Refused, reason.into()));
        }
        if failing.contains(&true) {
            let reason = "the backend promised flushes and answered one with an error";
            return Some((FlushVerdict::Failing, reason.into()));
        }
        self.failed_earlier()
    }

    fn refused_in_log(&mut self) -> bool {
        self.log.refused.inspect(|fact| self.note_line(fact)).is_some()
    }

    fn failed_in_log(&mut self) -> bool {
        self.log.failed.inspect(|fact| self.note_line(fact)).is_some()
    }

    /// A Linux backend rewrites the key of an operation to 0 after it refused one.
    fn key_dropped(&mut self) -> bool {
        let Some(now) = self.advertised else { return false };
        let Some(before) = self.once_advertised().find(|before| now.is_less_than(*before)) else {
            return false;
        };
        let text = format!("{} went from 1 to 0 on this connection", before.key());
        self.note(Source::Xenstore, text, self.seen.boot_ms);
        true
    }

    /// What was advertised earlier on this connection, by each witness that there is.
    fn once_advertised(&self) -> impl Iterator<Item = Advertised> {
        let before = self.known.before.and_then(|disk| disk.vbd.as_ref());
        let before = before.and_then(|vbd| vbd.advertised(self.seen.kernel));
        let by_log = match self.log.uses_at_connect {
            Some(Uses::Flush) => Some(Advertised::Flush),
            Some(Uses::Barrier) => Some(Advertised::Barrier),
            _ => None,
        };
        let by_reports = self.known.earlier.iter().filter_map(|report| report.advertised);
        before.into_iter().chain(by_log).chain(by_reports)
    }

    /// blkfront returns success for failed flushes: its return code says nothing.
    fn probe_errno(&self) -> Option<(i32, u64)> {
        let swallowed = self.disk.device.as_ref().is_none_or(|device| device.is_blkfront);
        match self.known.probe {
            Some(Probe { outcome: ProbeOutcome::Error { errno }, sent_ms }) if !swallowed => {
                Some((errno, sent_ms))
            }
            _ => None,
        }
    }

    fn refused_by_errno(&mut self) -> bool {
        self.errno_is(|errno| errno == EOPNOTSUPP)
    }

    fn failed_by_errno(&mut self) -> bool {
        self.errno_is(|errno| errno != EOPNOTSUPP)
    }

    fn errno_is(&mut self, wanted: fn(i32) -> bool) -> bool {
        let Some((errno, sent_ms)) = self.probe_errno().filter(|(errno, _)| wanted(*errno)) else {
            return false;
        };
        let text = format!("a flush of the node returned {}", errno_name(errno));
        self.note(Source::Probe, text, sent_ms);
        true
    }

    /// A failure holds for the whole connection: blkfront never sends a flush again.
    fn failed_earlier(&mut self) -> Option<Conclusion> {
        let is_failure = |verdict| matches!(verdict, FlushVerdict::Refused | FlushVerdict::Failing);
        let report = self.known.earlier.iter().find(|report| is_failure(report.verdict))?;
        self.evidence.extend(report.evidence.iter().cloned());
        Some((report.verdict, report.reason.clone()))
    }

    fn not_advertised(&mut self) -> Option<Conclusion> {
        match (self.advertised, self.log.uses_at_connect) {
            (Some(Advertised::Absent), _) => {
                let reason = "the backend offers no flush: it writes synchronously";
                Some((FlushVerdict::Absent, reason.into()))
            }
            (Some(Advertised::Off), _) => {
                Some((FlushVerdict::Off, "the backend says that it has no flush".into()))
            }
            (None, Some(Uses::Nothing)) => {
                let reason = "blkfront connected without flushes; xenstore was not read";
                Some((FlushVerdict::Absent, reason.into()))
            }
            _ => None,
        }
    }

    /// Advertised, and yet the kernel does not send it.
    fn not_sent(&mut self) -> Option<Conclusion> {
        if let Some(given_up) = self.log.given_up {
            self.note_line(given_up);
            let reason = "advertised, but blkfront gave flushes up after a failed write";
            return Some((FlushVerdict::Lost, reason.into()));
        }
        if self.disk.write_cache() != WriteCache::Through {
            return None;
        }
        self.note(Source::Sysfs, "queue/write_cache = write through", self.seen.boot_ms);
        if self.known.earlier.iter().any(|report| report.switched_off_by_us) {
            return Some((FlushVerdict::SwitchedOff, "xvdguard wrote write through".into()));
        }
        let never_by_kernel =
            self.seen.kernel.is_some_and(|kernel| !kernel.aborts_on_failed_flush());
        if never_by_kernel || self.log.is_complete() {
            let reason = "somebody else wrote write through: no flush failed";
            return Some((FlushVerdict::SwitchedOff, reason.into()));
        }
        let reason = "advertised, but no longer sent; the log does not reach back to the cause";
        Some((FlushVerdict::Lost, reason.into()))
    }

    fn proof(&mut self) -> Option<Conclusion> {
        let Some(Probe { outcome: ProbeOutcome::Returned { took_us }, sent_ms }) = self.known.probe
        else {
            return self.proof_by_report();
        };
        if !self.log.is_complete() {
            return self.proof_by_report();
        }
        let (whole, tenths) = (took_us / 1000, took_us % 1000 / 100);
        let text = format!("a flush was sent and answered within {whole}.{tenths} ms");
        self.note(Source::Probe, text, sent_ms);
        Some((FlushVerdict::Proven, "flush works".into()))
    }

    /// An earlier proof holds while no later line can be missing.
    fn proof_by_report(&mut self) -> Option<Conclusion> {
        let is_proof = |report: &&&DiskReport| report.verdict == FlushVerdict::Proven;
        let report = self.known.earlier.iter().find(is_proof)?;
        let probe = report.evidence.iter().find(|fact| fact.source == Source::Probe)?;
        if !self.log.is_complete_since(probe.boot_ms?) {
            return None;
        }
        self.evidence.push(probe.clone());
        Some((FlushVerdict::Proven, report.reason.clone()))
    }

    fn why_untested(&self) -> Untested {
        let was_proven =
            self.known.earlier.iter().any(|report| report.verdict == FlushVerdict::Proven);
        match self.known.probe.map(|probe| probe.outcome) {
            None if was_proven => Untested::LogGap,
            None => Untested::NotProbed,
            Some(ProbeOutcome::Silent { .. }) => Untested::Silent,
            Some(ProbeOutcome::Error { .. }) => Untested::StrangeError,
            Some(ProbeOutcome::NotSent(why)) => why.into(),
            Some(ProbeOutcome::Returned { .. }) => Untested::LogGap,
        }
    }
}

/// The names of the errors that a flush can end with (errno(3), block/blk-core.c).
fn errno_name(errno: i32) -> String {
    match errno {
        5 => "EIO".into(),
        28 => "ENOSPC".into(),
        EOPNOTSUPP => "EOPNOTSUPP".into(),
        121 => "EREMOTEIO".into(),
        _ => format!("errno {errno}"),
    }
}

#[cfg(test)]
mod tests;
