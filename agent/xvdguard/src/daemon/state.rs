//! What the daemon keeps in `/run/xvdguard`: its memory for the next daemon, its state for people.

use serde::{Deserialize, Serialize};
use xvdguard_linux::error::Result;
use xvdguard_linux::reports::FOLDER;
use xvdguard_linux::root::Root;
use xvdguard_linux::whole_file::{self, Kept};
use xvdguard_logic::recovery::memory::{Memory, State as VolumeState};
use xvdguard_logic::recovery::world::Hold;
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::evidence::Evidence;
use xvdguard_logic::wording::daemon as wording;
use xvdguard_logic::wording::recovery::{health, next};

use super::casebook::Casebook;

const MEMORY: &str = "memory.json";
const STATE: &str = "status.json";

/// What others may know of a running daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The boot that it is about.
    pub boot_id: Option<Text>,
    /// Its process.
    pub pid: u32,
    /// When it began, in milliseconds since boot.
    pub began_ms: u64,
    /// The sentence of `systemctl status`.
    pub sentence: String,
    /// What it has to do without.
    pub missing: Vec<String>,
    /// Children that hang beyond any signal.
    pub hanging: usize,
    /// The hold in force.
    pub hold: Option<Hold>,
    /// Every watched volume.
    pub volumes: Vec<Volume>,
}

/// One watched volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    pub mount_point: Text,
    pub health: String,
    /// In milliseconds since boot.
    pub since_ms: u64,
    pub evidence: Vec<Evidence>,
    pub next: Option<String>,
    /// Where the evidence of its last incident is kept.
    #[serde(default)]
    pub bundle: Option<String>,
}

impl State {
    /// What is known of the volume that is mounted there.
    pub fn volume(&self, mount_point: &Text) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.mount_point == *mount_point)
    }

    /// Takes over what is remembered.
    pub fn take(&mut self, memory: &Memory, casebook: &Casebook, now_ms: u64) {
        self.boot_id.clone_from(&memory.boot_id);
        self.hold.clone_from(&memory.hold);
        let volumes = memory.volumes.iter().map(|volume| Volume {
            mount_point: volume.target.mount_point.clone(),
            health: health(volume.state).into(),
            since_ms: volume.since_ms,
            evidence: volume.evidence.clone(),
            next: next(volume, memory.hold.is_some(), now_ms),
            bundle: casebook.kept(&volume.target.mount_point).cloned(),
        });
        self.volumes = volumes.collect();
    }

    /// What whoever logs in must know.
    pub fn alerts(memory: &Memory, now_ms: u64) -> Vec<String> {
        let wants_a_person = |state: VolumeState| {
            matches!(state, VolumeState::GivenUp(_) | VolumeState::RebootPending(_))
        };
        let volumes = memory.volumes.iter().filter(|volume| wants_a_person(volume.state));
        let lines = volumes.map(|volume| {
            let at = &volume.target.mount_point;
            let next = next(volume, memory.hold.is_some(), now_ms).unwrap_or_default();
            format!("xvdguard: {at} is {}: {next}", health(volume.state))
        });
        lines.collect()
    }

    /// Puts it there.
    pub fn write(&self, root: &Root) -> Result<()> {
        let folder = root.enter(FOLDER)?;
        whole_file::put_document(&folder, STATE, self, Kept::ThisBoot)
    }
}

/// The state of the daemon that runs now; none where none does.
pub fn read(root: &Root) -> Option<State> {
    let path = [FOLDER, b"/", STATE.as_bytes()].concat();
    let state: State = whole_file::read_document(root, &path, "").ok().flatten()?;
    let command = root.read(format!("proc/{}/cmdline", state.pid).as_bytes()).ok()?;
    let boot_id = root.read_text(xvdguard_linux::observe::machine::BOOT_ID.as_bytes());
    let is_this_boot = boot_id.is_ok_and(|boot_id| boot_id == state.boot_id);
    let is_ours = command.split(|byte| *byte == 0).any(|word| word == b"daemon");
    (is_this_boot && is_ours).then_some(state)
}

/// What an earlier daemon of this boot remembered.
pub fn memory(root: &Root) -> Result<Memory> {
    let path = [FOLDER, b"/", MEMORY.as_bytes()].concat();
    let memory = whole_file::read_document(root, &path, wording::REMOVE_MEMORY)?;
    Ok(memory.unwrap_or_default())
}

/// Keeps it, before anything of it is carried out.
pub fn keep(root: &Root, memory: &Memory) -> Result<()> {
    let folder = root.enter(FOLDER)?;
    whole_file::put_document(&folder, MEMORY, memory, Kept::ForGood)
}
