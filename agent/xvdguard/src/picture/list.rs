//! Below the chart: what was said, by the numbers of the marks, and what the marks stand for.

use std::cmp::Reverse;

use xvdguard_logic::explain::story::{Finding, Subject, Verdict};
use xvdguard_logic::order;
use xvdguard_logic::wording::explain::{meaning, repeated, stamp};
use xvdguard_logic::wording::picture as wording;

use super::rows::{Mark, Row};
use super::sign;
use super::svg::Svg;
use super::{LINE, MARGIN, WIDTH, cut};

/// Messages in the list; the text of `explain -v` has the rest.
const MOST: usize = 40;
/// Two lines of text.
const ENTRY: f64 = 36.0;
/// Where texts begin, behind mark and number.
const TEXT: f64 = MARGIN + 56.0;
/// Entries of the legend beside each other.
const COLUMNS: usize = 4;
const COLUMN: f64 = 290.0;

/// Numbers the marks that are listed, in the order of their lines: all of them, or where there are
/// too many the first cause and those that prove most.
pub fn number(rows: &mut [Row<'_>]) {
    let marks = rows.iter_mut().flat_map(|row| &mut row.marks);
    let mut said: Vec<(&Finding, &mut Mark<'_>)> =
        marks.filter_map(|mark| Some((mark.finding?, mark))).collect();
    order::sort_by_key(&mut said, |(finding, mark)| {
        (!mark.is_first, Reverse(finding.weight), finding.first.line)
    });
    said.truncate(MOST);
    order::sort_by_key(&mut said, |(finding, _)| finding.first.line);
    for (index, (_, mark)) in said.into_iter().enumerate() {
        mark.number = Some(index + 1);
    }
}

/// Draws the list below `top`, and returns where it ends.
pub fn draw(svg: &mut Svg, rows: &[Row<'_>], top: f64) -> f64 {
    let mut y = top + 34.0;
    svg.text((MARGIN, y), "strong", wording::WHAT_WAS_SAID);
    let all = rows.iter().flat_map(|row| row.marks.iter().map(|mark| (row.subject, mark)));
    let said: Vec<(&Subject, &Mark<'_>)> = all.filter(|(_, mark)| mark.finding.is_some()).collect();
    let mut listed: Vec<_> = said.iter().filter(|(_, mark)| mark.number.is_some()).collect();
    order::sort_by_key(&mut listed, |(_, mark)| mark.number);
    y += 24.0;
    for (subject, mark) in &listed {
        entry(svg, subject, mark, y);
        y += ENTRY;
    }
    if listed.len() < said.len() {
        svg.text((TEXT, y), "small", &wording::more(said.len() - listed.len()));
        y += ENTRY / 2.0;
    }
    y
}

fn entry(svg: &mut Svg, subject: &Subject, mark: &Mark<'_>, y: f64) {
    let (Some(finding), Some(number)) = (mark.finding, mark.number) else { return };
    mark.sign.draw(svg, (MARGIN + 10.0, y - 4.0));
    svg.text((MARGIN + 46.0, y), "strong end", &number.to_string());
    let name = wording::name(subject, true);
    let what = format!("{name}: {}{}", meaning(finding.event, &finding.text), repeated(finding));
    svg.text((TEXT, y), "", &cut(&what, LINE));
    let line = wording::line(finding.first.line);
    let said = format!("{line}: {}{}", stamp(&finding.first), finding.text);
    svg.text((TEXT, y + 15.0), "said", &cut(&said, LINE));
}

/// Draws the legend below `top`, and returns where it ends.
pub fn legend(svg: &mut Svg, top: f64) -> f64 {
    svg.line((MARGIN, top), (WIDTH - MARGIN, top), "rule");
    let mut y = top + 22.0;
    for (index, sign) in sign::ALL.iter().enumerate() {
        let column = index % COLUMNS;
        if index > 0 && column == 0 {
            y += 24.0;
        }
        let x = MARGIN + COLUMN * column as f64;
        sign.draw(svg, (x + 10.0, y - 4.0));
        svg.text((x + 26.0, y), "small", sign.legend());
    }
    let x = MARGIN + COLUMN * 2.0;
    svg.line((x, y - 4.0), (x + 16.0, y - 4.0), "again");
    svg.line((x + 16.0, y - 9.0), (x + 16.0, y + 1.0), "again");
    svg.text((x + 26.0, y), "small", wording::REPEATED);
    y += 24.0;
    let bands = [Verdict::Stalled, Verdict::Refused, Verdict::Erring, Verdict::Aborted];
    for (index, verdict) in bands.into_iter().enumerate() {
        let x = MARGIN + 20.0 * index as f64;
        svg.rectangle((x, y - 11.0), (20.0, 14.0), sign::band(verdict));
    }
    svg.text((MARGIN + 86.0, y), "small", wording::BAND);
    y
}
