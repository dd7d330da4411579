//! What the log says about one disk since it last connected.

use super::blkfront::{Message, Uses};
use super::{KernelLog, LogFact};
use crate::kernel_version::KernelVersion;
use crate::text::Text;

/// The log of one disk, from its last connect on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionLog<'a> {
    /// The state line of the connect, where the log still holds it.
    pub connect: Option<&'a LogFact>,
    /// What that line said is sent.
    pub uses_at_connect: Option<Uses>,
    /// The first flush that the backend refused.
    pub refused: Option<&'a LogFact>,
    /// The first flush that the backend answered with an error.
    pub failed: Option<&'a LogFact>,
    /// The line by which blkfront gave flushes up (up to 6.10).
    pub given_up: Option<&'a LogFact>,
    /// What it began with, as far as the log tells: a state line or a resume.
    begun_by: Option<&'a LogFact>,
    /// When it connected, as far as the log tells: 0 stands for "before the log".
    connected_ms: u64,
    /// Since when no line about this disk is missing; none without a log.
    complete_since_ms: Option<u64>,
}

impl<'a> ConnectionLog<'a> {
    /// Folds the facts about `disk`.
    pub fn of(log: &'a KernelLog, disk: &Text, kernel: Option<KernelVersion>) -> Self {
        let heals = kernel.is_some_and(|kernel| !kernel.aborts_on_failed_flush());
        let mut folded = ConnectionLog::fold(log, disk, heals);
        folded.complete_since_ms = log.complete_for_flush_since_ms();
        folded
    }

    /// `heals`: whether a resume heals what failed before it.
    fn fold(log: &'a KernelLog, disk: &Text, heals: bool) -> Self {
        let mut folded = ConnectionLog::default();
        for fact in log.facts.iter().filter(|fact| fact.message.concerns(disk)) {
            folded.take(fact, heals);
        }
        folded
    }

