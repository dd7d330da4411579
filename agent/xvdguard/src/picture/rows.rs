//! A row for each device: its marks, in as many lanes as they need, and the time of its outage.

use xvdguard_logic::explain::story::{Cause, Finding, Story, Subject, Verdict};
use xvdguard_logic::order;

use super::scale::{Scale, Timed};
use super::sign::{RADIUS, Sign};

/// One device.
#[derive(Debug)]
pub struct Row<'a> {
    /// Whose.
    pub subject: &'a Subject,
    /// In the order of their places.
    pub marks: Vec<Mark<'a>>,
    /// How many marks are above each other at most.
    pub lanes: usize,
    /// From where to where it failed.
    pub outage: Option<(f64, f64)>,
}

/// One message with all its repetitions, or the end of the trouble.
#[derive(Debug)]
pub struct Mark<'a> {
    /// How it looks.
    pub sign: Sign,
    /// Where it is.
    pub place: f64,
    /// Where it was said for the last time.
    pub last: f64,
    /// From 0 at the top.
    pub lane: usize,
    /// Its place in the list below the chart, from 1, if it is there.
    pub number: Option<usize>,
    /// What was said; none for the end of the trouble.
    pub finding: Option<&'a Finding>,
    /// Whether everything began here.
    pub is_first: bool,
}

/// Space that a mark needs to its right: for a number, for a count.
const NUMBER: f64 = 24.0;
const COUNT: f64 = 64.0;

/// Every moment of a story that has a place.
pub fn moments(story: &Story) -> Vec<Timed<'_>> {
    story.subjects.iter().flat_map(of_subject).collect()
}

fn of_subject(subject: &Subject) -> impl Iterator<Item = Timed<'_>> {
    let findings = subject.findings.iter().flat_map(|one| [&one.first, &one.last]);
    let (host, boot) = (subject.host.as_ref(), subject.boot.index);
    findings.chain(&subject.recovered).map(move |moment| Timed { moment, host, boot })
}

/// The rows of a story.
pub fn rows<'a>(story: &'a Story, scale: &Scale<'_>, end: f64) -> Vec<Row<'a>> {
    let row = |subject| row(subject, story.first_cause.as_ref(), scale, end);
    story.subjects.iter().map(row).collect()
}

fn row<'a>(subject: &'a Subject, cause: Option<&Cause>, scale: &Scale<'_>, end: f64) -> Row<'a> {
    let mut marks: Vec<Mark<'a>> = subject
        .findings
        .iter()
        .map(|finding| Mark {
            sign: Sign::Said(finding.weight.verdict()),
            place: scale.place(finding.first.line),
            last: scale.place(finding.last.line),
            lane: 0,
            number: None,
            finding: Some(finding),
            is_first: cause.is_some_and(|cause| is_of(cause, finding)),
        })
        .collect();
    marks.extend(subject.recovered.as_ref().map(|at| {
        let place = scale.place(at.line);
        let (sign, last) = (Sign::MadeGood, place);
        Mark { sign, place, last, lane: 0, number: None, finding: None, is_first: false }
    }));
    order::sort_by(&mut marks, |one, other| one.place.total_cmp(&other.place));
    let lanes = spread(&mut marks);
    Row { subject, marks, lanes, outage: outage(subject, scale, end) }
}

fn is_of(cause: &Cause, finding: &Finding) -> bool {
    cause.at.line == finding.first.line && cause.event == finding.event
}

/// Gives each mark the first lane in which nothing is in its way.
fn spread(marks: &mut [Mark<'_>]) -> usize {
    let mut ends: Vec<f64> = Vec::new();
    for mark in marks {
        let begin = mark.place - RADIUS;
        let lane = ends.iter().position(|end| *end <= begin).unwrap_or(ends.len());
        let count = mark.finding.map_or(1, |finding| finding.count);
        let end = mark.last + RADIUS + if count > 1 { COUNT } else { NUMBER };
        match ends.get_mut(lane) {
            Some(taken) => *taken = end,
            None => ends.push(end),
        }
        mark.lane = lane;
    }
    ends.len()
}

/// From the first failure to where it was made good; else to the end of that boot, or of the page.
fn outage(subject: &Subject, scale: &Scale<'_>, end: f64) -> Option<(f64, f64)> {
    let failures = subject.findings.iter().filter(|one| one.weight.verdict() > Verdict::Healthy);
    let first = failures.map(|finding| finding.first.line).min()?;
    let recovered = subject.recovered.as_ref().map(|at| at.line).filter(|line| *line > first);
    let next_boot = scale.moments.iter().find(|timed| {
        let is_later = timed.moment.line > first && timed.boot > subject.boot.index;
        is_later && timed.host == subject.host.as_ref()
    });
    let over = recovered.or(next_boot.map(|timed| timed.moment.line));
    Some((scale.place(first), over.map_or(end, |line| scale.place(line))))
}
