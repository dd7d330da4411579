//! What early boot says, on the kernel log and in its report: each line names the word or the
//! evidence that decided.

use alloc::format;
use alloc::string::{String, ToString};

use crate::effect::{Outcome, QueueSetting, Switch};
use crate::kernel_version::KernelVersion;
use crate::policy::{BarrierMode, Policy};
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::verdict::evidence::Evidence;
use crate::verdict::report::DiskReport;

/// Said when `barrier=0` is wanted and root is not known to be ext3 or ext4.
pub const ROOT_NOT_EXT: &str = "root is not mounted with barrier=0: its super block was not read \
    or is not ext3 or ext4";

/// Said when root's super block notes errors, as after an aborted journal.
pub const ROOT_HAS_ERRORS: &str = "root: its super block notes errors of an earlier boot: e2fsck \
    will check all of it, which may take minutes; let it";

/// Said when the machine is not a Xen guest.
pub const NOT_A_GUEST: &str = "not a Xen guest: nothing done";

/// Said when a word of the kernel command line, such as `xvdguard=off`, makes us inert.
pub fn inert(word: &Text) -> String {
    format!("\"{word}\" on the kernel command line: nothing done")
}

/// Said when the deadline over all ends the work.
pub fn out_of_time(after_ms: u64) -> String {
    format!("gave up after {after_ms} ms: the boot goes on without a verdict. Do: xvdguard probe")
}

/// What came of a setting.
pub struct Sentence {
    /// For people.
    pub text: String,
    /// Whether the attribute now reads as wanted because we wrote it.
    pub is_done: bool,
}

/// Says what came of a setting; `result` is what it reads now where the kernel rounded it.
pub fn setting(setting: &QueueSetting, result: Result<Outcome, String>) -> Sentence {
    let QueueSetting { disk, attribute, old, new, reason } = setting;
    let is_done = result == Ok(Outcome::Done);
    let text = match result {
        Ok(Outcome::Done) => format!("{disk} queue/{attribute}: was {old}, is {new} ({reason})"),
        Ok(Outcome::AlreadySo) => format!("{disk} queue/{attribute}: is {new} already"),
        Ok(Outcome::Rounded(has)) => {
            format!("{disk} queue/{attribute}: is {has} after {new} was written ({reason})")
        }
        Err(error) => format!("{error}; {disk} stays as it is"),
    };
    Sentence { text, is_done }
}

/// What the sentences need to know besides the report.
pub struct Words<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The running kernel.
    pub kernel: Option<KernelVersion>,
}

impl Words<'_> {
    /// Why flushes are switched off on this disk.
    pub fn why_off(&self, report: &DiskReport) -> String {
        match self.policy.barrier.value {
            BarrierMode::Off => self.policy.barrier.origin.to_string(),
            _ => report.verdict.to_string(),
        }
    }

    /// The line about one disk.
    pub fn disk(&self, report: &DiskReport, switch: Switch) -> String {
        let DiskReport { name, verdict, reason, .. } = report;
        let evidence = decisive(report).map(|fact| format!(" [{}]", fact.text));
        let evidence = evidence.unwrap_or_default();
        let done = self.done(*verdict, switch);
        format!("{name} {verdict}: {reason}{evidence}{done}")
    }

    fn done(&self, verdict: FlushVerdict, switch: Switch) -> String {
        let by_person = self.policy.barrier.value == BarrierMode::Off;
        let price =
            "; price: after a power loss of the host, writes that it had not flushed are lost";
        let why = if by_person {
            format!(", by {}{price}", self.policy.barrier.origin)
        } else {
            String::new()
        };
        match switch {
            Switch::Queue => format!("; write_cache is set to write through{why}"),
            Switch::Mount => format!("; ext3 and ext4 on it need barrier=0{why}"),
            Switch::None => self.nothing_done(verdict),
        }
    }

    fn nothing_done(&self, verdict: FlushVerdict) -> String {
        let mode = self.policy.barrier.value;
        let harmless = self.kernel.is_some_and(|kernel| !kernel.aborts_on_failed_flush());
        match verdict {
            FlushVerdict::Refused if mode == BarrierMode::On || mode == BarrierMode::Leave => {
                format!("; left as it is, by {}", self.policy.barrier.origin)
            }
            FlushVerdict::Refused if harmless => {
                "; this kernel sends no further flush and no journal aborts".into()
            }
            FlushVerdict::Refused => "; the kernel sends no further flush".into(),
            FlushVerdict::Failing | FlushVerdict::Lost => {
                "; no flush is sent until the vbd reconnects. Do: let the host detach and attach \
                 it, or reboot"
                    .into()
            }
            FlushVerdict::Untested if mode.probes() => ". Do: xvdguard probe".into(),
            _ => String::new(),
        }
    }
}

/// The last piece of evidence is the one that tipped the scale.
fn decisive(report: &DiskReport) -> Option<&Evidence> {
    report.evidence.last()
}
