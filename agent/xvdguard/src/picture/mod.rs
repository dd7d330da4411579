//! `explain --picture`: the incident as a timeline, for reports and tickets.
//!
//! A row for each device, a mark for each message with its repetitions folded, a band for each
//! outage, and below it what was said. Plain SVG: no script, nothing to fetch, the same bytes for
//! the same story. Every text from the log is escaped twice, as `Text` and as XML.

mod chart;
mod list;
mod rows;
mod scale;
mod sign;
mod svg;

use xvdguard_logic::explain::story::Story;
use xvdguard_logic::wording::explain::{Detail, tell};
use xvdguard_logic::wording::picture as wording;

use rows::Row;
use scale::Scale;
use svg::Svg;

/// Pixels: a page in landscape.
const WIDTH: f64 = 1200.0;
/// On both sides.
const MARGIN: f64 = 20.0;
/// Characters of a line that fit the page, in the widest font that is used for it.
const LINE: usize = 150;

/// The picture of a story.
pub fn svg(story: &Story) -> String {
    let mut svg = Svg::default();
    let mut y = head(&mut svg, story);
    if story.subjects.is_empty() {
        svg.text((MARGIN, y + 20.0), "", wording::NOTHING);
        y += 40.0;
    } else {
        let scale = Scale::new(rows::moments(story), chart::SPREAD);
        let mut rows = rows::rows(story, &scale, chart::RIGHT);
        list::number(&mut rows);
        y = chart::draw(&mut svg, &Chart { story, scale: &scale, rows: &rows }, y);
        y = list::draw(&mut svg, &rows, y);
        y = list::legend(&mut svg, y);
    }
    let title = tell(story, Detail::Gist).into_iter().next();
    svg.finish(&title.map(|line| line.text).unwrap_or_default(), (WIDTH, y + MARGIN))
}

/// What is drawn.
#[derive(Debug)]
struct Chart<'a> {
    story: &'a Story,
    scale: &'a Scale<'a>,
    rows: &'a [Row<'a>],
}

/// Verdict and first cause, as the text tells them.
fn head(svg: &mut Svg, story: &Story) -> f64 {
    let mut y = MARGIN + 14.0;
    for (index, line) in tell(story, Detail::Gist).iter().enumerate() {
        let class = ["title", "", "said"][index.min(2)];
        svg.text((MARGIN, y), class, &cut(line.text.trim(), LINE));
        y += 22.0;
    }
    y
}

/// The beginning of a text that is too long, as many characters as fit.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => text.chars().take(characters - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests;
