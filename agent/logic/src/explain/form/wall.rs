//! The wall clock as logs write it, read only where a time is needed.
//!
//! A form that tells no year or no zone gives a time that serves for differences within one log
//! and for nothing else; it is never shown as if it were UTC.

use alloc::string::String;

/// A point of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// Microseconds since 1970 in UTC; where the zone is not told, as if the log were in UTC, and
    /// where the year is not told, in the year 2000, which has every day.
    pub us: i64,
    /// Whether the log tells year and zone.
    pub is_utc: bool,
}

const SECOND: i64 = 1_000_000;
const DAY_S: i64 = 86_400;
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

impl Wall {
    /// Reads `Nov 20 10:00:00[.123]`, `Fri Nov 20 10:00:00 2026`, `Fri 2026-11-20 10:00:00 UTC`,
    /// `2026-11-20T10:00:00.123456+01:00`, `1795166400.123456` and the journal's
    /// `1795166400123456`.
    pub fn parse(text: &[u8]) -> Option<Wall> {
        let mut rest = Cursor { bytes: text };
        match text.first()? {
            b'0'..=b'9' if text.get(4) == Some(&b'-') => rest.iso(),
            b'0'..=b'9' => rest.unix(),
            _ if text.get(3) != Some(&b' ') => None,
            _ if month(&text[..3]).is_some() => rest.syslog(),
            _ => {
                rest.skip(4)?;
                if rest.bytes.first()?.is_ascii_digit() { rest.iso() } else { rest.ctime() }
            }
        }
    }

    /// `2026-11-20T09:00:00.123Z`; none where the log does not tell year and zone.
    pub fn rfc_3339(self) -> Option<String> {
        if !self.is_utc {
            return None;
        }
        let (days, in_day) =
            (self.us.div_euclid(DAY_S * SECOND), self.us.rem_euclid(DAY_S * SECOND));
        let (year, month, day) = civil(days);
        let (s, ms) = (in_day / SECOND, in_day % SECOND / 1000);
        let (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
        Some(alloc::format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
        ))
    }
}

/// The number of a month by its English name, from 1.
pub fn month(name: &[u8]) -> Option<i64> {
    Some(MONTHS.iter().position(|month| *month == name)? as i64 + 1)
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl Cursor<'_> {
    fn skip(&mut self, count: usize) -> Option<()> {
        self.bytes = self.bytes.get(count..)?;
        Some(())
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.bytes.first() == Some(&wanted)).then(|| self.skip(1))?
    }

    /// A number of that many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let number = decimal(self.bytes.get(..digits)?)?;
        self.skip(digits)?;
        Some(number)
    }

    /// `Nov 20 10:00:00` and perhaps a fraction.
    fn syslog(&mut self) -> Option<Wall> {
        let date = self.month_and_day()?;
        let us = self.clock()?;
        Some(at(2000, date, us, None))
    }

    /// `Nov 20 10:00:00 2026`
    fn ctime(&mut self) -> Option<Wall> {
        let date = self.month_and_day()?;
        let us = self.clock()?;
        self.byte(b' ')?;
        let year = self.number(4)?;
        Some(at(year, date, us, None))
    }

    fn month_and_day(&mut self) -> Option<(i64, i64)> {
        let month = month(self.bytes.get(..3)?)?;
        self.skip(3)?;
        self.byte(b' ')?;
        let day = decimal(self.bytes.get(..2)?.trim_ascii_start())?;
        self.skip(2)?;
        self.byte(b' ')?;
        (1..=31).contains(&day).then_some((month, day))
    }

    /// `2026-11-20T10:00:00.123456+01:00`, also with a space, a comma, `Z`, `+0100`, `UTC`, or no
    /// zone at all.
    fn iso(&mut self) -> Option<Wall> {
        let year = self.number(4)?;
        self.byte(b'-')?;
        let month = self.number(2)?;
        self.byte(b'-')?;
        let day = self.number(2)?;
        self.byte(b'T').or_else(|| self.byte(b' '))?;
        let us = self.clock()?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        Some(at(year, (month, day), us, self.zone()))
    }

    /// `10:00:00` and perhaps a fraction, in microseconds.
    fn clock(&mut self) -> Option<i64> {
        let hour = self.number(2)?;
        self.byte(b':')?;
        let minute = self.number(2)?;
        self.byte(b':')?;
        let second = self.number(2)?;
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let whole = (hour * 3600 + minute * 60 + second) * SECOND;
        Some(whole + self.fraction())
    }

    fn fraction(&mut self) -> i64 {
        if self.byte(b'.').or_else(|| self.byte(b',')).is_none() {
            return 0;
        }
        let end = self.bytes.iter().position(|byte| !byte.is_ascii_digit());
        let digits = &self.bytes[..end.unwrap_or(self.bytes.len())];
        let us =
            (0..6).fold(0, |us, at| us * 10 + digits.get(at).map_or(0, |d| i64::from(d - b'0')));
        self.bytes = &self.bytes[digits.len()..];
        us
    }

    /// The offset from UTC in seconds.
    fn zone(&mut self) -> Option<i64> {
        if self.bytes.starts_with(b"Z") || self.bytes.trim_ascii_start().starts_with(b"UTC") {
            return Some(0);
        }
        let sign = match self.bytes.first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.skip(1)?;
        let hours = self.number(2)?;
        let _ = self.byte(b':');
        let minutes = self.number(2)?;
        Some(sign * (hours * 3600 + minutes * 60))
    }

    /// `1795166400.123456`, or whole microseconds.
    fn unix(&mut self) -> Option<Wall> {
        let end = self.bytes.iter().position(|byte| !byte.is_ascii_digit());
        let digits = end.unwrap_or(self.bytes.len());
        let number = self.number(digits)?;
        let us = match digits {
            9..=10 => number * SECOND + self.fraction(),
            15..=16 => number,
            _ => return None,
        };
        Some(Wall { us, is_utc: true })
    }
}

