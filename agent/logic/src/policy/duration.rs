//! Durations as people write them: `90s`, `10min`, `1h30min`.
//!
//! Always with a unit: a bare number means seconds to one and minutes to the next.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

/// Each unit, in milliseconds, the largest first. No `m`: it is minutes here and months elsewhere.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDuration<'a> {
    /// The number, which has no unit.
    UnitMissing(&'a str),
    /// What stands where a unit should.
    UnitUnknown(&'a str),
    /// What stands where a number should.
    NoNumber(&'a str),
    /// Longer than can be counted.
    TooLong,
}

/// The names of the units, the shortest first.
pub fn units() -> [&'static str; 5] {
    let mut names = UNITS.map(|(name, _)| name);
    names.reverse();
    names
}

/// Reads a sum of whole numbers with units; spaces may stand between them.
pub fn parse(text: &str) -> Result<Duration, NoDuration<'_>> {
    let mut rest = text.trim();
    let mut total_ms: u64 = 0;
    loop {
        let (number, after) = split(rest, |byte| byte.is_ascii_digit());
        if number.is_empty() {
            return Err(NoDuration::NoNumber(rest));
        }
        let (unit, after) = split(after.trim_start(), |byte| !byte.is_ascii_digit());
        let unit = unit.trim_end();
        if unit.is_empty() {
            return Err(NoDuration::UnitMissing(number));
        }
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, unit_ms) = known.ok_or(NoDuration::UnitUnknown(unit))?;
        let part_ms = number.parse::<u64>().ok().and_then(|count| count.checked_mul(*unit_ms));
        total_ms =
            part_ms.and_then(|part_ms| total_ms.checked_add(part_ms)).ok_or(NoDuration::TooLong)?;
        rest = after;
        if rest.is_empty() {
            return Ok(Duration::from_millis(total_ms));
        }
    }
}

/// The longest beginning whose bytes are all `wanted`, and the rest. Digits are ASCII, so no
/// character is cut.
fn split(text: &str, wanted: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !wanted(byte)).unwrap_or(text.len());
    text.split_at(end)
}

/// In the largest unit that leaves no rest. One day is 24 hours, as the defaults are written.
pub fn print(duration: Duration) -> String {
    let total_ms = duration.as_millis();
    let fits = |name: &str, unit_ms: u128| {
        let least = if name == "d" { 2 } else { 1 };
        total_ms >= least * unit_ms && total_ms % unit_ms == 0
    };
    match UNITS.iter().find(|(name, unit_ms)| fits(name, u128::from(*unit_ms))) {
        Some((name, unit_ms)) => format!("{}{name}", total_ms / u128::from(*unit_ms)),
        None => "0s".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_and_every_sum_is_read() {
        for (text, ms, shown) in [
            ("250ms", 250, "250ms"),
            ("5s", 5_000, "5s"),
            ("0s", 0, "0s"),
            ("90s", 90_000, "90s"),
            ("60s", 60_000, "1min"),
            ("1h30min", 5_400_000, "90min"),
            (" 1h 30 min ", 5_400_000, "90min"),
            ("24h", 86_400_000, "24h"),
            ("7d", 604_800_000, "7d"),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
            assert_eq!(print(Duration::from_millis(ms)), shown);
            assert_eq!(parse(shown), parse(text));
        }
    }

    #[test]
    fn what_is_no_duration_is_told_apart() {
        for (text, why) in [
            ("5", NoDuration::UnitMissing("5")),
            ("1h 30", NoDuration::UnitMissing("30")),
            ("5m", NoDuration::UnitUnknown("m")),
            ("1.5h", NoDuration::UnitUnknown(".")),
            ("5 Sekunden", NoDuration::UnitUnknown("Sekunden")),
            ("5ü", NoDuration::UnitUnknown("ü")),
            ("", NoDuration::NoNumber("")),
            ("soon", NoDuration::NoNumber("soon")),
            ("-5s", NoDuration::NoNumber("-5s")),
            ("99999999999999999999s", NoDuration::TooLong),
            ("9999999999999999999d", NoDuration::TooLong),
            ("18446744073709551615ms 1ms", NoDuration::TooLong),
        ] {
            assert_eq!(parse(text), Err(why), "{text}");
        }
    }
}
