//! What `replay` says of a turn: what was known, what was decided, what would be decided today.
//!
//! A recording may come from anywhere: every text of it is shown escaped.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::recovery::effects::{Deed, Effect, Outcome, Users};
use crate::recovery::memory::Memory;
use crate::text::Text;

/// A file that is something else.
pub const NO_RECORDING: &str = "it is no recording of turns; the daemon keeps those in \
    /var/lib/xvdguard/record and /run/xvdguard/record, as incident-*.turns";

/// A line that no recording has.
pub fn bad_line(line: usize) -> String {
    format!("line {line} is none of a recording. Do: get the file anew; it is damaged")
}

/// A turn that cannot be put together.
pub fn bad_part(line: usize, part: &str, version: &Text) -> String {
    format!(
        "the turn that ends in line {line} has no {part} that this version understands; the \
         recording was written by version {version}. Do: replay it with that one"
    )
}

/// The first line of a turn.
pub fn turn(number: usize, boot_ms: u64) -> String {
    format!("turn {number}, {} s after boot", seconds(boot_ms))
}

/// An order that had come to its end.
pub fn ended(memory: &Memory, id: u64, outcome: &Outcome) -> String {
    let deed = jobs(memory).find(|effect| effect.id == id).map(|effect| deed(&effect.deed));
    format!("  ended  #{id} {}: {}", deed.unwrap_or_else(|| "(forgotten)".into()), came(outcome))
}

/// A volume that went from one state to another.
pub fn moved(mount_point: &Text, from: &str, to: &str) -> String {
    format!("  moved  {mount_point}: {} → {}", escaped(from), escaped(to))
}

/// An order.
pub fn ordered(effect: &Effect) -> String {
    let within = match effect.deadline_ms {
        Some(deadline_ms) => format!("within {} s", seconds(deadline_ms)),
        None => "never killed".into(),
    };
    format!("  order  #{} {} ({within})", effect.id, deed(&effect.deed))
}

/// When it looks again by itself.
pub fn wakes(wake_ms: u64) -> String {
    format!("  wakes  {} s after boot", seconds(wake_ms))
}

/// Above what would be decided today.
pub const OTHERWISE: &str = "  TODAY THE DECISION IS ANOTHER:";

/// The last line.
pub fn end(turns: usize, different: usize) -> String {
    match (turns, different) {
        (0, _) => "no turn is in it".into(),
        (_, 0) => format!("{turns} turns; today each would be decided as it was"),
        _ => format!("{turns} turns; today {different} of them would be decided otherwise"),
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn escaped(text: &str) -> Text {
    Text::from(text)
}

/// Everything that is under way.
fn jobs(memory: &Memory) -> impl Iterator<Item = &Effect> {
    let volumes = memory.volumes.iter().filter_map(|volume| volume.job.as_ref());
    let disks = memory.disks.iter().flat_map(|disk| disk.ask.iter().chain(&disk.flush));
    let ours = memory.record.job.iter().chain(&memory.reboot).chain(&memory.said);
    volumes.chain(disks).chain(ours).map(|job| &*job.effect)
}

fn deed(deed: &Deed) -> String {
    match deed {
        Deed::AskDisk(disk) => format!("ask {disk} whether it answers"),
        Deed::ProbeFlush(disk) => format!("flush {disk} once"),
        Deed::SetQueue(setting) => {
            format!("write {} to queue/{} of {}", setting.new, setting.attribute, setting.disk)
        }
        Deed::ReadIdentity(target) => format!("read the super block of {}", target.device_name),
        Deed::ProbeWrite(target) => format!("write a new file to {}", target.mount_point),
        Deed::VerifySameDisk(target, _) => {
            format!("compare the super block of {} with the known one", target.device_name)
        }
        Deed::ListUsers(target) => format!("list who uses {}", target.mount_point),
        Deed::StopUsers(_, units) => format!("stop {}", list(units)),
        Deed::Umount(target) => format!("unmount {}", target.mount_point),
        Deed::CheckFree(target) => format!("see that {} is free", target.device_name),
        Deed::Fsck(target, _) => format!("check the file system on {}", target.device_name),
        Deed::Mount(target, _) => {
            format!("mount {} on {}", target.device_name, target.mount_point)
        }
        Deed::StartUsers(_, units) => format!("start {}", list(units)),
        Deed::Announce(what) => format!("say: {}", escaped(&what.text)),
        Deed::WriteRecord(record) if record.ended_well => "note that this boot ended well".into(),
        Deed::WriteRecord(_) => "note this boot".into(),
        Deed::Reboot(ladder) => format!("reboot: {}", escaped(&ladder.reason)),
    }
}

fn came(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".into(),
        Outcome::AlreadySo => "it was so already".into(),
        Outcome::Identity(identity) => format!("it is {}", identity.uuid),
        Outcome::Users(Users { units, others }) if others.is_empty() => list(units),
        Outcome::Users(Users { units, others }) => {
            let others: Vec<Text> = others.iter().map(|other| escaped(other)).collect();
            format!("{}; not to be stopped by unit: {}", list(units), list(&others))
        }
        Outcome::Failed(failure) => format!("failed: {}", escaped(&failure.text)),
        Outcome::TimedOut => "no answer in time".into(),
    }
}

fn list(all: &[Text]) -> String {
    match all.is_empty() {
        true => "nobody".into(),
        false => all.iter().map(Text::to_string).collect::<Vec<_>>().join(", "),
    }
}