    /// The facts that the connection of `disk` is known by, on any kernel. A log of these alone, in
    /// their order, tells the same of it as the whole, now and whatever follows.
    pub(super) fn needed(log: &'a KernelLog, disk: &Text) -> impl Iterator<Item = &'a LogFact> {
        [false, true].into_iter().flat_map(|heals| {
            let ConnectionLog { begun_by, refused, failed, given_up, .. } =
                ConnectionLog::fold(log, disk, heals);
            [begun_by, refused, failed, given_up].into_iter().flatten()
        })
    }

    /// Whether no line about this connection can be missing.
    pub fn is_complete(&self) -> bool {
        self.is_complete_since(self.connected_ms)
    }

    /// Whether no line since `boot_ms` can be missing: enough where a report knows what was before.
    pub fn is_complete_since(&self, boot_ms: u64) -> bool {
        self.complete_since_ms.is_some_and(|since| since <= boot_ms.max(self.connected_ms))
    }

    fn take(&mut self, fact: &'a LogFact, heals: bool) {
        match &fact.message {
            Message::State { uses: Uses::Nothing, .. } if self.could_give_up() => {
                self.given_up.get_or_insert(fact);
            }
            Message::State { uses, .. } => self.begin(fact, *uses),
            Message::Refused { .. } => {
                self.refused.get_or_insert(fact);
            }
            Message::Failed { .. } => {
                self.failed.get_or_insert(fact);
            }
            Message::Resumed => self.resume(fact, heals),
            Message::Suppressed => {}
        }
    }

    /// Whether a "disabled" now would be the end of flushes that were sent, not a connect.
    fn could_give_up(&self) -> bool {
        let sent = matches!(self.uses_at_connect, Some(Uses::Flush | Uses::Barrier));
        sent || self.refused.is_some() || self.failed.is_some()
    }

    fn begin(&mut self, fact: &'a LogFact, uses: Uses) {
        *self = ConnectionLog {
            connected_ms: fact.boot_ms,
            begun_by: Some(fact),
            connect: Some(fact),
            uses_at_connect: Some(uses),
            ..ConnectionLog::default()
        };
    }

    /// After a resume the features are read anew. Up to 6.10 a failure before it is not healed:
    /// the queue stays at write through (measured on 5.10 and 6.1); from 6.11 on it is.
    fn resume(&mut self, fact: &'a LogFact, heals: bool) {
        let had_failed = self.refused.is_some() || self.failed.is_some();
        if !had_failed || heals {
            *self = ConnectionLog {
                connected_ms: fact.boot_ms,
                begun_by: Some(fact),
                ..ConnectionLog::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel_log::record::Record;

    const OLD: Option<KernelVersion> = Some(KernelVersion::new(6, 1, 0));
    const NEW: Option<KernelVersion> = Some(KernelVersion::new(6, 12, 0));

    fn log(first_sequence: u64, lines: &[&str]) -> KernelLog {
        let mut log = KernelLog::default();
        for (index, line) in lines.iter().enumerate() {
            let index = index as u64;
            log.take(&Record {
                priority: 4,
                sequence: first_sequence + index,
                boot_us: (1000 + index) * 1000,
                text: line.as_bytes(),
            });
        }
        log
    }

    fn fold<'a>(log: &'a KernelLog, kernel: Option<KernelVersion>) -> ConnectionLog<'a> {
        ConnectionLog::of(log, &Text::from("xvda"), kernel)
    }

    const ENABLED: &str = "blkfront: xvda: flush diskcache: enabled; persistent grants: enabled;";
    const DISABLED: &str =
        "blkfront: xvda: barrier or flush: disabled; persistent grants: enabled;";
    const REFUSED: &str = "blkfront: xvda: flush op failed";

    #[test]
    fn disabled_at_probe_is_a_connect_and_no_failure() {
        let log = log(0, &[DISABLED]);
        let folded = fold(&log, OLD);
        assert_eq!(folded.uses_at_connect, Some(Uses::Nothing));
        assert!(folded.given_up.is_none() && folded.refused.is_none() && folded.is_complete());
    }

    #[test]
    fn a_refusal_and_what_follows_belong_to_the_connection() {
        let log = log(0, &[ENABLED, REFUSED, DISABLED, "blkfront: xvdb: empty flush op failed"]);
        let folded = fold(&log, OLD);
        assert_eq!(folded.uses_at_connect, Some(Uses::Flush));
        assert_eq!(folded.refused.map(|fact| fact.line.clone()), Some(REFUSED.into()));
        assert!(folded.given_up.is_some() && folded.failed.is_none());
    }

    #[test]
    fn a_refusal_survives_where_its_connect_left_the_log() {
        let log = log(700, &[REFUSED, DISABLED]);
        assert!(fold(&log, OLD).refused.is_some());
    }

    #[test]
    fn a_new_connect_forgets_what_was_before() {
        let log = log(0, &[ENABLED, REFUSED, DISABLED, ENABLED]);
        let folded = fold(&log, OLD);
        assert!(folded.refused.is_none() && folded.given_up.is_none() && folded.is_complete());
    }

    #[test]
    fn a_resume_heals_new_kernels_only() {
        let log = log(0, &[ENABLED, REFUSED, "suspending xenstore..."]);
        assert!(fold(&log, OLD).refused.is_some());
        assert!(fold(&log, NEW).refused.is_none());
    }

    #[test]
    fn a_log_that_begins_after_the_connect_is_not_complete() {
        let late = log(700, &["something else"]);
        assert!(!fold(&late, OLD).is_complete());
        let connect_inside = log(700, &[ENABLED]);
        assert!(fold(&connect_inside, OLD).is_complete());
        assert!(!fold(&KernelLog::default(), OLD).is_complete());
    }

    #[test]
    fn dropped_lines_and_gaps_are_missing_lines() {
        let suppressed = log(0, &[ENABLED, "blkif_interrupt: 3 callbacks suppressed"]);
        assert!(!fold(&suppressed, NEW).is_complete());
        let mut gap = log(0, &[ENABLED]);
        gap.gap(5000);
        assert!(!fold(&gap, NEW).is_complete());
    }
}
