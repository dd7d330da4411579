//! `xvdguard daemon`: watches, lets `decide` decide, and carries out what it says.
//!
//! One loop: wait for anything, look at what there is news of, decide, keep the memory, act. What
//! may touch a sick disk is a child's (`work`); this process reads memory, procfs and sysfs only.
//! It never waits for xenstore longer than half a second, and for nothing else at all.
//! Tests: `tests/recovery/`.

mod announce;
mod casebook;
mod files;
mod host;
mod keeping;
mod later;
mod look;
mod notify;
mod recorder;
mod reload;
mod sources;
pub mod state;
mod syslog;
mod turns;
mod work;

use std::process::ExitCode;
use std::time::Duration;

use xvdguard_linux::calls::memory as locked;
use xvdguard_linux::root::Root;
use xvdguard_linux::{child, process, reports};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::Chosen;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::policy::word::{Action, RootAction};
use xvdguard_logic::recovery::world::World;
use xvdguard_logic::wording::daemon as wording;
use xvdguard_logic::wording::missing as lack;
use xvdguard_logic::wording::plan as plan_wording;

use crate::arguments::Global;
use crate::commands::{Session, nothing_to_guard, rfc_3339};
use crate::exit::Failure;
use announce::Voice;
use casebook::Casebook;
use keeping::Post;
use later::Later;
use look::Eyes;
use recorder::Recorder;
use reload::Reload;
use sources::Sources;
use state::State;
use turns::{Daemon, Rounds};

/// A daemon that is replaced ends within this time, or there are two.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs until it is asked to end.
pub fn run(global: &Global) -> Result<ExitCode, Failure> {
    locked::keep_heap_small();
    let root = global.places().open_root().map_err(Failure::Input)?;
    if root.is_machine() && !child::is_privileged() {
        return Err(Failure::Privileges("daemon"));
    }
    guard(global, get_ready(&root))
}

/// Apart, since the keeper lives below the frame of its caller: locked, it has as little of ours as
/// may be.
#[inline(never)]
fn guard(global: &Global, ready: Ready) -> Result<ExitCode, Failure> {
    let mut session = Session::open(global)?;
    let mut seen = session.observe();
    let reason = nothing_to_guard(&seen).map(str::to_owned);
    let settings = settings_at_start(&session, &mut seen);
    let inert = settings.policy.inert.as_ref().map(plan_wording::inert);
    if let Some(why) = inert.or(reason).or_else(|| not_here(&session.world.root)) {
        announce::note(&why);
        notify::ready(&why);
        return Ok(ExitCode::SUCCESS);
    }
    // It is looked at anew, and with hundreds of disks that would be held for good.
    drop(seen);
    let _lock =
        reports::lock_named(&session.world.root, LOCK, PATIENCE).map_err(Failure::Output)?;
    let mut daemon = begin(session, global, settings, ready)?;
    // Not read again: whoever answered once may be silent now. A wrong one has no hash.
    if let Some(hash) = &daemon.settings.policy.hash {
        daemon.reload.compare(&daemon.session.world.root, hash);
    }
    daemon.run();
    notify::stopping();
    daemon.end();
    Ok(ExitCode::SUCCESS)
}

/// Held by the one daemon of a guest.
const LOCK: &str = "daemon.lock";

/// The keeper, and what this daemon will have to do without.
type Ready = (Option<Post>, Vec<String>);

/// The keeper comes before all that takes memory: it holds for ever what this process had when it
/// was forked. It has none of its files, but is spared by the memory killer as we are. It ends with
/// a daemon that has nothing to do.
fn get_ready(root: &Root) -> Ready {
    let mut missing = Vec::new();
    process::prepare(root, &mut missing);
    locked::give_back();
    let post = Post::new(root).map_err(|error| missing.push(lack::keeper(&error))).ok();
    missing.extend(post.iter().flat_map(Post::missing).cloned());
    (post, missing)
}

fn begin(
    mut session: Session,
    global: &Global,
    settings: Settings,
    (post, mut missing): Ready,
) -> Result<Daemon, Failure> {
    let root = &session.world.root;
    let mut note = |what: String| missing.push(what);
    let memory = state::memory(root).map_err(|error| note(error.to_string())).unwrap_or_default();
    let mut sources =
        Sources::open(root, &mut missing).map_err(|error| Failure::Inner(error.to_string()))?;
    let voice = Voice::new(root);
    let world = look::begin(Eyes::of(&mut session.world, &mut sources, &memory));
    let fstypes = world.seen.volumes.iter().map(|volume| &volume.fstype);
    missing.extend(process::programs_missing(&session.world.root, fstypes));
    missing.extend(keeping::root_too_wide(&world));
    locked::give_back();
    // Last: all that was read is in memory by now. And the program whole: what was never run is
    // not, and a page that a dead root is asked for ends the daemon.
    if let Err(errno) = locked::lock_what_is_used().and(locked::lock_program()) {
        missing.push(lack::locked(&errno));
    }
    missing.iter().for_each(|what| announce::note(&wording::missing(what)));
    last_boot(&world).iter().for_each(|line| announce::note(line));
    let began_ms = world.seen.boot_ms;
    let state = State { pid: std::process::id(), began_ms, missing, ..State::default() };
    Ok(Daemon {
        session,
        global: global.clone(),
        settings,
        sources,
        voice,
        post,
        world,
        memory,
        state,
        last_failure: String::new(),
        reload: Reload::default(),
        later: Later::default(),
        casebook: Casebook::default(),
        recorder: Recorder::default(),
        rounds: Rounds::default(),
        asked_to_stop: None,
    })
}

/// With a configuration that is wrong nothing is known of what may be done.
fn settings_at_start(session: &Session, seen: &mut Observation) -> Settings {
    match session.settings(seen) {
        Ok(settings) => settings,
        Err(failure) => {
            announce::error(&failure.to_string());
            announce::note(wording::REPORTS_ONLY);
            let mut settings = Settings::default();
            settings.recovery.default = Chosen::by_default(Action::Report);
            settings.reboot.root = Chosen::by_default(RootAction::Report);
            settings
        }
    }
}

/// Containers and chroots have no disks of their own.
fn not_here(root: &Root) -> Option<String> {
    process::is_contained(root).then(|| wording::CONTAINED.to_owned())
}

/// What is to be said of the boot before this one: the guest may have been rebooted by us.
fn last_boot(world: &World) -> Option<String> {
    let domain = &world.domain;
    let mut records = world.guard.records.iter();
    let last = records.rfind(|record| {
        let is_ours = record.uuid == domain.uuid && record.machine_id == domain.machine_id;
        is_ours && Some(&record.boot_id) != world.seen.boot_id.as_ref()
    })?;
    let began = rfc_3339(i64::try_from(last.began_s).ok()?.checked_mul(1000)?)?;
    (!last.ended_well).then(|| wording::ended_badly(&began))
}
