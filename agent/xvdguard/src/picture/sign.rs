//! The marks: a shape and a colour for each state, so that who does not see the one sees the other.
//!
//! The colours are those of Okabe and Ito (Color Universal Design, 2008), which people with every
//! kind of colour blindness tell apart.

use xvdguard_logic::explain::story::Verdict;
use xvdguard_logic::wording::picture as wording;

use super::svg::{Point, Svg};

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A message that proves this state; `Healthy` for one that proves nothing.
    Said(Verdict),
    /// Made good.
    MadeGood,
}

/// Half the width of a mark.
pub const RADIUS: f64 = 8.0;

/// In the order of the legend.
pub const ALL: [Sign; 6] = [
    Sign::Said(Verdict::Healthy),
    Sign::Said(Verdict::Stalled),
    Sign::Said(Verdict::Refused),
    Sign::Said(Verdict::Erring),
    Sign::Said(Verdict::Aborted),
    Sign::MadeGood,
];

const BLUE: &str = "#0072B2";
const ORANGE: &str = "#E69F00";
const VERMILLION: &str = "#D55E00";
const GREEN: &str = "#009E73";

impl Sign {
    /// What it stands for.
    pub fn legend(self) -> &'static str {
        match self {
            Sign::Said(verdict) => wording::legend(verdict),
            Sign::MadeGood => wording::MADE_GOOD,
        }
    }

    /// Draws the mark around a point.
    pub fn draw(self, svg: &mut Svg, at: Point) {
        match self {
            Sign::Said(Verdict::Healthy) => svg.circle(at, 4.0, "fill=\"#888\""),
            Sign::Said(Verdict::Stalled) => stalled(svg, at),
            Sign::Said(Verdict::Refused) => refused(svg, at),
            Sign::Said(Verdict::Erring) => erring(svg, at),
            Sign::Said(Verdict::Aborted) => aborted(svg, at),
            Sign::MadeGood => made_good(svg, at),
        }
    }
}

/// The colour of the time in which something was in this state.
pub fn band(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "#fff",
        Verdict::Stalled => "#d6e8f3",
        Verdict::Refused => "#fbecc8",
        Verdict::Erring => "#f9dfcb",
        Verdict::Aborted => "#f3cdb3",
    }
}

/// Two bars: it waits.
fn stalled(svg: &mut Svg, (x, y): Point) {
    svg.rectangle((x - 6.0, y - 7.0), (4.0, 14.0), BLUE);
    svg.rectangle((x + 2.0, y - 7.0), (4.0, 14.0), BLUE);
}

/// A triangle: a warning.
fn refused(svg: &mut Svg, at: Point) {
    let corners = [(0.0, -RADIUS), (RADIUS, 6.0), (-RADIUS, 6.0), (0.0, -RADIUS)];
    svg.outline(at, &corners, &format!("fill=\"{ORANGE}\" stroke=\"#222\""));
}

/// A lozenge.
fn erring(svg: &mut Svg, at: Point) {
    let corners = [(0.0, -RADIUS), (RADIUS, 0.0), (0.0, RADIUS), (-RADIUS, 0.0), (0.0, -RADIUS)];
    svg.outline(at, &corners, &format!("fill=\"{VERMILLION}\" stroke=\"#222\""));
}

/// A black box with a cross.
fn aborted(svg: &mut Svg, (x, y): Point) {
    svg.rectangle((x - 7.0, y - 7.0), (14.0, 14.0), "#000");
    let paint = "fill=\"none\" stroke=\"#fff\" stroke-width=\"2\"";
    svg.outline((x, y), &[(-4.0, -4.0), (4.0, 4.0)], paint);
    svg.outline((x, y), &[(-4.0, 4.0), (4.0, -4.0)], paint);
}

/// A tick on a disc.
fn made_good(svg: &mut Svg, at: Point) {
    svg.circle(at, RADIUS, &format!("fill=\"{GREEN}\""));
    let paint = "fill=\"none\" stroke=\"#fff\" stroke-width=\"2\"";
    svg.outline(at, &[(-4.0, 0.0), (-1.0, 3.5), (4.0, -3.5)], paint);
}
