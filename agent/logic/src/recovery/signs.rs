//! The kernel's lines, folded: of each device what was said, how often, first and last.
//!
//! In bounded memory however long the log is, and only from records of the kernel itself. A line
//! that was lost is a gap, never a guess. What a sign means for a volume is said in `health`.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::explain::story::meaning::{Meaning, is_request};
use crate::explain::story::{Verdict, Weight};
use crate::kernel_log::matcher::{self, Severity};
use crate::kernel_log::record::Record;
use crate::text::Text;

/// What the kernel said of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// As the kernel names it: the disk (`xvda`) for requests, the node that carries the file
    /// system (`xvda2`, `dm-0`) for journals and file systems. None where the line names none.
    pub device: Option<Text>,
    /// What it means.
    pub kind: SignKind,
    /// How many lines.
    pub count: u64,
    /// When it was said first.
    pub first: Moment,
    /// When it was said last.
    pub last: Moment,
    /// The first line, for people.
    pub line: Text,
}

/// A place in the kernel log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The number of the record: what came later has a larger one.
    pub sequence: u64,
    /// By the kernel's clock, in milliseconds since boot; it stops while the guest is suspended.
    pub boot_ms: u64,
}

/// What a line means, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignKind {
    /// A task waited for more than two minutes.
    Waiting,
    /// A disk answered a request with an error.
    RequestFailed,
    /// A page was lost, or a file system found an error and goes on.
    FileSystemError,
    /// A journal is dead, or a file system was shut down or forced read-only.
    Aborted,
}

/// All signs, and how much of the log was there to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    signs: Vec<Sign>,
    /// The number that the next record should have.
    pub next_sequence: u64,
    /// The number of the first record after the last gap; none where none was lost.
    pub gap: Option<u64>,
}

/// Signs that are kept: four kinds of 256 disks and of what lies on them.
const MOST: usize = 2048;

impl Signs {
    /// Takes one record of the stream. A jump in the numbers is a gap.
    pub fn take(&mut self, record: &Record<'_>) {
        if record.sequence > self.next_sequence {
            self.gap = Some(record.sequence);
        }
        self.next_sequence = record.sequence + 1;
        if !record.is_from_kernel() {
            return;
        }
        let Some(found) = matcher::find(record.text) else { return };
        let device = found.device.map(Text::from);
        match Meaning::of(&found) {
            Meaning::Mounted => self.forget(device.as_ref()),
            Meaning::Finding(Weight::Proves(verdict)) => {
                let is_refusal = found.id.severity() == Severity::BarrierFailed;
                if let Some(kind) = kind(verdict, is_request(found.id) && !is_refusal) {
                    self.note(device, kind, record);
                }
            }
            _ => {}
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Sign> {
        self.signs.iter()
    }

    /// What was said of `device` in records from `since` on.
    pub fn of<'a>(
        &'a self,
        device: Option<&'a Text>,
        since: u64,
    ) -> impl Iterator<Item = &'a Sign> {
        let concerns = move |sign: &&Sign| sign.device.as_ref() == device;
        self.signs.iter().filter(concerns).filter(move |sign| sign.last.sequence >= since)
    }

    /// A file system that is mounted anew has nothing to do with what was said of the last one.
    fn forget(&mut self, device: Option<&Text>) {
        self.signs.retain(|sign| sign.device.is_none() || sign.device.as_ref() != device);
    }

    fn note(&mut self, device: Option<Text>, kind: SignKind, record: &Record<'_>) {
        let at = Moment { sequence: record.sequence, boot_ms: record.boot_ms() };
        let known = self.signs.iter_mut().find(|sign| sign.kind == kind && sign.device == device);
        if let Some(sign) = known {
            sign.count += 1;
            sign.last = at;
            return;
        }
        if self.signs.len() == MOST {
            self.make_room();
        }
        let line = Text::from(record.text);
        self.signs.push(Sign { device, kind, count: 1, first: at, last: at, line });
    }

    /// The least bad one of those that were not repeated for the longest time goes.
    fn make_room(&mut self) {
        let least = self.signs.iter().enumerate();
        let least = least.min_by_key(|(_, sign)| (sign.kind, sign.last.sequence));
        if let Some((index, _)) = least {
            self.signs.remove(index);
        }
    }
}

