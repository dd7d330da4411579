//! The document of `explain`.

use serde::Serialize;
use xvdguard_logic::explain::advice::Advice;
use xvdguard_logic::explain::form::wall::Wall;
use xvdguard_logic::explain::story::{Cause, Finding, Moment, Story, Subject, Weight};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::explain::{instruct, meaning, warn};

#[derive(Serialize)]
struct Explain<'a> {
    verdict: &'static str,
    first_cause: Option<First<'a>>,
    devices: Vec<Device<'a>>,
    more: Option<More>,
    advice: Vec<Step>,
    useless: Vec<Useless>,
    log: Log,
}

#[derive(Serialize)]
struct First<'a> {
    id: &'static str,
    meaning: &'static str,
    device: Option<&'a Text>,
    host: Option<&'a Text>,
    #[serde(flatten)]
    at: At<'a>,
    text: &'a Text,
}

/// When, and in which line.
#[derive(Serialize)]
struct At<'a> {
    line: u64,
    time: Option<String>,
    boot_ms: Option<u64>,
    logged: Option<&'a Text>,
}

#[derive(Serialize)]
struct Device<'a> {
    name: Option<&'a Text>,
    names: Vec<&'a Text>,
    host: Option<&'a Text>,
    boot: u32,
    is_past: bool,
    kernel: Option<String>,
    verdict: &'static str,
    now: &'static str,
    first_cause: Option<First<'a>>,
    recovered: Option<At<'a>>,
    findings: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    id: &'static str,
    meaning: &'static str,
    proves: Option<&'static str>,
    #[serde(flatten)]
    first: At<'a>,
    text: &'a Text,
    count: u64,
    last: At<'a>,
}

#[derive(Serialize)]
struct More {
    verdict: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct Step {
    text: String,
    commands: Vec<String>,
}

#[derive(Serialize)]
struct Useless {
    what: &'static str,
    why: &'static str,
}

#[derive(Serialize)]
struct Log {
    lines: u64,
    kernel_messages: u64,
    other_messages: u64,
    hosts: u32,
    boots: u32,
    dropped: u64,
    could_be_forged: bool,
}

/// The whole document; `booted_us` is when this machine was booted, if the log is its own.
pub fn document(story: &Story, booted_us: Option<i64>) -> String {
    let clock = Clock { booted_us };
    let advice = Advice::of(story);
    let steps = advice.steps.iter().map(instruct);
    let useless = advice.useless.iter().map(|one| warn(*one));
    let more = story.overflow.as_ref();
    super::print(Explain {
        verdict: story.verdict.name(),
        first_cause: story.first_cause.as_ref().map(|cause| clock.first(cause)),
        devices: story.subjects.iter().map(|subject| clock.device(subject)).collect(),
        more: more.map(|more| More { verdict: more.verdict.name(), count: more.count }),
        advice: steps.map(|one| Step { text: one.text, commands: one.commands }).collect(),
        useless: useless.map(|one| Useless { what: one.what, why: one.why }).collect(),
        log: Log {
            lines: story.extent.lines,
            kernel_messages: story.extent.kernel_messages,
            other_messages: story.extent.other_messages,
            hosts: story.extent.hosts,
            boots: story.extent.boots,
            dropped: story.extent.dropped,
            could_be_forged: story.extent.could_be_forged,
        },
    })
}

struct Clock {
    booted_us: Option<i64>,
}

impl Clock {
    fn first<'a>(&self, cause: &'a Cause) -> First<'a> {
        First {
            id: cause.event.name(),
            meaning: meaning(cause.event, &cause.text),
            device: cause.device.as_ref(),
            host: cause.host.as_ref(),
            at: self.at(&cause.at),
            text: &cause.text,
        }
    }

    fn device<'a>(&self, subject: &'a Subject) -> Device<'a> {
        Device {
            name: subject.name.as_ref(),
            names: subject.names.iter().map(|named| &named.name).collect(),
            host: subject.host.as_ref(),
            boot: subject.boot.index,
            is_past: subject.boot.is_past,
            kernel: subject.boot.kernel.map(|kernel| kernel.to_string()),
            verdict: subject.verdict.name(),
            now: subject.now.name(),
            first_cause: subject.cause.as_ref().map(|cause| self.first(cause)),
            recovered: subject.recovered.as_ref().map(|at| self.at(at)),
            findings: subject.findings.iter().map(|finding| self.said(finding)).collect(),
        }
    }

    fn said<'a>(&self, finding: &'a Finding) -> Said<'a> {
        let proves = match finding.weight {
            Weight::Proves(verdict) => Some(verdict.name()),
            Weight::Note | Weight::Option => None,
        };
        Said {
            id: finding.event.name(),
            meaning: meaning(finding.event, &finding.text),
            proves,
            first: self.at(&finding.first),
            text: &finding.text,
            count: finding.count,
            last: self.at(&finding.last),
        }
    }

    fn at<'a>(&self, moment: &'a Moment) -> At<'a> {
        let by_boot = moment.boot_us.and_then(|us| {
            let us = self.booted_us?.checked_add(i64::try_from(us).ok()?)?;
            Wall { us, is_utc: true }.rfc_3339()
        });
        let wall = moment.wall.as_ref();
        At {
            line: moment.line,
            time: wall.and_then(|clock| clock.wall.rfc_3339()).or(by_boot),
            boot_ms: moment.boot_us.map(|us| us / 1000),
            logged: wall.map(|clock| &clock.text),
        }
    }
}
