//! JSON documents: `{"schema":1,"tool":"xvdguard","version":…}` and then the document's own keys.
//!
//! The shapes are written down in `docs/schema`. Unknown is null, never left out.

pub mod explain;
mod plan;

use serde::Serialize;
use xvdguard_linux::recording::{Decided, Turn};
use xvdguard_linux::whole_file;
use xvdguard_logic::audit::Finding;
use xvdguard_logic::bundle::Bundle;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::Policy;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::recovery::effects::Ended;
use xvdguard_logic::recovery::world::Hold;
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::evidence::Evidence;
use xvdguard_logic::verdict::report::{DiskReport, SCHEMA};
use xvdguard_logic::xen::XenMode;

use crate::config::show::Values;
use crate::config::{Problem, Problems};
use crate::daemon::state::State;

#[derive(Serialize)]
struct Document<B> {
    schema: u32,
    tool: &'static str,
    version: &'static str,
    #[serde(flatten)]
    body: B,
}

#[derive(Serialize)]
struct Status<'a> {
    xen: Xen,
    hold: Option<&'a Hold>,
    daemon: Option<Daemon<'a>>,
    disks: &'a [DiskReport],
    volumes: Vec<Volume<'a>>,
    oddities: &'a [String],
}

#[derive(Serialize)]
struct Xen {
    mode: XenMode,
}

#[derive(Serialize)]
struct Volume<'a> {
    mount_point: &'a Text,
    fstype: &'a Text,
    disks: &'a [Text],
    health: Option<&'a str>,
    /// In milliseconds since boot.
    since: Option<u64>,
    evidence: &'a [Evidence],
    next: Option<&'a str>,
    bundle: Option<&'a str>,
}

#[derive(Serialize)]
struct Daemon<'a> {
    pid: u32,
    /// In milliseconds since boot.
    began: u64,
    sentence: &'a str,
    missing: &'a [String],
    hanging: usize,
}

#[derive(Serialize)]
struct Probe<'a> {
    disks: &'a [&'a DiskReport],
    oddities: &'a [String],
}

pub use plan::plan;

/// `status`; what is known of the volumes comes from the daemon, where one runs.
pub fn status(seen: &Observation, disks: &[DiskReport], daemon: Option<&State>) -> String {
    let volumes = seen.volumes.iter().map(|volume| {
        let watched = daemon.and_then(|state| state.volume(&volume.mount_point));
        Volume {
            mount_point: &volume.mount_point,
            fstype: &volume.fstype,
            disks: &volume.disks,
            health: watched.map(|watched| watched.health.as_str()),
            since: watched.map(|watched| watched.since_ms),
            evidence: watched.map_or(&[], |watched| &watched.evidence),
            next: watched.and_then(|watched| watched.next.as_deref()),
            bundle: watched.and_then(|watched| watched.bundle.as_deref()),
        }
    });
    print(Status {
        xen: Xen { mode: seen.xen },
        hold: daemon.and_then(|state| state.hold.as_ref()),
        daemon: daemon.map(|state| Daemon {
            pid: state.pid,
            began: state.began_ms,
            sentence: &state.sentence,
            missing: &state.missing,
            hanging: state.hanging,
        }),
        disks,
        volumes: volumes.collect(),
        oddities: &seen.oddities,
    })
}

/// The evidence bundle of an incident, as it is kept: on one line, as all that is kept is.
pub fn bundle(bundle: &Bundle) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    whole_file::to_bytes(&Document { schema: SCHEMA, tool: "xvdguard", version, body: bundle })
}

/// One turn of `replay`.
#[derive(Debug, Serialize)]
pub struct Replayed {
    boot_ms: u64,
    ended: Vec<Ended>,
    decided: Decided,
    /// What would be decided today, where that is something else.
    today: Option<Decided>,
}

/// A turn, and what would be decided today where that is something else.
pub fn replayed(turn: &Turn, today: Option<Decided>) -> Replayed {
    let (boot_ms, ended) = (turn.world.seen.boot_ms, turn.world.ended.clone());
    Replayed { boot_ms, ended, decided: turn.decided.clone(), today }
}

#[derive(Serialize)]
struct Replay<'a> {
    /// Of the program that wrote the recording.
    recorded_by: &'a Text,
    turns: &'a [Replayed],
}

/// `replay`: on one line, as the recording itself.
pub fn replay(recorded_by: &Text, turns: &[Replayed]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let body = Replay { recorded_by, turns };
    let document = Document { schema: SCHEMA, tool: "xvdguard", version, body };
    String::from_utf8_lossy(&whole_file::to_bytes(&document)).into_owned() + "\n"
}

#[derive(Serialize)]
struct Check<'a> {
    worst: &'a str,
    findings: &'a [Finding],
    oddities: &'a [String],
}

/// `check`
pub fn check(worst: &str, findings: &[Finding], seen: &Observation) -> String {
    print(Check { worst, findings, oddities: &seen.oddities })
}

/// `probe`
pub fn probe(disks: &[&DiskReport], seen: &Observation) -> String {
    print(Probe { disks, oddities: &seen.oddities })
}

#[derive(Serialize)]
struct Config<'a> {
    files: &'a [Text],
    problems: &'a [Problem],
    /// None where there are problems: nothing of a wrong configuration holds.
    values: Option<Values>,
    /// The word that puts all of it out of force.
    inert: Option<&'a Text>,
    hash: Option<&'a Text>,
    notes: &'a [String],
}

/// `config show` and `config check`
pub fn config(files: &[Text], settings: &Settings, notes: &[String]) -> String {
    let Policy { inert, hash, .. } = &settings.policy;
    let values = Some(Values::of(settings));
    let (inert, hash) = (inert.as_ref(), hash.as_ref());
    print(Config { files, problems: &[], values, inert, hash, notes })
}

/// Any `config` command where something is wrong
pub fn config_problems(found: &Problems) -> String {
    let Problems { list: problems, files } = found;
    print(Config { files, problems, values: None, inert: None, hash: None, notes: &[] })
}

fn print(body: impl Serialize) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let document = Document { schema: SCHEMA, tool: "xvdguard", version, body };
    // Only a map with keys that are no strings could fail, and there is none.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
