//! The table of all that may follow upon a state; the simulation shows that each row happens and
//! nothing else does.

use super::memory::{State, Step};
use crate::block::DeviceNumber;

/// A state without what belongs to one case of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// See `State::Healthy`.
    Healthy,
    /// See `State::Stalled`.
    Stalled,
    /// See `State::Erring`.
    Erring,
    /// See `State::Aborted`.
    Aborted,
    /// See `State::Recovering`.
    Recovering(Step),
    /// See `State::RebootPending`.
    RebootPending,
    /// See `State::GivenUp`.
    GivenUp,
}

impl From<State> for Stage {
    fn from(state: State) -> Stage {
        match state {
            State::Healthy => Stage::Healthy,
            State::Stalled => Stage::Stalled,
            State::Erring => Stage::Erring,
            State::Aborted => Stage::Aborted,
            State::Recovering(step) => Stage::Recovering(step),
            State::RebootPending(_) => Stage::RebootPending,
            State::GivenUp(_) => Stage::GivenUp,
        }
    }
}

/// One step from state to state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The volume.
    pub device: DeviceNumber,
    /// Where it stood.
    pub from: Stage,
    /// Where it stands then.
    pub to: Stage,
}

/// A row: from where, to where, and when.
pub type Row = (Stage, Stage, &'static str);

/// What may follow upon what.
pub const TRANSITIONS: &[Row] = {
    use Stage::{Aborted, Erring, GivenUp, Healthy, RebootPending, Recovering, Stalled};
    use Step::{Confirm, Free, Fsck, List, Mount, Probe, PutBack, Start, Stop, Umount, Verify};
    &[
        (Healthy, Stalled, "a disk neither answers nor fails"),
        (Healthy, Erring, "errors, or a suspicion"),
        (Healthy, Aborted, "the kernel says that it is dead"),
        (Stalled, Healthy, "its disks move again"),
        (Stalled, Erring, "the stall ended in errors"),
        (Stalled, Aborted, "the stall ended in an abort"),
        (Erring, Healthy, "quiet, and it takes writes"),
        (Erring, Stalled, "a disk neither answers nor fails"),
        (Erring, Aborted, "the kernel or a write says that it is dead"),
        (Aborted, Recovering(Confirm), "all disks have answered for `settle`"),
        (Aborted, Recovering(Verify), "the same, and no write is allowed to tell"),
        (Aborted, Erring, "somebody mounted it anew"),
        (Aborted, GivenUp, "to be reported only, recovered too often, or root is given up"),
        (Recovering(Confirm), Recovering(Verify), "it takes no write"),
        (Recovering(Confirm), Healthy, "it takes writes: a false alarm"),
        (
            Recovering(Confirm),
            Aborted,
            "a disk is silent, a hold has come, or somebody unmounted it",
        ),
        (Recovering(Confirm), Erring, "somebody mounted it anew"),
        (Recovering(Confirm), GivenUp, "it takes writes and looks dead"),
        (Recovering(Verify), Recovering(List), "the same disk"),
        (Recovering(Verify), RebootPending, "the same disk, and only a reboot heals it"),
        (
            Recovering(Verify),
            Aborted,
            "a disk is silent, a hold has come, or somebody unmounted it",
        ),
        (Recovering(Verify), Erring, "somebody mounted it anew"),
        (Recovering(Verify), GivenUp, "another disk, or the guard refuses the reboot"),
        (Recovering(List), Recovering(Stop), "its users can be stopped"),
        (Recovering(List), Recovering(Umount), "nobody uses it"),
        (Recovering(List), Aborted, "a disk is silent, a hold has come, or somebody unmounted it"),
        (Recovering(List), Erring, "somebody mounted it anew"),
        (Recovering(List), GivenUp, "somebody uses it who cannot or must not be stopped"),
        (Recovering(Stop), Recovering(Umount), "its users have stopped"),
        (Recovering(Stop), Recovering(PutBack), "they have not"),
        (Recovering(Stop), Aborted, "a hold has come before they were"),
        (Recovering(Stop), Recovering(Probe), "somebody mounted it anew"),
        (Recovering(Stop), GivenUp, "somebody unmounted it, or the step hangs"),
        (Recovering(Umount), Recovering(Free), "it is unmounted"),
        (Recovering(Umount), Recovering(PutBack), "it is busy, and users were stopped"),
        (Recovering(Umount), Aborted, "a hold has come, and nobody was stopped"),
        (Recovering(Umount), Recovering(Probe), "somebody mounted it anew"),
        (Recovering(Umount), Erring, "the same, and nobody was stopped"),
        (Recovering(Umount), GivenUp, "it is busy, somebody unmounted it, or the step hangs"),
        (Recovering(Free), Recovering(Fsck), "the device is free"),
        (Recovering(Free), Recovering(Mount), "the same, and a mount replays its log"),
        (Recovering(Free), Recovering(Probe), "somebody mounted it"),
        (Recovering(Free), GivenUp, "somebody holds the device"),
        (Recovering(Fsck), Recovering(Mount), "checked"),
        (Recovering(Fsck), Recovering(Free), "the storage failed once more"),
        (Recovering(Fsck), Recovering(Probe), "somebody mounted it"),
        (Recovering(Fsck), GivenUp, "its check needs a person"),
        (Recovering(Mount), Recovering(Probe), "mounted"),
        (Recovering(Mount), Recovering(Free), "the storage failed once more"),
        (Recovering(Mount), GivenUp, "it could not be mounted"),
        (Recovering(Probe), Recovering(Start), "it takes writes again"),
        (Recovering(Probe), Healthy, "the same, and nobody was stopped"),
        (Recovering(Probe), GivenUp, "it takes none, or somebody unmounted it"),
        (Recovering(Start), Healthy, "its users were started"),
        (Recovering(Start), GivenUp, "somebody unmounted it, or the step hangs"),
        (Recovering(PutBack), Recovering(Probe), "somebody mounted it anew"),
        (Recovering(PutBack), GivenUp, "everything is as it was, or somebody unmounted it"),
        (RebootPending, Recovering(Verify), "it is due: is it still the same disk?"),
        (RebootPending, Aborted, "a disk is silent, or a hold has come"),
        (RebootPending, Erring, "somebody mounted it anew"),
        (RebootPending, GivenUp, "the guard or the keeper refuses"),
        (GivenUp, Erring, "released, or mounted anew: it may show that it takes writes"),
    ]
};
