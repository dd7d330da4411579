//! Carries out effects as the Linux side does: in children that take time, fail and hang, and that
//! look again right before they act.

use xvdguard_logic::effect::Attribute;
use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::recovery::effects::{
    Deed, Effect, EffectId, Ended, Failure, FailureKind, Identity, Outcome, Target, Users,
};
use xvdguard_logic::recovery::memory::BootRecord;
use xvdguard_logic::text::Text;

use crate::machine::{Machine, Wrote};
use crate::script::{Backend, Ending, MINUTE, SECOND};

/// A child.
#[derive(Debug, Clone)]
pub struct Child {
    pub effect: Effect,
    /// When it was begun.
    pub begun_ms: u64,
    /// When it would be done.
    pub end_ms: u64,
    /// When it is killed.
    pub kill_ms: u64,
    /// Whether it waits for something that may never come, beyond any signal.
    pub hangs: bool,
}

/// The children of this boot, and what is known of the effects before them.
#[derive(Debug, Clone, Default)]
pub struct Children {
    pub running: Vec<Child>,
    pub ended: Vec<Ended>,
    begun: Vec<EffectId>,
}

impl Children {
    /// Begins an effect, unless it runs.
    pub fn begin(&mut self, machine: &mut Machine, effect: Effect) {
        let id = effect.id;
        if self.running.iter().any(|child| child.effect.id == id) {
            return;
        }
        self.begun.push(id);
        let end_ms = machine.now_ms + duration_ms(machine, &effect.deed);
        let kill_ms = effect.deadline_ms.map_or(u64::MAX, |ms| machine.now_ms + ms);
        let begun_ms = machine.now_ms;
        self.running.push(Child { effect, begun_ms, end_ms, kill_ms, hangs: false });
    }

    /// When the next one may come to an end.
    pub fn next_ms(&self) -> u64 {
        let next = self.running.iter().map(|child| match child.hangs {
            true => child.kill_ms,
            false => child.end_ms.min(child.kill_ms),
        });
        next.min().unwrap_or(u64::MAX)
    }

    /// Lets those end whose time has come. The deeds are handed out for whoever judges them.
    pub fn pass(&mut self, machine: &mut Machine) -> Vec<(Deed, Outcome)> {
        let mut done = Vec::new();
        for mut child in std::mem::take(&mut self.running) {
            let is_due = child.hangs || child.end_ms <= machine.now_ms;
            let outcome = match is_due {
                true if is_undone(machine, &child) => fail(FailureKind::Other),
                true => finish(machine, &child.effect.deed),
                false => None,
            };
            child.hangs = is_due && outcome.is_none();
            let is_late = child.kill_ms <= machine.now_ms;
            let outcome = match outcome {
                None if is_late && can_be_killed(machine, &child.effect.deed, child.hangs) => {
                    Some(Outcome::TimedOut)
                }
                None if is_late => {
                    child.kill_ms = u64::MAX;
                    None
                }
                outcome => outcome,
            };
            match outcome {
                Some(outcome) => {
                    done.push((child.effect.deed.clone(), outcome.clone()));
                    self.ended.push(Ended { id: child.effect.id, outcome });
                    machine.has_news = true;
                }
                None => self.running.push(child),
            }
        }
        done
    }

    /// The daemon is killed: nobody hears what ends now.
    pub fn orphan(&mut self, survive: bool) {
        self.ended.clear();
        let outlives =
            |deed: &Deed| matches!(deed, Deed::Fsck(..) | Deed::Umount(_) | Deed::Mount(..));
        self.running.retain(|child| survive || child.hangs || outlives(&child.effect.deed));
    }

    /// Whether a check or mount of that volume runs.
    pub fn work_on(&self, point: &str) -> bool {
        self.running.iter().any(|child| match &child.effect.deed {
            Deed::Fsck(target, _) | Deed::Mount(target, _) => target.mount_point == point,
            _ => false,
        })
    }
}

