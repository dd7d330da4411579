//! What is wrong with a configuration, with its place and its line.
//!
//! Files may hold anything: whatever is shown of them is escaped.

use std::fmt;
use std::ops::Range;

use serde::Serialize;
use xvdguard_logic::order;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::config as wording;

use super::lines::Lines;

/// Nobody reads more of one file; the rest is counted.
pub const AT_MOST: usize = 100;

/// How much of a long line is shown before and after the place.
const BEFORE: usize = 40;
const AFTER: usize = 60;

/// Something wrong, by its bytes in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub span: Range<usize>,
    /// What is so.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// Something wrong, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file as a person would type it.
    pub file: Text,
    /// Where in it; none where it could not be read at all.
    #[serde(flatten)]
    pub place: Place,
    /// What is so.
    pub text: String,
    /// What to do.
    pub remedy: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// From 1.
    pub line: Option<usize>,
    /// In characters, from 1.
    pub column: Option<usize>,
    /// The line, or the part of it around the place, escaped.
    pub source: Option<String>,
    /// Where in `source` the place begins, and how wide it is.
    #[serde(skip)]
    mark: Range<usize>,
}

/// Everything that is wrong.
#[derive(Debug)]
pub struct Problems {
    /// In the order of files and places.
    pub list: Vec<Problem>,
    /// The files that were looked at.
    pub files: Vec<Text>,
}

impl Problem {
    /// A file that cannot be read; the text names it.
    pub fn of_file(file: Text, text: String) -> Self {
        Problem { file, place: Place::default(), text, remedy: None }
    }
}

/// From bytes to lines and columns.
pub fn place(file: &Text, content: &[u8], mut found: Vec<Found>) -> Vec<Problem> {
    order::sort_by_key(&mut found, |one| one.span.start);
    let lines = Lines::of(content);
    let more = found.len().saturating_sub(AT_MOST);
    let mut problems = Vec::new();
    for Found { span, what, remedy } in found.into_iter().take(AT_MOST) {
        let number = lines.number(span.start);
        let (start, line) = lines.line(number);
        let within = span.start - start..span.end.max(span.start) - start;
        let place = Place { line: Some(number), ..in_line(line, within) };
        problems.push(Problem { file: file.clone(), place, text: what, remedy: Some(remedy) });
    }
    if let (Some(last), 1..) = (problems.last_mut(), more) {
        last.text += &wording::and_more(more);
    }
    problems
}

/// Column and excerpt of a span in a line, both in bytes.
fn in_line(line: &[u8], span: Range<usize>) -> Place {
    let (start, end) = (span.start.min(line.len()), span.end.min(line.len()));
    let before = characters(&line[..start]);
    let (within, after) = (characters(&line[start..end]), characters(&line[end..]));
    let column = before.len() + 1;
    let mut source = String::new();
    if before.len() > BEFORE {
        source.push('…');
    }
    source.extend(before.iter().skip(before.len().saturating_sub(BEFORE)).map(shown));
    let from = source.chars().count();
    source.extend(within.iter().take(AFTER).map(shown));
    let width = source.chars().count() - from;
    let rest = AFTER.saturating_sub(within.len());
    source.extend(after.iter().take(rest).map(shown));
    if within.len() + after.len() > AFTER {
        source.push('…');
    }
    let mark = from..from + width.max(1);
    Place { line: None, column: Some(column), source: Some(source), mark }
}

/// A character, or a byte that is none, each as a text.
fn characters(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for chunk in bytes.utf8_chunks() {
        found.extend(chunk.valid().chars().map(|one| one.to_string().into_bytes()));
        if !chunk.invalid().is_empty() {
            found.push(chunk.invalid().to_vec());
        }
    }
    found
}

/// A tab takes the place of one character, so that the mark stands below its text; a backslash
/// stays as it was typed.
fn shown(character: &Vec<u8>) -> String {
    match character.as_slice() {
        b"\t" => " ".into(),
        b"\\" => "\\".into(),
        bytes => Text::from(bytes).to_string(),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, source, mark } = &self.place;
        let (Some(line), Some(column), Some(source)) = (line, column, source) else {
            return write!(to, "{}", self.text);
        };
        writeln!(to, "{}:{line}:{column}: {}", self.file, self.text)?;
        let number = format!("{line:5}");
        writeln!(to, "{number} | {source}")?;
        let (from, width) = (mark.start, mark.len());
        write!(to, "{:5} | {:from$}{}", "", "", "^".repeat(width))?;
        match &self.remedy {
            Some(remedy) => write!(to, "\n{:5} = {remedy}", ""),
            None => Ok(()),
        }
    }
}

/// Each begins as an error of its own does.
impl fmt::Display for Problems {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let start = if index == 0 { "" } else { "\nxvdguard: error: " };
            write!(to, "{start}{problem}")?;
        }
        Ok(())
    }
}
