//! Bringing a file system back: what the daemon sees, remembers and orders.
//!
//! Values only; the turn that brings them together is `decide`. What a volume goes through:
//!
//! ```text
//!    healthy ⇄ stalled        a disk neither answers nor fails: wait, say it once
//!       ⇅    ╲ ↓
//!     erring   errors, or a suspicion that only a write can clear up
//!       ↓
//!    aborted   wait: disks of volume and root answer for `settle`, no hold, root alive
//!       ↓                                     (reboot: disks of all volumes, minimum uptime)
//!    confirm → verify ─┬─ root and like it: guard, jitter → reboot-pending → next boot
//!                      └─ list → stop → umount → free → fsck → mount → probe → start → healthy
//!                                  ╲      ╱        ╲____ storage fails: again, as often as allowed
//!                                put back → given-up ← any step that fails; report-only at once
//! ```
//!
//! `transitions` is the same as a table. `world` is what is seen in one turn, `memory` what is
//! kept between turns, `effects` what is to be done and what came of it, `signs` what the kernel's
//! lines add up to. Tests: `tests/simulation/`.

pub(crate) mod around;
pub(crate) mod disks;
pub mod effects;
pub(crate) mod guard;
mod health;
pub(crate) mod hold;
pub(crate) mod incident;
pub mod memory;
pub(crate) mod reboot;
pub(crate) mod role;
pub(crate) mod shelter;
pub mod signs;
pub(crate) mod steps;
pub mod transitions;
pub(crate) mod turn;
pub(crate) mod volumes;
pub(crate) mod wait;
pub(crate) mod watch;
pub mod world;