/// Whether a person has started meanwhile what it stops: that takes the place of the job, which
/// ends as canceled (systemctl(1), --job-mode=replace).
fn is_undone(machine: &Machine, child: &Child) -> bool {
    let Deed::StopUsers(target, _) = &child.effect.deed else { return false };
    let started_ms = machine.volumes[index(machine, target)].started_ms;
    started_ms.is_some_and(|at_ms| at_ms > child.begun_ms)
}

fn duration_ms(machine: &mut Machine, deed: &Deed) -> u64 {
    let random = &mut machine.random;
    match deed {
        Deed::AskDisk(name) => {
            let name = name.as_str().unwrap().to_owned();
            let is_slow = machine.disk(&name).backend == Backend::Slow;
            if is_slow { 800 } else { 4 }
        }
        Deed::StopUsers(..) | Deed::StartUsers(..) => random.below(20 * SECOND),
        Deed::Fsck(..) => {
            let longest_ms = if random.percent(10) { 5 * MINUTE } else { 9 * SECOND };
            SECOND + random.below(longest_ms)
        }
        Deed::Mount(..) => 20 + random.below(3 * SECOND),
        Deed::Umount(_) | Deed::ListUsers(_) => 10 + random.below(500),
        _ => 5,
    }
}

/// A child in the kernel's hands (state D) takes no signal.
fn can_be_killed(machine: &Machine, deed: &Deed, hangs: bool) -> bool {
    let is_stuck = |target: &Target| {
        let index = index(machine, target);
        machine.backend(index) == Backend::Stalled
    };
    match deed {
        _ if !hangs => true,
        _ if executes(deed) && machine.backend(0) == Backend::Stalled => false,
        Deed::AskDisk(_) | Deed::Umount(_) | Deed::Mount(..) => false,
        Deed::ProbeWrite(target) | Deed::ReadIdentity(target) => !is_stuck(target),
        Deed::VerifySameDisk(target, _) => !is_stuck(target),
        _ => true,
    }
}

/// Whether another program does it.
fn executes(deed: &Deed) -> bool {
    matches!(
        deed,
        Deed::ListUsers(_)
            | Deed::StopUsers(..)
            | Deed::StartUsers(..)
            | Deed::Fsck(..)
            | Deed::Mount(..)
    )
}

fn index(machine: &Machine, target: &Target) -> usize {
    machine.at(target.mount_point.as_str().unwrap())
}

fn fail(kind: FailureKind) -> Option<Outcome> {
    Some(Outcome::Failed(Failure { kind, text: format!("it failed: {kind:?}") }))
}

/// What a storage that works lets through.
fn storage(backend: Backend) -> Result<(), Option<Outcome>> {
    match backend {
        Backend::Up | Backend::Slow | Backend::Refusing => Ok(()),
        Backend::Erring => Err(fail(FailureKind::Storage)),
        Backend::WriteErring | Backend::ReadOnly => Ok(()),
        Backend::Stalled => Err(None),
        Backend::Gone => Err(fail(FailureKind::Gone)),
    }
}

fn identity(machine: &Machine, index: usize) -> Identity {
    let volume = &machine.volumes[index];
    let disk = machine.disks.iter().find(|disk| disk.name == volume.plan.disk).unwrap();
    Identity {
        uuid: Text::from(disk.content.to_string()),
        sectors: 16384,
        mount: Some(Text::from(volume.stamp.to_string())),
        ..Identity::default()
    }
}

/// Whether a flush can be sent to a mounted disk by itself: a ranged one, by io_uring.
pub fn can_flush_alone(kernel: KernelVersion) -> bool {
    kernel >= KernelVersion::new(5, 1, 0)
}

