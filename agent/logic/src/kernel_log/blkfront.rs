//! What xen-blkfront's messages mean for flushes; their forms are in `matcher`.

use super::matcher::{self, Capture, Id, Match};
use crate::text::Text;

/// One understood message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The state line: at each connect and, up to 6.10, again when flushes are given up.
    State {
        /// The disk.
        disk: Text,
        /// What is now sent.
        uses: Uses,
    },
    /// The backend answered a flush or barrier with EOPNOTSUPP.
    Refused {
        /// The disk.
        disk: Text,
    },
    /// The backend answered an empty flush or barrier with an error.
    Failed {
        /// The disk.
        disk: Text,
    },
    /// The domain was saved and restored or migrated: every disk reconnects without a line.
    Resumed,
    /// Lines like those above were dropped (blkfront prints them rate limited).
    Suppressed,
}

/// What blkfront sends to a disk to make data durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uses {
    /// "flush diskcache: enabled"
    Flush,
    /// "barrier: enabled", "barriers enabled"
    Barrier,
    /// "barrier or flush: disabled"
    Nothing,
}

impl Message {
    /// Reads one line without its time stamp.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let found = matcher::blkfront::find(line).or_else(|| matcher::words::find_dropped(line))?;
        let disk = found.device.map(Text::from);
        match found.id {
            Id::BlkfrontBarrierFail26 | Id::BlkfrontBarrierFailSwapped => {
                Some(Message::Refused { disk: disk? })
            }
            Id::BlkfrontEmptyFailSwapped => Some(Message::Failed { disk: disk? }),
            Id::BlkfrontOpFail if found.get(Capture::Empty).is_some() => {
                Some(Message::Failed { disk: disk? })
            }
            Id::BlkfrontOpFail => Some(Message::Refused { disk: disk? }),
            Id::BlkfrontBarriersState26 | Id::BlkfrontFlushState3x | Id::BlkfrontFlushState311 => {
                Some(Message::State { disk: disk?, uses: Uses::said_by(&found) })
            }
            Id::XenSuspending => Some(Message::Resumed),
            Id::RatelimitSuppressed => {
                let function = found.get(Capture::Function);
                (function == Some(b"blkif_interrupt")).then_some(Message::Suppressed)
            }
            _ => None,
        }
    }

    /// The disk that the message speaks of; none where it speaks of all.
    pub fn disk(&self) -> Option<&Text> {
        match self {
            Message::State { disk, .. } | Message::Refused { disk } | Message::Failed { disk } => {
                Some(disk)
            }
            Message::Resumed | Message::Suppressed => None,
        }
    }

    /// Whether the message speaks of the disk of that name.
    pub fn concerns(&self, name: &Text) -> bool {
        self.disk().is_none_or(|disk| disk == name)
    }
}

impl Uses {
    fn said_by(state: &Match<'_>) -> Uses {
        if state.get(Capture::State) == Some(b"disabled") {
            return Uses::Nothing;
        }
        match state.get(Capture::Operation) {
            Some(b"flush diskcache") => Uses::Flush,
            Some(b"barrier or flush") => Uses::Nothing,
            // "barriers enabled", the form of 2.6, names no operation.
            _ => Uses::Barrier,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Message> {
        Message::parse(line.as_bytes())
    }

    #[test]
    fn failures_of_every_kernel_are_understood() {
        let refused = |disk: &str| Some(Message::Refused { disk: disk.into() });
        let failed = |disk: &str| Some(Message::Failed { disk: disk.into() });
        for (line, expected) in [
            ("blkfront: xvda2: write barrier op failed", refused("xvda2")),
            ("blkfront: barrier: write xvda2 op failed", refused("xvda2")),
            ("blkfront: flush disk cache: write xvda op failed", refused("xvda")),
            ("blkfront: barrier: empty write xvda2 op failed", failed("xvda2")),
            ("blkfront: xvdb: flush op failed", refused("xvdb")),
            ("blkfront: xvdb: barrier op failed", refused("xvdb")),
            ("blkfront: xvdb: empty flush op failed", failed("xvdb")),
            ("blkfront: xvdb: empty barrier op failed", failed("xvdb")),
            ("blkfront: xvda: discard op failed", None),
            ("blkfront: xvda: read op failed", None),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }

    #[test]
    fn state_lines_of_every_kernel_are_understood() {
        let state = |uses| Some(Message::State { disk: "xvda".into(), uses });
        for (line, expected) in [
            ("blkfront: xvda: barriers enabled", state(Uses::Barrier)),
            ("blkfront: xvda: barriers enabled (drain)", state(Uses::Barrier)),
            ("blkfront: xvda: barriers disabled", state(Uses::Nothing)),
            ("blkfront: xvda: barrier or flush: disabled", state(Uses::Nothing)),
            ("blkfront: xvda: flush diskcache: enabled", state(Uses::Flush)),
            ("blkfront: xvda: barrier: enabled; persistent grants: enabled;", state(Uses::Barrier)),
            (
                "blkfront: xvda: barrier or flush: disabled; persistent grants: enabled; \
                 indirect descriptors: enabled; bounce buffer: enabled",
                state(Uses::Nothing),
            ),
            ("blkfront: xvda: flush diskcache: perhaps", None),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }

    #[test]
    fn the_same_words_elsewhere_are_nothing() {
        for line in [
            "systemd[1]: blkfront: xvda: flush op failed",
            " blkfront: xvda: flush op failed",
            "blkfront: xvda: flush op failed by you",
            "blkfront: a b: flush op failed",
            "blkfront: : flush op failed",
            "blkfront: xvda:flush op failed",
            "blkfront: abcdefghijabcdefghijabcdefghijab: flush op failed",
            "blkfront: ",
            "",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn lines_about_all_disks_are_understood() {
        assert_eq!(parse("suspending xenstore..."), Some(Message::Resumed));
        assert_eq!(parse("blkif_interrupt: 12 callbacks suppressed"), Some(Message::Suppressed));
        assert_eq!(parse("buffer_io_error: 12 callbacks suppressed"), None);
    }
}
