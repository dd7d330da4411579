//! What `hold` and `release` answer.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use crate::policy::duration;
use crate::recovery::world::Release;
use crate::text::Text;

/// A hold is in force.
pub fn held(time: Option<Duration>) -> String {
    let end = match time {
        Some(time) => format!("it ends by itself in {}, or earlier by: ", duration::print(time)),
        None => "it ends by: ".into(),
    };
    format!("no automatic action from now on; {end}xvdguard release")
}

/// Something was released.
pub fn released(release: &Release, has_daemon: bool) -> String {
    let what = match release {
        Release::Hold => "the hold is over".into(),
        Release::Volume(point) => format!("{point} is looked at as if for the first time"),
    };
    match has_daemon {
        true => what,
        false => format!("{what}, as soon as a daemon runs"),
    }
}

/// The daemon watches no such volume.
pub fn no_such_volume(point: &Text, known: &[String]) -> String {
    format!("no watched volume is mounted on {point}; there are: {}", known.join(", "))
}
