//! The scenarios, one file each; the order is that of the report.

use crate::build::debian::{self, Kind};
use crate::scenario::Scenario;
use crate::story::Story;

mod apply_debian;
mod barrier_error;
mod barrier_error_lvm;
mod barrier_off;
mod barrier_refused;
mod barrier_refused_lvm;
mod boots;
mod disk_back_debian;
mod drbd_on_lvm;
mod error_window;
mod flush_error;
mod flush_refused;
mod flushes_end;
mod healthy;
mod hundred_disks;
mod iscsi;
mod lever_mount;
mod lvm_on_drbd;
mod lvm_on_drbd_debian;
mod no_hook_debian;
mod nothing_advertised;
mod only_flush;
mod package_debian;
mod queue_debian;
mod read_only;
mod recovery_budget;
mod recovery_debian;
mod recovery_handed_over;
mod recovery_hold;
mod recovery_idle;
mod recovery_killed;
mod recovery_moved;
mod recovery_probed;
mod recovery_refused;
mod recovery_refusing;
mod recovery_root;
mod recovery_snapshot;
mod recovery_stall;
mod recovery_storage;
mod root_options;
mod sector_63;
mod sixteen_errors;
mod stall;
mod usr_debian;
mod xvdguard_off;
mod zero_advertised;

/// What `make test` plays, since a test must be short: nothing is lost where flushes work, and what
/// would abort a journal does not, and the keeper brings back a root that died.
pub const SMOKE: [&str; 4] = ["healthy", "flush-error", "barrier-refused-lvm", "recovery-killed"];
/// On a kernel that aborts journals.
pub const SMOKE_KERNEL: &str = "6.1";

/// All of them.
pub const ALL: [Scenario; 15] = [
    healthy::SCENARIO,
    only_flush::SCENARIO,
    flush_refused::SCENARIO,
    flush_error::SCENARIO,
    barrier_refused::SCENARIO,
    barrier_error::SCENARIO,
    barrier_refused_lvm::SCENARIO,
    barrier_error_lvm::SCENARIO,
    nothing_advertised::SCENARIO,
    zero_advertised::SCENARIO,
    read_only::SCENARIO,
    barrier_off::SCENARIO,
    xvdguard_off::SCENARIO,
    lever_mount::SCENARIO,
    sixteen_errors::SCENARIO,
];

/// What the daemon does about it.
pub const RECOVERIES: [Story; 20] = [
    recovery_root::STORY,
    recovery_killed::STORY,
    recovery_budget::STORY,
    recovery_refusing::STORY,
    recovery_stall::STORY,
    recovery_hold::STORY,
    recovery_snapshot::OLDER,
    recovery_snapshot::OTHER,
    recovery_storage::ISCSI,
    recovery_storage::DRBD,
    recovery_moved::NOW_AND_THEN,
    recovery_moved::WITHOUT_PAUSE,
    recovery_idle::STORY,
    recovery_refused::STORY,
    recovery_probed::STORY,
    recovery_debian::DATA,
    recovery_debian::ROOT,
    recovery_debian::VAR,
    recovery_debian::USR,
    recovery_handed_over::STORY,
];

/// The same, each in a Debian of its own.
pub const RECOVERIES_ELSEWHERE: [(Kind, Story); 3] = recovery_debian::ELSEWHERE;

/// What the package and its images do, likewise.
const PACKAGES: [&[(Kind, Story)]; 5] = [
    &package_debian::STORIES,
    &boots::STORIES,
    &root_options::STORIES,
    &usr_debian::STORIES,
    &[no_hook_debian::SYSVINIT],
];

/// All of them.
pub fn packages() -> impl Iterator<Item = &'static (Kind, Story)> {
    PACKAGES.into_iter().flatten()
}

/// The Debian that a story is told in.
pub fn kind(story: &Story) -> Kind {
    let own = RECOVERIES_ELSEWHERE.iter().chain(packages()).find(|(_, one)| one.name == story.name);
    own.map_or(debian::USUAL, |(kind, _)| *kind)
}

/// All that are stories.
pub const STORIES: [Story; 15] = [
    flushes_end::REFUSED,
    flushes_end::MOVED,
    stall::STORY,
    error_window::STORY,
    error_window::ONLY_WRITES,
    iscsi::STORY,
    lvm_on_drbd::STORY,
    drbd_on_lvm::STORY,
    sector_63::STORY,
    hundred_disks::STORY,
    apply_debian::STORY,
    queue_debian::STORY,
    disk_back_debian::STORY,
    no_hook_debian::STORY,
    lvm_on_drbd_debian::STORY,
];
