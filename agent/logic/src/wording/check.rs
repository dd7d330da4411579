//! What `check` prints around the findings.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::audit::{self, Finding, Rule, Severity};

/// Columns before the text of a finding.
const INDENT: &str = "          ";

/// The first line of a finding.
pub fn head(finding: &Finding) -> String {
    let Finding { rule, severity, place, .. } = finding;
    format!("{severity:8}  {rule}: {place}")
}

/// What is so and what to do, in lines of at most so many columns.
pub fn body(finding: &Finding, width: usize) -> Vec<String> {
    let text = format!("{}.", finding.text);
    let mut lines = wrapped(&text, width);
    lines.extend(wrapped(&format!("Do: {}.", finding.remedy), width));
    lines
}

/// Breaks at blanks; a word that is too long stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::from(INDENT);
    for word in text.split(' ') {
        let is_first = line.len() == INDENT.len();
        if !is_first && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(core::mem::replace(&mut line, String::from(INDENT)));
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The last line; `blind` says why not everything could be looked at.
pub fn summary(worst: &str, findings: &[Finding], blind: Option<&str>) -> String {
    let blind = blind.map(|why| format!("{why}; ")).unwrap_or_default();
    format!("{worst}: {blind}{}", counts(findings))
}

/// `1 critical, 2 warnings` and how many rules were asked.
fn counts(findings: &[Finding]) -> String {
    let rules = audit::rules().count();
    let severities = [Severity::Critical, Severity::Warning, Severity::Info];
    let found = severities.map(|severity| (severity, count(findings, severity)));
    let found = found.iter().filter(|(_, count)| *count > 0);
    let found: Vec<String> = found.map(|(severity, count)| plural(*severity, *count)).collect();
    match found.is_empty() {
        true => format!("nothing found by {rules} rules"),
        false => format!("{} of {rules} rules", found.join(", ")),
    }
}

fn plural(severity: Severity, count: usize) -> String {
    match (severity, count) {
        (Severity::Critical, _) | (_, 1) => format!("{count} {severity}"),
        _ => format!("{count} {severity}s"),
    }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

/// What a monitoring plugin tells.
#[derive(Debug, Clone, Copy)]
pub struct Monitored<'a> {
    /// The word for all of it.
    pub worst: &'a str,
    /// The worst first.
    pub findings: &'a [Finding],
    /// Why not everything could be looked at.
    pub blind: Option<&'a str>,
    /// How many disks there are.
    pub disks: usize,
}

/// The output of a monitoring plugin: one line with performance data, then the findings. A `|`
/// ends the text there, so none may stand in it.
pub fn nagios(monitored: Monitored<'_>) -> String {
    let Monitored { worst, findings, blind, disks } = monitored;
    let state = match worst {
        "info" => "OK".to_string(),
        other => other.to_uppercase(),
    };
    let counted = |severity| count(findings, severity);
    let [critical, warning, info] =
        [Severity::Critical, Severity::Warning, Severity::Info].map(counted);
    let rules: Vec<&str> = rules_of(findings);
    let named = match rules.is_empty() {
        true => String::new(),
        false => format!(": {}", rules.join(", ")),
    };
    let data = format!(
        "critical={critical};;0;0 warning={warning};0;;0 info={info};;;0 disks={disks};;;0"
    );
    let blind = blind.map(|why| format!("{}; ", without_bars(why))).unwrap_or_default();
    let mut text = format!("XVDGUARD {state} - {blind}{}{named} | {data}\n", counts(findings));
    for finding in findings {
        let Finding { text: what, remedy, .. } = finding;
        let line = format!("{}. {what}. Do: {remedy}.", head(finding));
        text.push_str(&without_bars(&line));
        text.push('\n');
    }
    text
}

/// The first line where the audit could not be made.
pub fn nagios_unknown(why: &str) -> String {
    let why = why.lines().next().unwrap_or_default();
    format!("XVDGUARD UNKNOWN - {}\n", without_bars(why))
}

fn without_bars(text: &str) -> String {
    text.replace('|', "\\x7c")
}

fn rules_of(findings: &[Finding]) -> Vec<&'static str> {
    let mut rules: Vec<&str> = Vec::new();
    for finding in findings {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule);
        }
    }
    rules
}

/// One line of the list of rules.
pub fn rule(rule: &Rule) -> String {
    let Rule { id, severity, meaning, .. } = rule;
    format!("{id:30}  {severity:8}  {meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, place: &str) -> Finding {
        let (text, remedy) = ("a|b is so".into(), "undo it".into());
        Finding { rule: "some-rule", severity, place: place.into(), text, remedy }
    }

    #[test]
    fn a_monitor_finds_state_counts_and_no_second_pipe() {
        let findings =
            [finding(Severity::Critical, "/srv"), finding(Severity::Warning, "/etc/x|y:1")];
        let monitored = Monitored { worst: "critical", findings: &findings, blind: None, disks: 2 };
        let text = nagios(monitored);
        let (first, rest) = text.split_once('\n').unwrap();
        let (said, data) = first.split_once('|').unwrap();
        assert!(said.starts_with("XVDGUARD CRITICAL - 1 critical, 1 warning of "), "{said}");
        assert!(said.ends_with(" rules: some-rule "), "{said}");
        assert_eq!(data, " critical=1;;0;0 warning=1;0;;0 info=0;;;0 disks=2;;;0");
        assert!(!rest.contains('|') && rest.contains("/etc/x\\x7cy:1"), "{rest}");
        let info = Monitored { worst: "info", findings: &[], ..monitored };
        assert!(nagios(info).starts_with("XVDGUARD OK - nothing found by "));
        let blind = Monitored { worst: "unknown", findings: &[], blind: Some("a|b"), disks: 0 };
        assert!(nagios(blind).starts_with("XVDGUARD UNKNOWN - a\\x7cb; nothing found by "));
    }

    #[test]
    fn lines_break_between_words() {
        let lines = wrapped("one two three averyveryverylongword end", 18);
        let expected = ["one two", "three", "averyveryverylongword", "end"];
        assert_eq!(lines, expected.map(|line| format!("{INDENT}{line}")));
    }
}
