//! Files of a host that decide how its guests live: the initiator's time-outs, and the guests'
//! configurations. A guest has neither; `--root` may show a host.

use alloc::vec::Vec;

use super::setup::{Line, LineKind};
use super::{Case, Hit, Rule, Severity};
use crate::wording::audit::Said;
use crate::wording::audit::host as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "guest-config-timeout",
        severity: Severity::Warning,
        meaning: say::GUEST_CONFIG_TIMEOUT,
        look: guest_timeout,
    },
    Rule {
        id: "guest-config-preserve",
        severity: Severity::Warning,
        meaning: say::GUEST_CONFIG_PRESERVE,
        look: guest_preserve,
    },
    Rule {
        id: "guest-disk-attached-by-script",
        severity: Severity::Warning,
        meaning: say::GUEST_DISK_ATTACHED_BY_SCRIPT,
        look: attached_by_script,
    },
    Rule {
        id: "iscsi-path-loss-unseen",
        severity: Severity::Warning,
        meaning: say::ISCSI_PATH_LOSS_UNSEEN,
        look: iscsi_slow,
    },
];

/// The initiator's defaults are 5 s and 5 s; from here on the wait is longer than the fail-over.
const NOTICE_S: u64 = 30;

/// None of these is in xl-disk-configuration(5), xl.cfg(5), or what QEMU takes.
const INVENTED: [&str; 4] = ["retry_timeout", "suspend_timeout", "timeout", "retry"];

fn guest_timeout(case: &Case<'_>) -> Vec<Hit> {
    hits(case, LineKind::Toolstack, |text| {
        let word = INVENTED.into_iter().find(|word| has_setting(text, word))?;
        Some(say::guest_timeout(word))
    })
}

/// Whether `word=` stands in the text, not as the end of a longer word.
fn has_setting(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let is_whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-');
        is_whole && text[at + word.len()..].trim_start().starts_with('=')
    })
}

fn guest_preserve(case: &Case<'_>) -> Vec<Hit> {
    hits(case, LineKind::Toolstack, |text| {
        let (name, value) = text.split_once('=')?;
        let is_event = matches!(name.trim(), "on_crash" | "on_poweroff" | "on_watchdog");
        let value = value.trim().trim_matches(['"', '\'']);
        (is_event && value == "preserve").then(|| say::guest_preserve(name.trim()))
    })
}

fn attached_by_script(case: &Case<'_>) -> Vec<Hit> {
    hits(case, LineKind::Script, |text| {
        let mut words = text.split_ascii_whitespace().map(|word| word.rsplit('/').next());
        let is_toolstack = words.any(|word| matches!(word, Some("xm" | "xl")));
        (is_toolstack && words.next() == Some(Some("block-attach"))).then(say::attached_by_script)
    })
}

fn iscsi_slow(case: &Case<'_>) -> Vec<Hit> {
    hits(case, LineKind::Iscsid, |text| {
        let (name, value) = text.split_once('=')?;
        let seconds: u64 = value.trim().parse().ok()?;
        (seconds > NOTICE_S).then(|| say::iscsi_slow(name.trim(), seconds))
    })
}

fn hits(case: &Case<'_>, kind: LineKind, judge: impl Fn(&str) -> Option<Said>) -> Vec<Hit> {
    let lines = case.setup.lines.iter().filter(|line| line.kind == kind);
    let hit = |line: &Line| {
        let text = alloc::string::String::from_utf8_lossy(line.text.as_bytes());
        Some(Hit::new(&*line.place, judge(&text)?))
    };
    lines.filter_map(hit).collect()
}
