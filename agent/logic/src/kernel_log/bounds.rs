//! A log that is followed for weeks, in bounded memory: what is over is forgotten.
//!
//! Kept are, of each disk, what its present connection began with and the first refusal, failure
//! and end of flushes since (as kernels that heal at a resume see it, and as others do), and the
//! last line about suppressed lines. Whatever `connection` says of a log, it says of what is kept.
//! Where the kernel names more disks than a guest can have, the oldest facts go as well, and the
//! log is no longer complete: then nothing is taken for proven.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ptr;

use super::blkfront::Message;
use super::connection::ConnectionLog;
use super::{KernelLog, LogFact};
use crate::order;
use crate::text::Text;

/// So many facts are no burden, whatever they are about.
const FEW: usize = 256;

/// Facts that are kept at most: those of 400 disks, all of them in the worst case.
const MOST: usize = 4096;

impl KernelLog {
    /// Forgets what is over, where much is known. For whoever follows the log for longer than a
    /// boot takes.
    pub fn keep_in_bounds(&mut self) {
        if self.facts.len() > FEW {
            self.forget_what_is_over();
        }
    }

    fn forget_what_is_over(&mut self) {
        let needed = self.needed();
        let mut is_needed = needed.into_iter();
        self.facts.retain(|_| is_needed.next() == Some(true));
        let surplus = self.facts.len().saturating_sub(MOST);
        if let Some(next) = self.facts.get(surplus).filter(|_| surplus > 0) {
            self.complete_since_ms = Some(next.boot_ms);
            self.facts.drain(..surplus);
        }
    }

    /// Of each fact, whether something may still rest on it.
    fn needed(&self) -> Vec<bool> {
        let disks: BTreeSet<&Text> =
            order::gather(self.facts.iter().filter_map(|fact| fact.message.disk()));
        let of_disks = disks.into_iter().flat_map(|disk| ConnectionLog::needed(self, disk));
        let suppressed = self.facts.iter().filter(|fact| fact.message == Message::Suppressed);
        let last = suppressed.max_by_key(|fact| fact.boot_ms);
        // A disk that no line has named yet was connected by the last resume, too.
        let resumed = self.facts.iter().rfind(|fact| fact.message == Message::Resumed);
        let needed = of_disks.chain(last).chain(resumed);
        let needed: BTreeSet<*const LogFact> = order::gather(needed.map(ptr::from_ref));
        self.facts.iter().map(|fact| needed.contains(&ptr::from_ref(fact))).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::kernel_log::record::Record;
    use crate::kernel_version::KernelVersion;

    const LINES: [&str; 8] = [
        "blkfront: xvda: flush diskcache: enabled; persistent grants: enabled;",
        "blkfront: xvda: barrier or flush: disabled; persistent grants: enabled;",
        "blkfront: xvda: flush op failed",
        "blkfront: xvda: empty flush op failed",
        "blkfront: xvdb: flush diskcache: enabled; persistent grants: enabled;",
        "blkfront: xvdb: flush op failed",
        "suspending xenstore...",
        "blkif_interrupt: 3 callbacks suppressed",
    ];

    fn take(log: &mut KernelLog, sequence: u64, line: &str) {
        let text = line.as_bytes();
        log.take(&Record { priority: 4, sequence, boot_us: (1000 + sequence) * 1000, text });
    }

    /// Both say the same of every disk, on kernels of both kinds.
    fn agree(kept: &KernelLog, whole: &KernelLog) -> bool {
        let kernels = [None, Some(KernelVersion::new(6, 1, 0)), Some(KernelVersion::new(6, 12, 0))];
        ["xvda", "xvdb", "xvdc"].iter().map(|name| Text::from(*name)).all(|disk| {
            kernels.iter().all(|kernel| {
                ConnectionLog::of(kept, &disk, *kernel) == ConnectionLog::of(whole, &disk, *kernel)
            })
        })
    }

    /// Every log of five lines, shortened after each line, says what the whole one says.
    #[test]
    fn what_is_kept_says_what_the_whole_log_says() {
        let count = LINES.len() as u64;
        for number in 0..count.pow(5) {
            let (mut whole, mut kept) = (KernelLog::default(), KernelLog::default());
            for sequence in 0..5 {
                let line = LINES[(number / count.pow(sequence) % count) as usize];
                take(&mut whole, sequence.into(), line);
                take(&mut kept, sequence.into(), line);
                kept.forget_what_is_over();
            }
            assert!(agree(&kept, &whole), "log {number}: {whole:#?}");
        }
    }

    #[test]
    fn a_log_of_weeks_stays_small() {
        let mut log = KernelLog::default();
        for sequence in 0..100_000_u64 {
            take(&mut log, sequence, LINES[(sequence * 7 % 8) as usize]);
            log.keep_in_bounds();
            assert!(log.facts.len() <= FEW);
        }
        assert_eq!((log.understood, log.complete_since_ms), (100_000, Some(0)));
    }

    #[test]
    fn more_disks_than_there_are_cost_the_completeness_and_no_memory() {
        let mut log = KernelLog::default();
        for sequence in 0..3 * MOST as u64 {
            take(&mut log, sequence, &format!("blkfront: xvd{sequence}: flush op failed"));
        }
        log.keep_in_bounds();
        assert_eq!(log.facts.len(), MOST);
        assert!(log.complete_since_ms > Some(1000 + MOST as u64));
    }
}
