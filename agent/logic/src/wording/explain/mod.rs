//! The story of a kernel log as text: what happened first, what followed, what it means now, what
//! to do, what is useless.

mod advice;
mod meanings;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use advice::{Instruction, Warning, instruct, warn};
pub use meanings::meaning;

use crate::explain::advice::Advice;
use crate::explain::story::{Cause, Finding, Moment, Story, Subject, Verdict, Weight};
use crate::order;

/// A line and how much it weighs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// For people, escaped.
    pub text: String,
    /// How to show it.
    pub tone: Tone,
}

/// How a line is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A verdict.
    Verdict(Verdict),
    /// As it is.
    Plain,
    /// Of less weight.
    Faint,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The verdict and the first cause.
    Gist,
    /// The story.
    Story,
    /// Every finding.
    All,
}

/// Findings of one subject that are shown unless everything is wanted.
const FINDINGS: usize = 12;

/// Subjects that are shown unless everything is wanted.
const SUBJECTS: usize = 12;

/// Sentences are broken at this width; commands and quoted lines never.
const COLUMNS: usize = 96;

/// Tells a story.
pub fn tell(story: &Story, detail: Detail) -> Vec<Line> {
    let mut page = Page { lines: Vec::new(), detail };
    page.head(story);
    if detail == Detail::Gist {
        return page.lines;
    }
    let shown = if detail == Detail::All { usize::MAX } else { SUBJECTS };
    for subject in story.subjects.iter().take(shown) {
        page.subject(subject, story.extent.hosts > 1);
    }
    if let Some(rest) = story.subjects.len().checked_sub(shown).filter(|rest| *rest > 0) {
        page.plain(format!("\n{rest} more; -v shows them"));
    }
    page.overflow(story);
    page.advice(&Advice::of(story));
    page.remarks(story);
    page.lines
}

/// What a verdict means for those who use the guest.
fn summary(story: &Story) -> &'static str {
    match story.verdict {
        Verdict::Healthy if story.has_findings() => {
            "no failure of the storage, but a mount option that the kernel refused"
        }
        Verdict::Stalled if story.subjects.iter().all(Subject::is_path) => {
            "a host lost its storage for a while; what its guests met is in their logs"
        }
        Verdict::Healthy => "no failure of the storage is in this log",
        Verdict::Stalled => "something waited for the storage; nothing is lost",
        Verdict::Refused => "the backend does not keep its promise to flush",
        Verdict::Erring => "reads or writes failed; the journals are alive",
        Verdict::Aborted => "a file system is dead until it is mounted anew",
    }
}

/// The same, of one subject at the end of its boot.
fn now(subject: &Subject) -> String {
    let is_nameless = subject.name.is_none();
    let at_end = match (subject.now, &subject.recovered) {
        _ if is_nameless => String::new(),
        (Verdict::Healthy, Some(at)) => format!("made good at line {}", at.line),
        (Verdict::Healthy, None) => String::new(),
        (Verdict::Refused, _) => "nothing is flushed any more".into(),
        (Verdict::Stalled, _) => "not known whether it still waits".into(),
        (Verdict::Erring, _) if has_file_system(subject) => "its journal is alive".into(),
        (Verdict::Erring, _) => String::new(),
        (Verdict::Aborted, _) if subject.is_path() => "its guests got errors".into(),
        (Verdict::Aborted, _) => "it takes no more writes, whatever mount says".into(),
    };
    let past = if subject.boot.is_past { "over: the log shows a later boot" } else { "" };
    match (at_end.is_empty(), past.is_empty()) {
        (true, _) => past.into(),
        (_, true) => at_end,
        _ => format!("{at_end}; {past}"),
    }
}

fn has_file_system(subject: &Subject) -> bool {
    subject.names.iter().any(|named| named.file_system.is_some())
}

struct Page {
    lines: Vec<Line>,
    detail: Detail,
}

impl Page {
    fn add(&mut self, tone: Tone, text: String) {
        self.lines.push(Line { text, tone });
    }

