//! Acting on a volume: one deed at a time, each in a child of its own.
//!
//! Every deed looks again right before it acts, and refuses where the world is not as it was when
//! the deed was decided. Nothing here remounts, forces or detaches; fsck is never killed.
//! Tests: `tests/recovery/`.

pub mod bundles;
mod disk;
mod free;
mod fsck;
mod mounting;
pub mod place;
mod program;
pub mod records;
mod systemd;
mod unmount;
mod users;
mod write_probe;

use std::fmt::Display;
use std::time::Duration;

use xvdguard_logic::recovery::effects::{Deed, Effect, Failure, FailureKind, Outcome};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

pub use disk::open_disk;
pub(crate) use disk::{last_block, read_now};
pub use systemd::unit_of_mount;

use crate::child::Ending;
use crate::error::Result;
use crate::job::{Job, Limit};
use crate::perform;
use crate::root::Root;
use crate::whole_file;

/// Why a deed was not done.
pub type Refusal = Failure;

/// Makes one.
fn refusal(kind: FailureKind, text: impl Display) -> Refusal {
    Failure { kind, text: text.to_string() }
}

/// A path as it is opened below a root.
fn relative(path: &Text) -> &[u8] {
    match path.as_bytes() {
        b"/" => b".",
        [b'/', rest @ ..] => rest,
        other => other,
    }
}

/// Begins an effect. What the daemon does itself (`Announce`, `Reboot`, `ProbeFlush`) is answered
/// as not done.
pub fn begin(root: &Root, effect: &Effect) -> Result<Job> {
    let limit = match effect.deadline_ms {
        Some(time_ms) => Limit::Within(Duration::from_millis(time_ms)),
        None => Limit::Never,
    };
    Job::start(Box::new(|| in_child(root, &effect.deed)), limit)
}

/// What a job of `begin` came to.
pub fn outcome(ending: Ending) -> Outcome {
    let unreadable = || Outcome::Failed(refusal(FailureKind::Other, wording::CHILD_DIED));
    match ending {
        Ending::Answered(answer) => whole_file::from_bytes(&answer).unwrap_or_else(unreadable),
        Ending::Died => unreadable(),
        Ending::Silent => Outcome::TimedOut,
    }
}

fn in_child(root: &Root, deed: &Deed) -> Vec<u8> {
    let outcome = match root.reopen() {
        Ok(root) => perform(&root, deed).unwrap_or_else(Outcome::Failed),
        Err(error) => Outcome::Failed(refusal(FailureKind::Other, error)),
    };
    encode(&outcome)
}

/// How a child says how it went; `outcome` undoes it.
pub fn encode(outcome: &Outcome) -> Vec<u8> {
    whole_file::to_bytes(outcome)
}

fn perform(root: &Root, deed: &Deed) -> std::result::Result<Outcome, Refusal> {
    match deed {
        Deed::AskDisk(name) => disk::ask(root, name),
        Deed::SetQueue(setting) => {
            use xvdguard_logic::effect::Outcome as Set;
            match perform::set_here(root, setting) {
                Ok(Set::Done) => Ok(Outcome::Done),
                Ok(Set::AlreadySo) => Ok(Outcome::AlreadySo),
                Ok(Set::Rounded(has)) => {
                    Err(refusal(FailureKind::Other, wording::set_otherwise(setting, &has)))
                }
                Err(error) => Err(refusal(FailureKind::Other, error)),
            }
        }
        Deed::ReadIdentity(target) => disk::identity(root, target).map(Outcome::Identity),
        Deed::ProbeWrite(target) => write_probe::probe(root, target),
        Deed::VerifySameDisk(target, known) => {
            disk::verify_journal(root, target, known)?;
            disk::verify(root, target, known)?;
            disk::takes_writes(root, target).map(|()| Outcome::Done)
        }
        Deed::ListUsers(target) => users::list(root, target).map(Outcome::Users),
        Deed::StopUsers(_, units) => systemd::stop(units),
        Deed::StartUsers(_, units) => systemd::start(units),
        Deed::Umount(target) => unmount::unmount(root, target),
        Deed::CheckFree(target) => free::check(root, target).map(|()| Outcome::Done),
        Deed::Fsck(target, known) => fsck::run(root, target, known),
        Deed::Mount(target, known) => mounting::mount(root, target, known),
        Deed::WriteRecord(record) => records::write(root, record),
        Deed::Announce(_) | Deed::Reboot(_) | Deed::ProbeFlush(_) => {
            Err(refusal(FailureKind::Other, wording::NOT_FOR_A_CHILD))
        }
    }
}
