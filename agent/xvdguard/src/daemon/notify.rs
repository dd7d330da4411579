//! What the service manager is told (sd_notify(3)); nothing where there is none.

use std::time::Duration;

use sd_notify::NotifyState;

/// Readiness, and one sentence for `systemctl status`.
pub fn ready(sentence: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(sentence)]);
}

/// A new sentence.
pub fn status(sentence: &str) {
    tell(&[NotifyState::Status(sentence)]);
}

/// The daemon is alive.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// The configuration is read again, until `ready`.
pub fn reloading() {
    let now = NotifyState::monotonic_usec_now();
    let states: Vec<NotifyState<'_>> =
        [NotifyState::Reloading].into_iter().chain(now.ok()).collect();
    tell(&states);
}

/// The daemon ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// How often it wants to hear that the daemon is alive: half of what it waits for.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 2)
}

fn tell(states: &[NotifyState<'_>]) {
    // Nobody but the service manager would hear of a failure, and it will notice by itself.
    let _ = sd_notify::notify(states);
}