/// What came of it; none while it hangs.
fn finish(machine: &mut Machine, deed: &Deed) -> Option<Outcome> {
    match deed {
        Deed::AskDisk(name) => {
            let name = name.as_str()?.to_owned();
            let backend = machine.disk(&name).backend;
            if backend == Backend::Erring {
                machine.request_failed(&name);
            }
            storage(backend).map_or_else(|outcome| outcome, |()| Some(Outcome::Done))
        }
        Deed::ProbeFlush(name) => {
            machine.flush(name.as_str()?);
            Some(Outcome::Done)
        }
        Deed::SetQueue(setting) => {
            if setting.attribute == Attribute::WriteCache {
                machine.disk(setting.disk.as_str()?).write_back = setting.new == "write back";
            }
            Some(Outcome::Done)
        }
        Deed::Announce(_) => Some(Outcome::Done),
        Deed::WriteRecord(record) => Some(keep(machine, record)),
        Deed::Reboot(_) if machine.keeper == Ending::Fails => fail(FailureKind::Other),
        Deed::Reboot(_) => {
            let ladder_ms = 2 * SECOND + machine.random.below(40 * SECOND);
            machine.reboot_at_ms.get_or_insert(machine.now_ms + ladder_ms);
            Some(Outcome::Done)
        }
        _ => {
            let target = deed.target()?;
            let index = index(machine, target);
            of_volume(machine, deed, target, index)
        }
    }
}

fn keep(machine: &mut Machine, record: &BootRecord) -> Outcome {
    // Somebody's write was seen a moment ago, and between that one and this the storage failed.
    let wrote_ms = machine.disk(machine.volumes[0].plan.disk).wrote_ms;
    let is_recent = wrote_ms.is_some_and(|at_ms| at_ms + 2 * SECOND >= machine.now_ms);
    let is_alive = machine.volumes[0].is_alive;
    if machine.write(0) != Wrote::Well {
        machine.volumes[0].is_at_risk |= is_alive && is_recent;
        return Outcome::Failed(Failure { kind: FailureKind::ReadOnly, text: "no".into() });
    }
    machine.records.retain(|known| known.boot_id != record.boot_id);
    machine.records.push(record.clone());
    Outcome::Done
}

fn of_volume(machine: &mut Machine, deed: &Deed, target: &Target, index: usize) -> Option<Outcome> {
    let backend = machine.backend(index);
    let plan = machine.volumes[index].plan.clone();
    // A program that is not in the page cache is read from root.
    if executes(deed) {
        match machine.backend(0) {
            Backend::Stalled => return None,
            Backend::Erring | Backend::Gone if machine.random.percent(50) => {
                return fail(FailureKind::Other);
            }
            _ => {}
        }
    }
    match deed {
        Deed::ReadIdentity(_) => match storage(backend) {
            Ok(()) => Some(Outcome::Identity(identity(machine, index))),
            Err(outcome) => outcome,
        },
        Deed::VerifySameDisk(_, known) => match storage(backend) {
            Ok(()) if identity(machine, index) == *known => Some(Outcome::Done),
            Ok(()) => fail(FailureKind::Different),
            Err(outcome) => outcome,
        },
        Deed::ProbeWrite(_) => {
            if machine.volumes[index].mount != Some(u64::from(target.mount_id)) {
                return fail(FailureKind::Gone);
            }
            if plan.is_undead {
                return Some(Outcome::Done);
            }
            if can_flush_alone(machine.kernel) {
                machine.flush(plan.disk);
            } else if machine.disk(plan.disk).refuses_flushes() {
                machine.volumes[index].is_at_risk |= machine.volumes[index].is_alive;
            }
            match machine.write(index) {
                Wrote::Well => Some(Outcome::Done),
                Wrote::Dead => fail(FailureKind::ReadOnly),
                Wrote::Hangs => None,
            }
        }
        Deed::ListUsers(_) => {
            let units = machine.volumes[index].running.iter().map(|unit| Text::from(*unit));
            let others =
                if plan.has_other_user { vec!["process 4711 (vi)".into()] } else { vec![] };
            Some(Outcome::Users(Users { units: units.collect(), others }))
        }
        Deed::StopUsers(_, units) => match plan.stop {
            Ending::Hangs => None,
            Ending::Fails => fail(FailureKind::Other),
            Ending::Well => {
                let is_named = |unit: &&str| units.iter().any(|one| *one == **unit);
                machine.volumes[index].running.retain(|unit| !is_named(unit));
                Some(Outcome::Done)
            }
        },
        Deed::StartUsers(..) => starts(machine, index, plan.start),
        Deed::Umount(target)
            if machine.volumes[index].mount.is_some_and(|id| id != u64::from(target.mount_id)) =>
        {
            fail(FailureKind::Gone)
        }
        Deed::Umount(_) => unmounts(machine, index, plan.umount),
        Deed::CheckFree(_) if plan.is_held_elsewhere => fail(FailureKind::Busy),
        Deed::CheckFree(_) if machine.volumes[index].mount.is_some() => fail(FailureKind::Busy),
        Deed::CheckFree(_) => Some(Outcome::Done),
        Deed::Fsck(_, known) => checks(machine, index, known),
        Deed::Mount(_, known) => mounts(machine, index, known),
        _ => None,
    }
}

