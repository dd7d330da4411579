//! The document of `plan`, `apply` and `revert`: what was to change, and what came of it.

use serde::Serialize;
use xvdguard_logic::effect::QueueSetting;
use xvdguard_logic::plan::{Finding, LineChange, Plan, Remount};
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::report::DiskReport;
use xvdguard_logic::wording::plan::setting_kind;

use crate::commands::Came;

#[derive(Serialize)]
struct Document<'a> {
    disks: &'a [DiskReport],
    fstab: Vec<Line<'a>>,
    queue: Vec<Setting<'a>>,
    remounts: Vec<Mount<'a>>,
    root_flags: Option<RootFlags<'a>>,
    findings: &'a [Finding],
    waits: &'a [String],
    outcome: &'static str,
    said: &'a [String],
    oddities: &'a [String],
}

#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    line: usize,
    mount_point: &'a Text,
    old: &'a Text,
    new: &'a Text,
    reason: &'a str,
    rule: &'static str,
}

#[derive(Serialize)]
struct Setting<'a> {
    kind: &'static str,
    disk: &'a Text,
    attribute: String,
    old: &'a Text,
    new: &'a Text,
    reason: &'a str,
}

#[derive(Serialize)]
struct Mount<'a> {
    mount_point: &'a Text,
    fstype: &'a Text,
    option: &'static str,
    reason: &'a str,
    rule: &'static str,
}

#[derive(Serialize)]
struct RootFlags<'a> {
    old: Option<&'a Text>,
    new: &'a str,
    reason: &'a str,
}

/// `plan`, `apply`, `revert`
pub fn plan(plan: &Plan, disks: &[DiskReport], came: &Came, oddities: &[String]) -> String {
    let flags = plan.root_flags.as_ref();
    super::print(Document {
        disks,
        fstab: plan.fstab.iter().map(line).collect(),
        queue: plan.queue.iter().map(setting).collect(),
        remounts: plan.remounts.iter().map(mount).collect(),
        root_flags: flags.map(|flags| RootFlags {
            old: flags.old.as_ref(),
            new: &flags.new,
            reason: &flags.reason,
        }),
        findings: &plan.findings,
        waits: &plan.waits,
        outcome: came.outcome.word(),
        said: &came.said,
        oddities,
    })
}

fn line(change: &LineChange) -> Line<'_> {
    let LineChange { kind, line, mount_point, old, new, why, .. } = change;
    let (kind, line) = (kind.word(), *line);
    Line { kind, line, mount_point, old, new, reason: &why.reason, rule: why.rule }
}

fn setting(setting: &QueueSetting) -> Setting<'_> {
    let QueueSetting { disk, attribute, old, new, reason } = setting;
    let kind = setting_kind(setting).word();
    Setting { kind, disk, attribute: attribute.to_string(), old, new, reason }
}

fn mount(remount: &Remount) -> Mount<'_> {
    let Remount { mount_point, fstype, barrier, why, .. } = remount;
    let option = Remount::option(*barrier);
    Mount { mount_point, fstype, option, reason: &why.reason, rule: why.rule }
}
