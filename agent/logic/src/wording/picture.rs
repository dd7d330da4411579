//! The words in a picture of a story.

use alloc::format;
use alloc::string::{String, ToString};

use crate::explain::story::{Moment, Subject, Verdict};

/// Over the mark where everything began.
pub const FIRST_CAUSE: &str = "first cause";
/// Above the list of findings.
pub const WHAT_WAS_SAID: &str = "What was said";
/// In the legend.
pub const NOTE: &str = "said beside it";
/// In the legend.
pub const MADE_GOOD: &str = "made good";
/// In the legend.
pub const REPEATED: &str = "the same again, so many times";
/// In the legend.
pub const BAND: &str = "from the first failure until it was made good, or to the end of the log";
/// Below the axis.
pub const SCALE: &str = "Distances grow with the logarithm of the time between two messages.";
/// Where there is no device to show.
pub const NOTHING: &str = "Nothing of the storage failed in this log, so there is nothing to draw.";

/// What a mark of this state stands for.
pub fn legend(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => NOTE,
        Verdict::Stalled => "something waits for the storage",
        Verdict::Refused => "a flush was refused",
        Verdict::Erring => "a read or write failed",
        Verdict::Aborted => "a file system died",
    }
}

/// What a subject is called, and in which boot where there are several.
pub fn name(subject: &Subject, is_one_boot: bool) -> String {
    let host = subject.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
    let name = subject.name.as_ref().map_or("no device named".into(), ToString::to_string);
    let boot = if is_one_boot { String::new() } else { boot(subject.boot.index) };
    if boot.is_empty() { format!("{host}{name}") } else { format!("{host}{name}, {boot}") }
}

/// Which boot, counted from 1.
pub fn boot(index: u32) -> String {
    format!("boot {}", index + 1)
}

/// The state of a subject: the deepest, and that at its end where it is another.
pub fn state(subject: &Subject) -> String {
    match (subject.verdict, subject.now, &subject.recovered) {
        (verdict, Verdict::Healthy, Some(_)) => format!("{verdict}, {MADE_GOOD}"),
        (verdict, _, _) => verdict.to_string(),
    }
}

/// A line of the log.
pub fn line(number: u64) -> String {
    format!("line {number}")
}

/// What is not in the list.
pub fn more(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("and {count} more message{plural}: xvdguard explain -v")
}

/// A moment on the axis: time since boot, or the clock as the log writes it.
pub fn moment(at: &Moment) -> String {
    if let Some(us) = at.boot_us {
        return since_boot(us);
    }
    let Some(clock) = &at.wall else { return line(at.line) };
    let is_number = clock.text.as_bytes().iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let utc = clock.wall.rfc_3339().filter(|_| is_number);
    utc.unwrap_or_else(|| clock.text.to_string())
}

/// `3.801589 s`, `12:05.120`, `3:12:05`, `2 d 03:12:05`
fn since_boot(us: u64) -> String {
    let (s, ms) = (us / 1_000_000, us / 1000 % 1000);
    let (days, hours, minutes, seconds) = (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60);
    match s {
        0..60 => format!("{seconds}.{:06} s", us % 1_000_000),
        60..3600 => format!("{minutes}:{seconds:02}.{ms:03}"),
        3600..86_400 => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days} d {hours:02}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_since_boot_are_read_as_clocks_are() {
        for (us, shown) in [
            (3_801_589, "3.801589 s"),
            (725_120_000, "12:05.120"),
            (11_525_000_000, "3:12:05"),
            (184_325_000_000, "2 d 03:12:05"),
        ] {
            assert_eq!(since_boot(us), shown);
        }
    }
}
