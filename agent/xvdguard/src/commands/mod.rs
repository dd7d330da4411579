//! One file for each command; here what they share: the opened world and how to speak.

pub mod apply;
pub mod check;
pub mod config;
pub mod explain;
pub mod hold;
pub mod plan;
mod planning;
pub mod probe;
pub mod record;
pub mod rehearse;
pub mod release;
pub mod replay;
pub mod revert;
pub mod status;

pub use planning::Came;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use xvdguard_linux::clock;
use xvdguard_linux::error::Error;
use xvdguard_linux::observe::Look;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::world::World;
use xvdguard_linux::xenstore::{Client, Source};
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::verdict::evidence::Evidence;
use xvdguard_logic::verdict::report::{DiskReport, Report, SCHEMA};
use xvdguard_logic::wording;
use xvdguard_logic::xen::XenMode;

use crate::arguments::Global;
use crate::config as configuration;
use crate::exit::Failure;
use crate::terminal::{self, Paint};

/// How long xenstore may take.
pub const XENSTORE_WAIT: Duration = Duration::from_secs(5);

/// How long another writer is waited for.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// An opened world, and how to speak of it.
pub struct Session {
    /// What is looked at.
    pub world: World,
    /// How to speak.
    pub voice: Voice,
    /// The file that a person named instead of the configuration.
    config: Option<PathBuf>,
}

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    /// One JSON document instead of text.
    pub json: bool,
    /// Verdicts only.
    pub quiet: bool,
    /// Evidence as well.
    pub verbose: bool,
    /// Colours.
    pub paint: Paint,
}

impl Voice {
    /// As the command line asks.
    pub fn new(global: &Global) -> Self {
        Voice {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            paint: Paint::new(global.no_color),
        }
    }
}

impl Session {
    /// Opens the world. A xenstore that was named and does not answer is a failure; one that is
    /// simply not there is an oddity.
    pub fn open(global: &Global) -> Result<Session, Failure> {
        let places = global.places();
        let deadline = Instant::now() + XENSTORE_WAIT;
        let mut world = World::open(&places, deadline).map_err(Failure::Input)?;
        if let Some(path) = &places.xenstore {
            let root = places.open_root().map_err(Failure::Input)?;
            let failure = if path.is_file() { Failure::Input } else { Failure::Unreachable };
            match &mut world.xenstore {
                None => drop(places.open_xenstore(&root, deadline).map_err(failure)?),
                Some(Source::Live(client)) => check_answers(client, path, deadline)?,
                Some(Source::Listing(_)) => {}
            }
        }
        let config = global.config.clone();
        Ok(Session { world, voice: Voice::new(global), config })
    }

    /// What the administrator wants: the files, overruled by the kernel command line that was seen.
    /// Words of it that nobody knows become oddities.
    pub fn settings(&self, seen: &mut Observation) -> Result<Settings, Failure> {
        let read = configuration::load(&self.world.root, self.config.as_deref())
            .map_err(Failure::Configuration)?;
        let words = KernelWords::parse(&seen.command_line);
        seen.oddities.extend(words.oddities.iter().cloned());
        Ok(read.settings.effective(&words))
    }

    /// The same for a command that has an answer without it: a wrong configuration becomes an
    /// oddity, and the defaults hold.
    pub fn settings_or_defaults(&self, seen: &mut Observation) -> Settings {
        self.settings(seen).unwrap_or_else(|_| {
            seen.oddities.push(wording::config::NOTHING_HOLDS.into());
            Settings::default().effective(&KernelWords::parse(&seen.command_line))
        })
    }

    /// One look at everything.
    pub fn observe(&mut self) -> Observation {
        let deadline = Instant::now() + XENSTORE_WAIT;
        self.world.observe(Look { depth: Depth::All, deadline })
    }
}

/// That a socket takes a connection says nothing: the kernel does that for a server that hangs.
fn check_answers(client: &mut Client, path: &Path, deadline: Instant) -> Result<(), Failure> {
    let failed = |why: String| Error::content("use", path.as_os_str().as_bytes(), why);
    match client.directory("device", deadline) {
        Err(error) if error.is_timeout() || error.is_closed() => {
            Err(Failure::Unreachable(failed(error.to_string())))
        }
        _ => Ok(()),
    }
}

/// Adds the time of day to evidence that knows only its time since boot. A recording does not tell
/// when its machine was booted.
pub fn stamp(disks: &mut [DiskReport], world: &World) {
    if !world.root.is_machine() {
        return;
    }
    let booted_ms = clock::unix_ms() - clock::boot_ms() as i64;
    let times = disks.iter_mut().flat_map(|disk| &mut disk.evidence);
    for evidence in times.filter(|evidence| evidence.time.is_none()) {
        evidence.time = evidence.boot_ms.and_then(|boot_ms| rfc_3339(booted_ms + boot_ms as i64));
    }
}

/// `2026-11-20T10:33:40.123Z`; none for times that no calendar has.
pub fn rfc_3339(unix_ms: i64) -> Option<String> {
    Some(Timestamp::from_millisecond(unix_ms).ok()?.to_string())
}

/// What is kept of a look, for later commands of this boot.
pub fn report(session: &Session, seen: &Observation, disks: &[DiskReport]) -> Report {
    Report {
        schema: SCHEMA,
        tool: "xvdguard".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        boot_id: seen.boot_id.clone(),
        boot_ms: clock::boot_ms(),
        time: rfc_3339(clock::unix_ms()),
        policy_hash: None,
        disks: disks.to_vec(),
        said: Vec::new(),
        xenstore: session.world.xenstore_use(),
    }
}

/// The lines about disks, with advice, and evidence where it is wanted.
pub fn print_disks(disks: &[&DiskReport], seen: &Observation, voice: Voice) {
    let width = disks.iter().map(|disk| disk.name.to_string().len()).max().unwrap_or(0);
    for disk in disks {
        let line = wording::status::disk(disk, width);
        terminal::print(&(voice.paint.verdict(disk.verdict, &line) + "\n"));
        if voice.quiet {
            continue;
        }
        if let Some(advice) = wording::status::advice(disk, seen.kernel) {
            terminal::print(&format!("{:width$}  {advice}\n", ""));
        }
        for evidence in disk.evidence.iter().filter(|_| voice.verbose) {
            let line = format!("{:width$}  {}", "", evidence_line(evidence));
            terminal::print(&(voice.paint.faint(&line) + "\n"));
        }
    }
}

fn evidence_line(evidence: &Evidence) -> String {
    let Evidence { source, text, boot_ms, .. } = evidence;
    match boot_ms {
        Some(boot_ms) => {
            format!("[{:>6}.{:03}] {source:10}  {text}", boot_ms / 1000, boot_ms % 1000)
        }
        None => format!("[{:>10}] {source:10}  {text}", "?"),
    }
}

/// What could not be read: on standard error, so that it never mixes with the answer.
pub fn say_oddities(seen: &Observation, voice: Voice) {
    let oddities = seen.oddities.iter().filter(|_| !voice.quiet && !voice.json);
    oddities.for_each(|oddity| terminal::say(&format!("xvdguard: note: {oddity}")));
}

/// One line where there is nothing to guard; none in a guest, or where disks were found anyway.
pub fn nothing_to_guard(seen: &Observation) -> Option<&'static str> {
    match seen.xen {
        _ if !seen.disks.is_empty() => None,
        XenMode::None => Some("not a Xen guest: nothing to guard here"),
        XenMode::Dom0 => Some("this is Xen's dom0: xvdguard belongs into the guests"),
        _ => Some("a Xen guest without a virtual disk: nothing to guard here"),
    }
}
