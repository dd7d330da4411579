//! From moments to places on the axis.
//!
//! Messages come in bursts of microseconds with hours between, so places follow the order of the
//! lines, and the distance between two of them the logarithm of the time between. Where the log
//! does not tell that time, the distance is the least, and nothing is said of it.

use std::collections::BTreeMap;

use xvdguard_logic::explain::story::Moment;
use xvdguard_logic::order;
use xvdguard_logic::text::Text;

/// A moment, with what tells whose clock it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Timed<'a> {
    /// When.
    pub moment: &'a Moment,
    /// On which host.
    pub host: Option<&'a Text>,
    /// In which boot of it.
    pub boot: u32,
}

/// Places of lines.
#[derive(Debug, Default)]
pub struct Scale<'a> {
    places: BTreeMap<u64, f64>,
    /// In the order of the lines.
    pub moments: Vec<Timed<'a>>,
}

/// Time that is as wide as the least distance, in microseconds.
const UNIT_US: f64 = 10_000.0;

impl<'a> Scale<'a> {
    /// Spreads the moments between two places.
    pub fn new(mut moments: Vec<Timed<'a>>, (left, right): (f64, f64)) -> Scale<'a> {
        order::sort_by_key(&mut moments, |timed| timed.moment.line);
        moments.dedup_by_key(|timed| timed.moment.line);
        let widths: Vec<f64> =
            moments.windows(2).map(|pair| width(between(pair[0], pair[1]))).collect();
        let all: f64 = widths.iter().sum();
        let mut places = BTreeMap::new();
        let mut at = if widths.is_empty() { (left + right) / 2.0 } else { left };
        for (index, timed) in moments.iter().enumerate() {
            places.insert(timed.moment.line, at);
            at += widths.get(index).map_or(0.0, |width| width / all * (right - left));
        }
        Scale { places, moments }
    }

    /// The place of a line that is among the moments.
    pub fn place(&self, line: u64) -> f64 {
        self.places.get(&line).copied().unwrap_or_default()
    }

    /// Pairs of neighbours with the time between, where it is known.
    pub fn gaps(&self) -> impl Iterator<Item = (f64, f64, Option<u64>)> + '_ {
        self.moments.windows(2).map(|pair| {
            let place = |timed: Timed<'_>| self.place(timed.moment.line);
            (place(pair[0]), place(pair[1]), between(pair[0], pair[1]))
        })
    }

    /// Where a host begins another boot: the place, and which boot.
    pub fn boots(&self) -> Vec<(f64, u32)> {
        let mut known: Vec<(Option<&Text>, u32)> = Vec::new();
        let mut begins = Vec::new();
        let mut before = None;
        for timed in &self.moments {
            let at = self.place(timed.moment.line);
            match known.iter_mut().find(|(host, _)| *host == timed.host) {
                Some((_, boot)) if *boot != timed.boot => {
                    *boot = timed.boot;
                    begins.push(((before.unwrap_or(at) + at) / 2.0, timed.boot));
                }
                Some(_) => {}
                None => known.push((timed.host, timed.boot)),
            }
            before = Some(at);
        }
        begins
    }
}

/// Microseconds from one moment to a later one, if the log tells.
pub fn between(earlier: Timed<'_>, later: Timed<'_>) -> Option<u64> {
    if earlier.host == later.host && earlier.boot == later.boot {
        return later.moment.us_since(earlier.moment);
    }
    let (then, now) = (earlier.moment.wall.as_ref()?, later.moment.wall.as_ref()?);
    u64::try_from(now.wall.us.checked_sub(then.wall.us)?).ok()
}

fn width(us: Option<u64>) -> f64 {
    1.0 + us.map_or(0.0, |us| doublings(1.0 + us as f64 / UNIT_US))
}

/// How often one is to be doubled, parts of a doubling by proportion: exponent and fraction of a
/// number as IEEE 754 writes it. A true logarithm would come from libm, all of which a daemon
/// that locks what it uses would hold in memory.
fn doublings(number: f64) -> f64 {
    const FRACTION_BITS: u32 = 52;
    const EXPONENT_OF_ONE: f64 = 1023.0;
    number.to_bits() as f64 / (1_u64 << FRACTION_BITS) as f64 - EXPONENT_OF_ONE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(line: u64, boot_us: Option<u64>) -> Moment {
        Moment { line, boot_us, wall: None }
    }

    fn timed(moment: &Moment, boot: u32) -> Timed<'_> {
        Timed { moment, host: None, boot }
    }

    #[test]
    fn places_keep_the_order_of_the_lines_and_fill_the_page() {
        let moments = [(5, 900), (1, 100), (2, 100), (9, 3_600_000_000)];
        let moments = moments.map(|(line, us)| moment(line, Some(us)));
        let scale = Scale::new(moments.iter().map(|at| timed(at, 0)).collect(), (100.0, 200.0));
        let places = [1, 2, 5, 9].map(|line| scale.place(line));
        assert_eq!((places[0], places[3]), (100.0, 200.0));
        assert!(places.is_sorted() && places[3] - places[2] > 50.0, "{places:?}");
        assert_eq!(scale.gaps().map(|gap| gap.2).last(), Some(Some(3_599_999_100)));
    }

    #[test]
    fn a_gap_is_as_wide_as_it_has_doublings() {
        for (number, expected) in [(1.0, 0.0), (2.0, 1.0), (3.0, 1.5), (4.0, 2.0), (1024.0, 10.0)] {
            assert_eq!(doublings(number), expected);
        }
    }

    #[test]
    fn one_moment_is_in_the_middle() {
        let alone = moment(7, None);
        assert_eq!(Scale::new(vec![timed(&alone, 0)], (100.0, 200.0)).place(7), 150.0);
    }

    #[test]
    fn another_boot_has_another_clock() {
        let (first, second) = (moment(1, Some(9_000_000)), moment(2, Some(3_000_000)));
        let scale = Scale::new(vec![timed(&first, 0), timed(&second, 1)], (0.0, 100.0));
        assert_eq!(scale.boots(), [(50.0, 1)]);
        assert_eq!(scale.gaps().map(|gap| gap.2).collect::<Vec<_>>(), [None]);
    }
}