/// A refusal of a flush is the barrier job's, which reads it for itself.
fn kind(verdict: Verdict, is_request: bool) -> Option<SignKind> {
    match verdict {
        Verdict::Healthy | Verdict::Refused => None,
        Verdict::Stalled => Some(SignKind::Waiting),
        Verdict::Erring if is_request => Some(SignKind::RequestFailed),
        Verdict::Erring => Some(SignKind::FileSystemError),
        Verdict::Aborted => Some(SignKind::Aborted),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn fold(lines: &[(u32, u64, &str)]) -> Signs {
        let mut signs = Signs::default();
        for (priority, sequence, line) in lines {
            signs.take(&Record {
                priority: *priority,
                sequence: *sequence,
                boot_us: sequence * 1_000_000,
                text: line.as_bytes(),
            });
        }
        signs
    }

    fn kinds(signs: &Signs, device: &str) -> Vec<(SignKind, u64)> {
        let device = Text::from(device);
        signs.of(Some(&device), 0).map(|sign| (sign.kind, sign.count)).collect()
    }

    // Lines of a guest on 6.1 whose root disk gave errors for 15 seconds.
    const REQUEST: &str = "I/O error, dev xvda, sector 704664 op 0x1:(WRITE) flags 0x0 phys_seg 1 \
                           prio class 2";
    const ABORTED: &str = "Aborting journal on device xvda-8.";
    const READ_ONLY: &str = "EXT4-fs (xvda): Remounting filesystem read-only";
    const DATA: &str = "JBD2: Detected IO errors while flushing file data on xvda-8";
    const MOUNTED: &str = "EXT4-fs (xvda): mounted filesystem with ordered data mode. Opts: (null)";

    #[test]
    fn lines_of_one_device_are_counted_by_what_they_mean() {
        let signs = fold(&[
            (3, 0, REQUEST),
            (4, 1, DATA),
            (3, 2, REQUEST),
            (3, 3, ABORTED),
            (2, 4, READ_ONLY),
        ]);
        use SignKind::{Aborted, FileSystemError, RequestFailed};
        let expected = vec![(RequestFailed, 2), (FileSystemError, 1), (Aborted, 2)];
        assert_eq!(kinds(&signs, "xvda"), expected);
        let aborted = signs.iter().find(|sign| sign.kind == Aborted).unwrap();
        assert_eq!((aborted.first.sequence, aborted.last.sequence), (3, 4));
        assert_eq!(aborted.line, ABORTED);
        assert_eq!(signs.of(Some(&"xvda".into()), 4).count(), 1);
    }

    #[test]
    fn a_line_that_a_process_wrote_is_no_sign() {
        // Facility user: 1 * 8 + 2.
        assert_eq!(fold(&[(10, 0, ABORTED)]).iter().count(), 0);
    }

    #[test]
    fn a_new_mount_forgets_what_was_said_of_the_last() {
        let signs =
            fold(&[(3, 0, ABORTED), (3, 1, "Aborting journal on device xvdb-8."), (6, 2, MOUNTED)]);
        assert_eq!(kinds(&signs, "xvda"), []);
        assert_eq!(kinds(&signs, "xvdb"), [(SignKind::Aborted, 1)]);
    }

    #[test]
    fn lost_records_are_a_gap_and_signs_stay_bounded() {
        let mut signs = fold(&[(3, 0, ABORTED), (6, 700, "something")]);
        assert_eq!((signs.gap, signs.next_sequence), (Some(700), 701));
        for number in 0..3000_u64 {
            let tail = "sector 1 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 2";
            let line = alloc::format!("I/O error, dev dm-{number}, {tail}");
            let sequence = 701 + number;
            signs.take(&Record { priority: 3, sequence, boot_us: 0, text: line.as_bytes() });
        }
        assert_eq!(signs.iter().count(), MOST);
        assert_eq!(kinds(&signs, "xvda"), [(SignKind::Aborted, 1)]);
    }

    #[test]
    fn a_refused_flush_is_left_to_the_barrier_job() {
        assert_eq!(fold(&[(4, 0, "blkfront: xvda: flush op failed")]).iter().count(), 0);
    }

    /// Lines of user space count too: they have numbers of the same row.
    #[test]
    fn a_jump_in_the_numbers_is_a_gap() {
        let mut signs = Signs::default();
        let mut take = |sequence| {
            let record = Record { priority: 14, sequence, boot_us: 0, text: b"hello" };
            signs.take(&record);
            (signs.gap, signs.next_sequence)
        };
        assert_eq!(take(0), (None, 1));
        assert_eq!(take(1), (None, 2));
        assert_eq!(take(3), (Some(3), 4));
        assert_eq!(take(4), (Some(3), 5));
    }
}