    /// A text of any length, behind a mark that stands out.
    fn paragraph(&mut self, mark: &str, text: &str) {
        let margin = " ".repeat(mark.chars().count());
        let (mut line, mut words) = (String::from(mark), 0);
        for word in text.split(' ') {
            if words > 0 && line.chars().count() + word.chars().count() >= COLUMNS {
                self.plain(core::mem::replace(&mut line, margin.clone()));
                words = 0;
            }
            if words > 0 {
                line.push(' ');
            }
            line.push_str(word);
            words += 1;
        }
        self.plain(line);
    }

    fn plain(&mut self, text: impl Into<String>) {
        self.add(Tone::Plain, text.into());
    }

    fn head(&mut self, story: &Story) {
        let verdict = story.verdict;
        self.add(Tone::Verdict(verdict), format!("{verdict}: {}", summary(story)));
        if let Some(cause) = &story.first_cause {
            self.first_cause(cause);
        }
        if story.extent.kernel_messages == 0 {
            let lines = story.extent.lines;
            self.plain(format!(
                "No kernel message in {}: is this a kernel log?",
                counted(lines, "line")
            ));
        }
    }

    fn first_cause(&mut self, cause: &Cause) {
        let device = cause.device.as_ref().map(|device| format!("{device}: ")).unwrap_or_default();
        let host = cause.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
        self.plain(format!("First: {host}{device}{}", meaning(cause.event, &cause.text)));
        self.quote(&cause.at, &cause.text.to_string());
    }

    fn quote(&mut self, at: &Moment, text: &str) {
        self.add(
            Tone::Faint,
            format!("    {:<10} {}{text}", format!("line {}", at.line), stamp(at)),
        );
    }

    fn subject(&mut self, subject: &Subject, by_host: bool) {
        self.plain("");
        let host = subject.host.as_ref().filter(|_| by_host);
        let host = host.map(|host| format!("{host}: ")).unwrap_or_default();
        let name = title(subject);
        let verdict = subject.verdict;
        let now = now(subject);
        let now = if now.is_empty() { now } else { format!("  {now}") };
        self.add(Tone::Verdict(verdict), format!("{host}{name}  {verdict}{now}"));
        self.cause(subject);
        let limit = if self.detail == Detail::All { usize::MAX } else { FINDINGS };
        let mut findings = shown(subject, limit);
        order::sort_by_key(&mut findings, |finding| finding.first.line);
        for finding in &findings {
            self.finding(finding);
        }
        if findings.len() < subject.findings.len() {
            let rest = subject.findings.len() - findings.len();
            self.plain(format!("  and {}; -v shows them", counted(rest as u64, "more message")));
        }
    }

    /// Where the fall began, if that was elsewhere.
    fn cause(&mut self, subject: &Subject) {
        let Some(cause) = &subject.cause else { return };
        let Some(device) = &cause.device else { return };
        if !subject.names.iter().any(|named| named.name == *device) {
            let host = cause.host.as_ref().filter(|host| Some(*host) != subject.host.as_ref());
            let host = host.map(|host| format!("{host}: ")).unwrap_or_default();
            let line = cause.at.line;
            let what = meaning(cause.event, &cause.text);
            self.plain(format!("  began with {host}{device}, line {line}: {what}"));
        }
    }

    fn finding(&mut self, finding: &Finding) {
        self.plain(format!("  {}{}", meaning(finding.event, &finding.text), repeated(finding)));
        self.quote(&finding.first, &finding.text.to_string());
    }

    fn overflow(&mut self, story: &Story) {
        if let Some(rest) = &story.overflow {
            self.plain("");
            let verdict = rest.verdict;
            let count = counted(rest.count, "line");
            let text = format!("and others  {verdict}  {count} about too many devices to list");
            self.add(Tone::Verdict(verdict), text);
        }
    }