fn decimal(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    })
}

fn at(year: i64, (month, day): (i64, i64), in_day_us: i64, offset_s: Option<i64>) -> Wall {
    let seconds = days(year, month, day) * DAY_S - offset_s.unwrap_or(0);
    Wall { us: seconds * SECOND + in_day_us, is_utc: offset_s.is_some() }
}

/// Days since 1970-01-01 in the Gregorian calendar. The year is counted from March, so that the
/// leap day is its last; 719468 days lie between 0000-03-01 and 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let in_year = (153 * since_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year
        - 719_468
}

/// The other way round.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, in_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let since_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 10:00:00 in UTC, by date(1).
    const MOMENT: i64 = 1_795_168_800 * SECOND;

    fn parse(text: &str) -> Option<Wall> {
        Wall::parse(text.as_bytes())
    }

    #[test]
    fn every_form_tells_the_same_moment() {
        for text in [
            "2026-11-20T10:00:00Z",
            "2026-11-20T10:00:00+0000",
            "2026-11-20T11:00:00+01:00",
            "2026-11-20T04:30:00-05:30",
            "2026-11-20T10:00:00,000000+00:00",
            "2026-11-20 10:00:00 UTC",
            "Fri 2026-11-20 10:00:00 UTC",
            "1795168800.000000",
            "1795168800000000",
        ] {
            assert_eq!(parse(text), Some(Wall { us: MOMENT, is_utc: true }), "{text}");
        }
        for text in ["Fri Nov 20 10:00:00 2026", "2026-11-20T10:00:00"] {
            assert_eq!(parse(text), Some(Wall { us: MOMENT, is_utc: false }), "{text}");
        }
    }

    #[test]
    fn without_a_year_only_differences_are_told() {
        let first = parse("Nov  6 10:00:00").unwrap();
        let second = parse("Nov 20 10:00:01.500000").unwrap();
        assert!(!first.is_utc && first.rfc_3339().is_none());
        assert_eq!(second.us - first.us, (14 * DAY_S + 1) * SECOND + SECOND / 2);
        assert!(parse("Feb 29 00:00:00").is_some());
    }

    #[test]
    fn what_is_shown_is_utc() {
        for (text, shown) in [
            ("2026-11-20T11:00:00.123456+01:00", "2026-11-20T10:00:00.123Z"),
            ("2000-02-29T23:59:59Z", "2000-02-29T23:59:59.000Z"),
            ("1969-12-31T23:00:00-02:00", "1970-01-01T01:00:00.000Z"),
            ("2100-03-01T00:00:00Z", "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(parse(text).and_then(Wall::rfc_3339).as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "Nov",
            "Nov 99 10:00:00",
            "Nov 20 25:00:00",
            "2026-13-20T10:00:00",
            "12",
            "abcd ef",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