fn starts(machine: &mut Machine, index: usize, ending: Ending) -> Option<Outcome> {
    // Looked at right before: what is started now would write below the mount point.
    if machine.volumes[index].mount.is_none() {
        return fail(FailureKind::Gone);
    }
    match ending {
        Ending::Hangs => None,
        Ending::Fails => fail(FailureKind::Other),
        Ending::Well => {
            machine.volumes[index].running = machine.volumes[index].plan.units.clone();
            Some(Outcome::Done)
        }
    }
}

fn unmounts(machine: &mut Machine, index: usize, ending: Ending) -> Option<Outcome> {
    if machine.volumes[index].mount.is_none() {
        return Some(Outcome::AlreadySo);
    }
    match ending {
        Ending::Hangs => None,
        Ending::Fails => fail(FailureKind::Busy),
        Ending::Well if !machine.volumes[index].running.is_empty() => fail(FailureKind::Busy),
        Ending::Well => {
            machine.umount(index);
            Some(Outcome::Done)
        }
    }
}

/// e2fsck asks for the device alone; a mount elsewhere or by a person is seen right before.
fn checks(machine: &mut Machine, index: usize, known: &Identity) -> Option<Outcome> {
    let backend = machine.backend(index);
    if machine.volumes[index].mount.is_some() {
        return fail(FailureKind::Busy);
    }
    if machine.volumes[index].plan.is_held_elsewhere {
        machine.volumes[index].damage.push("checked while its super block lives".into());
    }
    match storage(backend) {
        Ok(()) if identity(machine, index) != *known => fail(FailureKind::Different),
        Ok(()) if backend.fails_writes_alone() => fail(FailureKind::Storage),
        Ok(()) if machine.volumes[index].plan.needs_person => fail(FailureKind::NeedsPerson),
        Ok(()) => Some(Outcome::Done),
        Err(outcome) => outcome,
    }
}

fn mounts(machine: &mut Machine, index: usize, known: &Identity) -> Option<Outcome> {
    let backend = machine.backend(index);
    if machine.volumes[index].mount.is_some() {
        return Some(Outcome::AlreadySo);
    }
    match (storage(backend), machine.volumes[index].plan.mount) {
        (Err(outcome), _) => outcome,
        (Ok(()), _) if identity(machine, index) != *known => fail(FailureKind::Different),
        (Ok(()), _) if backend.fails_writes_alone() => {
            machine.request_failed(machine.volumes[index].plan.disk);
            fail(FailureKind::Storage)
        }
        (Ok(()), Ending::Hangs) => None,
        (Ok(()), Ending::Fails) => fail(FailureKind::Other),
        (Ok(()), Ending::Well) => {
            machine.mount(index);
            Some(Outcome::Done)
        }
    }
}
