//! The chart: axis, rows, bands and marks.

use std::fmt::Write;

use xvdguard_logic::explain::story::Subject;
use xvdguard_logic::wording::explain::{duration, grouped, meaning};
use xvdguard_logic::wording::picture as wording;

use super::rows::{Mark, Row};
use super::scale::Timed;
use super::sign::{RADIUS, band};
use super::svg::Svg;
use super::{Chart, MARGIN, WIDTH, cut};

/// Where rows end.
pub const RIGHT: f64 = WIDTH - MARGIN;
/// Where rows begin, behind their names.
const LEFT: f64 = 230.0;
/// Where moments may be: the last mark needs room for its count.
pub const SPREAD: (f64, f64) = (LEFT + 24.0, RIGHT - 84.0);
/// Characters of a name that fit before the row.
const NAME: usize = 28;
const LANE: f64 = 22.0;
/// A row has at least room for a name and the state below it, or beside it where there are many.
const LEAST: f64 = 44.0;
const LEAST_OF_MANY: f64 = 28.0;
const MANY: usize = 16;
/// Around the mark of the first cause.
const RING: f64 = 3.5;
/// Between two times on the axis.
const TICKS: f64 = 150.0;
/// A gap so wide has its length written into it.
const GAP: f64 = 70.0;

/// Draws the chart below `top`, and returns where it ends.
pub fn draw(svg: &mut Svg, chart: &Chart<'_>, top: f64) -> f64 {
    let (first, rows) = (top + 74.0, chart.rows);
    let least = if rows.len() > MANY { LEAST_OF_MANY } else { LEAST };
    let heights: Vec<f64> =
        rows.iter().map(|row| (row.lanes as f64 * LANE + 6.0).max(least)).collect();
    let is_one_boot = chart.story.extent.boots <= chart.story.extent.hosts;
    let mut y = first;
    for (row, height) in rows.iter().zip(&heights) {
        background(svg, row, (y, *height));
        label(svg, row.subject, y, (is_one_boot, *height));
        y += height;
    }
    axis(svg, chart, top, (first, y));
    y = first;
    for (row, height) in rows.iter().zip(&heights) {
        row.marks.iter().for_each(|mark| draw_mark(svg, mark, y));
        y += height;
    }
    svg.line((MARGIN, y), (RIGHT, y), "rule");
    svg.text((RIGHT, y + 16.0), "small end", wording::SCALE);
    y + 16.0
}

fn background(svg: &mut Svg, row: &Row<'_>, (y, height): (f64, f64)) {
    svg.line((MARGIN, y), (RIGHT, y), "rule");
    if let Some((from, to)) = row.outage {
        let color = band(row.subject.verdict);
        svg.rectangle((from, y + 1.0), ((to - from).max(2.0), height - 2.0), color);
    }
}

fn label(svg: &mut Svg, subject: &Subject, y: f64, (is_one_boot, height): (bool, f64)) {
    let (name, state) = (wording::name(subject, is_one_boot), wording::state(subject));
    svg.group(&names(subject), |svg| {
        let is_tall = height >= LEAST;
        let room = if is_tall { NAME } else { NAME - state.len() * 3 / 4 };
        svg.text((MARGIN, y + 18.0), "strong", &cut(&name, room));
        if is_tall {
            svg.text((MARGIN, y + 35.0), "small", &state);
        } else {
            svg.text((LEFT - 6.0, y + 18.0), "small end", &state);
        }
    });
}

/// All names by which the log called it.
fn names(subject: &Subject) -> String {
    let names: Vec<String> = subject.names.iter().map(|named| named.name.to_string()).collect();
    names.join(", ")
}

fn draw_mark(svg: &mut Svg, mark: &Mark<'_>, row: f64) {
    let y = row + 3.0 + LANE * (mark.lane as f64 + 0.5);
    let Some(finding) = mark.finding else {
        return svg.group(wording::MADE_GOOD, |svg| mark.sign.draw(svg, (mark.place, y)));
    };
    let title = format!("{}: {}", meaning(finding.event, &finding.text), finding.text);
    svg.group(&title, |svg| {
        let mut label = mark.place + RADIUS + 3.0;
        if finding.count > 1 {
            svg.line((mark.place, y), (mark.last, y), "again");
            svg.line((mark.last, y - 5.0), (mark.last, y + 5.0), "again");
            label = label.max(mark.last + 5.0);
        }
        if mark.is_first {
            svg.circle((mark.place, y), RADIUS + RING, "class=\"cause\"");
            label = label.max(mark.place + RADIUS + RING + 3.0);
        }
        mark.sign.draw(svg, (mark.place, y));
        let mut text = mark.number.map(|number| number.to_string());
        if finding.count > 1 {
            let _ = write!(text.get_or_insert_default(), " ×{}", grouped(finding.count));
        }
        svg.text((label, y + 4.0), "small", text.unwrap_or_default().trim());
    });
}

fn axis(svg: &mut Svg, chart: &Chart<'_>, top: f64, (first, bottom): (f64, f64)) {
    let (y, scale) = (first - 22.0, chart.scale);
    svg.line((LEFT, y), (RIGHT, y), "axis");
    for (from, to, us) in scale.gaps().filter(|(from, to, _)| to - from >= GAP) {
        let text = us.map(|us| format!("↔ {}", duration(us))).unwrap_or_default();
        svg.text(((from + to) / 2.0, y + 14.0), "small middle", &text);
    }
    for (at, boot) in scale.boots() {
        svg.line((at, y - 32.0), (at, y), "boot");
        svg.line((at, first), (at, bottom), "boot");
        svg.text((at + 4.0, y - 24.0), "small", &wording::boot(boot));
    }
    let cause = chart.story.first_cause.as_ref().map(|cause| cause.at.line);
    let cause = scale.moments.iter().find(|timed| Some(timed.moment.line) == cause);
    for timed in ticks(chart, cause) {
        let at = scale.place(timed.moment.line);
        svg.line((at, y - 4.0), (at, y + 4.0), "axis");
        svg.text((at, y - 9.0), "small middle", &cut(&wording::moment(timed.moment), 26));
    }
    if let Some(cause) = cause {
        let at = scale.place(cause.moment.line);
        svg.text((at, top + 12.0), "strong middle", &format!("▼ {}", wording::FIRST_CAUSE));
        svg.line((at, y), (at, bottom), "cause");
    }
}

/// The moments whose time is written: that of the first cause, the first, the last, and as many
/// between as have room.
fn ticks<'a>(chart: &Chart<'a>, cause: Option<&Timed<'a>>) -> Vec<Timed<'a>> {
    let moments = &chart.scale.moments;
    let ends = [moments.first(), moments.last()].into_iter().flatten();
    let mut ticks: Vec<Timed<'a>> = Vec::new();
    for timed in cause.into_iter().chain(ends).chain(moments.iter()) {
        let at = chart.scale.place(timed.moment.line);
        let is_free = |tick: &Timed<'_>| {
            let place = chart.scale.place(tick.moment.line);
            (place - at).abs() >= TICKS
        };
        if ticks.iter().all(is_free) {
            ticks.push(*timed);
        }
    }
    ticks
}