    fn advice(&mut self, advice: &Advice) {
        if !advice.steps.is_empty() {
            self.plain("\nWhat to do");
        }
        for (number, step) in advice.steps.iter().enumerate() {
            let Instruction { text, commands } = instruct(step);
            self.paragraph(&format!("  {}. ", number + 1), &format!("{text}."));
            for command in commands {
                self.plain(format!("         {command}"));
            }
        }
        if !advice.useless.is_empty() {
            self.plain("\nWhat does not help");
        }
        for useless in &advice.useless {
            let Warning { what, why } = warn(*useless);
            self.paragraph("  - ", &format!("{what}: {why}."));
        }
    }

    fn remarks(&mut self, story: &Story) {
        let extent = &story.extent;
        if extent.dropped > 0 && story.has_findings() {
            let dropped = counted(extent.dropped, "line");
            let text =
                format!("\nThe kernel dropped {dropped} of floods: counts are lower bounds.");
            self.add(Tone::Faint, text);
        }
        if extent.could_be_forged {
            self.add(
                Tone::Faint,
                "\nAny user may write such lines, with logger -t kernel; /dev/kmsg, dmesg -x and \
                 journalctl -o json tell who wrote what."
                    .into(),
            );
        }
    }
}

/// The findings that say most: what proves the deepest state, and of those the first.
fn shown(subject: &Subject, limit: usize) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = subject.findings.iter().collect();
    order::sort_by_key(&mut findings, |finding| {
        // What only repeats in other words comes last: notes.
        (finding.weight == Weight::Note, finding.first.line)
    });
    findings.truncate(limit);
    findings
}

/// The name of a subject, with the other names by which the log called it.
fn title(subject: &Subject) -> String {
    let Some(name) = &subject.name else { return "(no device named)".into() };
    let others = subject.names.iter().map(|named| &named.name).filter(|other| *other != name);
    let others: Vec<String> = others.map(ToString::to_string).collect();
    match &others[..] {
        [] => name.to_string(),
        others => format!("{name} ({})", others.join(", ")),
    }
}

/// ` (12,431 times in 3 min)`
pub fn repeated(finding: &Finding) -> String {
    if finding.count < 2 {
        return String::new();
    }
    let within = finding.last.us_since(&finding.first).filter(|us| *us >= 1000);
    let within = within.map(|us| format!(" in {}", duration(us)));
    let last = finding.last.line;
    format!(
        " ({} times{}, last in line {last})",
        grouped(finding.count),
        within.unwrap_or_default()
    )
}

/// The time of a moment as the log tells it, and a space.
pub fn stamp(at: &Moment) -> String {
    if let Some(us) = at.boot_us {
        return format!("[{:5}.{:06}] ", us / 1_000_000, us % 1_000_000);
    }
    let Some(clock) = &at.wall else { return String::new() };
    let is_number = !clock.text.as_bytes().iter().any(|byte| !byte.is_ascii_digit());
    let shown = clock.wall.rfc_3339().filter(|_| is_number);
    format!("{} ", shown.unwrap_or_else(|| clock.text.to_string()))
}

/// `1 line`, `12,431 lines`
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// `12,431`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A length of time in the largest unit that leaves at least two of it.
pub fn duration(us: u64) -> String {
    let s = us / 1_000_000;
    match s {
        0 if us < 1000 => format!("{us} µs"),
        0..2 => format!("{} ms", us / 1000),
        2..120 => format!("{s} s"),
        120..7200 => format!("{} min", s / 60),
        7200..172_800 => format!("{} h", s / 3600),
        _ => format!("{} days", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_read_at_a_glance() {
        for (number, shown) in [(7, "7"), (999, "999"), (1000, "1,000"), (12_431_000, "12,431,000")]
        {
            assert_eq!(grouped(number), shown);
        }
        for (s, shown) in [(0, "0 µs"), (1, "1000 ms"), (3, "3 s"), (181, "3 min"), (7300, "2 h")]
        {
            assert_eq!(duration(s * 1_000_000), shown);
        }
        assert_eq!(duration(u64::MAX), "213503982 days");
    }
}
