//! What xen-blkfront says about flushes, in every form it ever had (2.6.18 to 7.2).
//!
//! Anchored at the start of the line, so that the same words inside another message are nothing.

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
        if let Some(rest) = line.strip_prefix(b"blkfront: ") {
            return blkfront(rest);
        }
        if line.starts_with(b"suspending xenstore...") {
            return Some(Message::Resumed);
        }
        let suppressed = line.strip_prefix(b"blkif_interrupt: ")?;
        suppressed.ends_with(b" callbacks suppressed").then_some(Message::Suppressed)
    }

    /// Whether the message speaks of `disk`; those that speak of no disk speak of all.
    pub fn concerns(&self, name: &Text) -> bool {
        match self {
            Message::State { disk, .. } | Message::Refused { disk } | Message::Failed { disk } => {
                disk == name
            }
            Message::Resumed | Message::Suppressed => true,
        }
    }
}

fn blkfront(rest: &[u8]) -> Option<Message> {
    // About 2.6.37 to 3.4 the arguments were swapped: "barrier: write xvda op failed".
    for operation in [&b"barrier: "[..], b"flush disk cache: "] {
        if let Some(swapped) = rest.strip_prefix(operation) {
            return failure_swapped(swapped);
        }
    }
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let disk = disk_name(&rest[..colon])?;
    let said = rest[colon + 1..].strip_prefix(b" ")?;
    failure(said, &disk).or_else(|| state(said, disk))
}

fn failure_swapped(rest: &[u8]) -> Option<Message> {
    let subject = rest.strip_suffix(b" op failed")?;
    match subject.strip_prefix(b"empty write ") {
        Some(name) => Some(Message::Failed { disk: disk_name(name)? }),
        None => Some(Message::Refused { disk: disk_name(subject.strip_prefix(b"write ")?)? }),
    }
}

fn failure(said: &[u8], disk: &Text) -> Option<Message> {
    let disk = disk.clone();
    match said {
        b"write barrier op failed" | b"barrier op failed" | b"flush op failed" => {
            Some(Message::Refused { disk })
        }
        b"empty barrier op failed" | b"empty flush op failed" => Some(Message::Failed { disk }),
        _ => None,
    }
}

fn state(said: &[u8], disk: Text) -> Option<Message> {
    // "barriers enabled (drain)" is the form of 2.6, "barrier or flush: disabled; …" a later one.
    let subjects = [
        (&b"barriers "[..], Uses::Barrier),
        (b"barrier: ", Uses::Barrier),
        (b"flush diskcache: ", Uses::Flush),
        (b"barrier or flush: ", Uses::Nothing),
    ];
    let (value, operation) =
        subjects.into_iter().find_map(|(text, uses)| Some((said.strip_prefix(text)?, uses)))?;
    let end = value.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(value.len());
    let uses = match &value[..end] {
        b"enabled" => operation,
        b"disabled" => Uses::Nothing,
        _ => return None,
    };
    Some(Message::State { disk, uses })
}

/// The characters of disk names, DISK_NAME_LEN (include/linux/genhd.h) bounding them.
fn disk_name(bytes: &[u8]) -> Option<Text> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"_!/.-".contains(byte);
    let valid = (1..=31).contains(&bytes.len()) && bytes.iter().all(allowed);
    valid.then(|| Text::from(bytes))
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
