//! Lines of scripts, rules and tables that a rule may be about. All others are dropped at once.

use alloc::string::String;
use alloc::vec::Vec;

use super::File;
use super::wanted::Kind;
use crate::text::Text;

/// A line that a rule may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `/etc/rc.local:7`.
    pub place: String,
    /// What file it is from.
    pub kind: LineKind,
    /// The line without the blanks around it.
    pub text: Text,
}

/// What a file with such lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A shell script, cron table, unit or tmpfiles.d(5): holds commands.
    Script,
    /// udev(7).
    Udev,
    /// sysctl.d(5).
    Sysctl,
    /// The configuration of the iSCSI initiator.
    Iscsid,
    /// A guest's configuration on the host: xl.cfg(5), and what xm read.
    Toolstack,
    /// GRUB's map from its names to disks.
    DeviceMap,
    /// SUSE's `/etc/sysconfig/kernel`.
    Initrd,
}

impl LineKind {
    /// What a line must hold for a rule to be about it.
    fn signs(self) -> &'static [&'static [u8]] {
        match self {
            LineKind::Script => &[
                b"device/timeout",
                b"device/eh_timeout",
                b"device/max_retries",
                b"queue/io_timeout",
                b"remount",
                b"block-attach",
            ],
            LineKind::Udev => &[b"KERNEL==", b"timeout"],
            LineKind::Sysctl => &[b"timeout", b"retr"],
            LineKind::Iscsid => &[b"node.conn[0].timeo.noop_out"],
            LineKind::Toolstack => {
                &[b"timeout", b"retry", b"on_crash", b"on_poweroff", b"extra", b"cmdline", b"root"]
            }
            LineKind::DeviceMap => &[b"/dev/"],
            LineKind::Initrd => &[b"INITRD_MODULES"],
        }
    }

    /// Whether a rule may be about this line; comments never matter.
    pub(super) fn concerns(self, line: &[u8]) -> bool {
        let holds = |sign: &&[u8]| line.windows(sign.len()).any(|window| window == *sign);
        !line.starts_with(b"#") && self.signs().iter().any(holds)
    }
}

/// The lines of a file that may matter.
pub(super) fn of_interest(file: &File) -> Vec<Line> {
    let kind = match file.kind {
        Kind::Lines(kind) => kind,
        Kind::Sysctl => LineKind::Sysctl,
        _ => return Vec::new(),
    };
    let lines = file.numbered().filter(|(_, line)| kind.concerns(line));
    lines
        .map(|(number, line)| Line { place: file.place(number), kind, text: line.into() })
        .collect()
}
