//! What was seen, held against what must be seen. Pure: values in, values out.

use serde_json::Value;

use crate::domain::{HostSeen, Seen};
use crate::order::{Order, disk_name};
use crate::scenario::{Fate, Scenario, WRITES};

/// What came of a scenario in one guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// In the words of the report: `healthy, flushed`.
    pub shown: String,
    /// Everything that is not as it must be, in sentences.
    pub wrong: Vec<String>,
}

/// A disk of a scenario, as both sides saw it.
struct Disk<'a> {
    name: String,
    role: &'static str,
    guest: &'a Value,
    host: HostSeen,
    log: &'a Value,
}

/// Judges a scenario (`index` in the order's disks) in a guest.
pub fn judge(scenario: &Scenario, index: usize, order: &Order, seen: &Seen) -> Outcome {
    let mut outcome = Outcome::default();
    let is_guarded = order.guard.is_some();
    let expected = if is_guarded { scenario.with } else { scenario.without };
    let expected = expected.on(order.kernel);
    let mut shown: Vec<(&str, String)> = Vec::new();
    for (place, placed) in order.disks.iter().enumerate() {
        let (Some(host), true) = (seen.disks.get(place), placed.scenario == index) else {
            continue;
        };
        let (guest, log) = (&seen.guest["disks"][place], &seen.guest["log"]);
        let disk = Disk { name: disk_name(place), role: placed.role, guest, host: *host, log };
        let mut wrong = Vec::new();
        let fate = match disk.fate() {
            Ok(fate) if fate == expected => fate.to_string(),
            Ok(fate) => {
                wrong.push(format!("{fate}, and not {expected}"));
                fate.to_string()
            }
            Err(why) => {
                wrong.push(why);
                "strange".to_owned()
            }
        };
        let verdict = is_guarded.then(|| disk.verdict(scenario, seen, &mut wrong));
        disk.check_probes(if is_guarded { scenario.probes } else { &[0] }, &mut wrong);
        shown.push((
            disk.role,
            [Some(fate), verdict].into_iter().flatten().collect::<Vec<_>>().join("; "),
        ));
        outcome
            .wrong
            .extend(wrong.into_iter().map(|what| format!("{} {}: {what}", disk.role, disk.name)));
    }
    outcome.shown = summary(&shown);
    if is_guarded {
        outcome.wrong.extend(check_guard(scenario, &seen.guest));
    }
    outcome
}

/// What `xvdguard-early` did beside its verdicts.
fn check_guard(scenario: &Scenario, guest: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if guest["early"]["code"] != 0 {
        wrong.push(format!("xvdguard-early ended so: {}", guest["early"]));
    }
    let said = strings(&guest["log"]).filter(|line| line.contains("xvdguard"));
    if !said.clone().any(|line| line.contains(scenario.says)) && !scenario.says.is_empty() {
        let said: Vec<&str> = said.collect();
        wrong.push(format!("the kernel log does not say \"{}\": {said:?}", scenario.says));
    }
    if guest["options"] != scenario.root_options {
        let expected = scenario.root_options;
        wrong.push(format!("options for root {}, and not \"{expected}\"", guest["options"]));
    }
    wrong
}

fn strings(array: &Value) -> impl Iterator<Item = &str> + Clone {
    array.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// One cell: what all disks have in common, or each.
fn summary(shown: &[(&str, String)]) -> String {
    match shown {
        [] => String::new(),
        [(_, first), rest @ ..] if rest.iter().all(|(_, text)| text == first) => first.clone(),
        all => {
            let each: Vec<String> =
                all.iter().map(|(role, text)| format!("{role}: {text}")).collect();
            each.join(", ")
        }
    }
}

impl Disk<'_> {
    fn number(&self, key: &str) -> u64 {
        self.guest[key].as_u64().unwrap_or(0)
    }

    fn is_ok(&self, key: &str) -> bool {
        self.guest[key] == "ok"
    }

    fn has_line(&self, text: &str) -> bool {
        strings(self.log).any(|line| line.contains(text))
    }

    /// What became of it, or why that cannot be said.
    fn fate(&self) -> Result<Fate, String> {
        let is_aborted = self.has_line(&format!("Aborting journal on device {}", self.name));
        if !self.is_ok("mount") {
            return Ok(Fate::Unmountable);
        }
        if is_aborted && !self.is_ok("new_file") {
            return Ok(Fate::Aborted);
        }
        if self.role == "read" && self.is_ok("unmount") && self.host.flushes == 0 {
            return Ok(Fate::Read);
        }
        let is_healthy = !is_aborted
            && self.number("written") == WRITES
            && self.is_ok("new_file")
            && self.guest["errors_count"] == "0"
            && self.is_ok("unmount")
            && self.host.fsck == 0;
        let HostSeen { flushes, refused, .. } = self.host;
        match (flushes, refused) {
            _ if !is_healthy => Err(format!("not healthy: {}, {:?}", self.guest, self.host)),
            (0, _) => Ok(Fate::Unflushed),
            (flushes, 0) if flushes > WRITES && flushes == self.number("flushes") => {
                Ok(Fate::Flushed)
            }
            (flushes, refused) if flushes == refused => Ok(Fate::FlushedOnce),
            _ => {
                let sent = self.number("flushes");
                Err(format!("the guest sent {sent} flushes, {flushes} arrived, {refused} refused"))
            }
        }
    }

    /// Before anything was mounted only a probe can have sent a flush.
    fn check_probes(&self, expected: &[u64], wrong: &mut Vec<String>) {
        let seen = self.number("flushes_before_mount");
        if !expected.contains(&seen) {
            wrong.push(format!("{seen} flushes before the first mount, and not {expected:?}"));
        }
    }

    /// What xvdguard said of it.
    fn verdict(&self, scenario: &Scenario, seen: &Seen, wrong: &mut Vec<String>) -> String {
        let disks = seen.guest["document"]["disks"].as_array().into_iter().flatten();
        let name = self.name.as_str();
        let report = disks.into_iter().find(|disk| disk["name"] == name).unwrap_or(&Value::Null);
        let verdict = report["verdict"].as_str().unwrap_or("none");
        if !scenario.verdict.split(" or ").any(|one| one == verdict) {
            let reason = report["reason"].as_str().unwrap_or("it is not in the report");
            wrong.push(format!("verdict {verdict} ({reason}), and not {}", scenario.verdict));
        }
        let evidence = report["evidence"].as_array().into_iter().flatten();
        let texts: Vec<&str> = evidence.filter_map(|one| one["text"].as_str()).collect();
        if !texts.iter().any(|text| text.contains(scenario.evidence))
            && !scenario.evidence.is_empty()
        {
            wrong.push(format!("no evidence says \"{}\": {texts:?}", scenario.evidence));
        }
        verdict.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::build::GuestKernel;
    use crate::order::{Guard, Placed, System};
    use crate::scenario::{Advertised, Expected, Flushes, Host, ORDINARY, Storage};

    const HOST: Host = Host {
        storage: Storage::Plain,
        advertises: Advertised::OnlyBarrier,
        flushes: Flushes::Refused,
        is_writable: true,
    };
    const SCENARIO: Scenario = Scenario {
        name: "x",
        host: HOST,
        without: Expected { up_to_6_10: Fate::Aborted, from_6_11: Fate::FlushedOnce },
        with: Expected::always(Fate::FlushedOnce),
        verdict: "refused",
        evidence: "barrier op failed",
        ..ORDINARY
    };

    fn judged(is_guarded: bool, disk: Value, log: &str, host: [u64; 3]) -> Outcome {
        let folder = PathBuf::new();
        let kernel =
            GuestKernel { name: "6.1".into(), release: "6.1.0".into(), folder, is_pvh: false };
        let disks = vec![Placed { scenario: 0, role: "data", host: HOST }];
        let guard = is_guarded.then_some(Guard { words: "", policy: "" });
        let order = Order { kernel: &kernel, guard, disks, system: System::Report };
        let evidence = json!([{ "text": "blkfront: xvda: barrier op failed" }]);
        let report = json!({ "name": "xvda", "verdict": "refused", "evidence": evidence });
        let guest = json!({
            "early": { "code": 0 },
            "options": "",
            "document": { "disks": [report] },
            "disks": [disk],
            "log": [log],
        });
        let [flushes, refused, fsck] = host;
        let disks = vec![HostSeen { flushes, refused, fsck }];
        judge(&SCENARIO, 0, &order, &Seen { guest, disks, backends: String::new() })
    }

    fn healthy(flushes_before_mount: u64) -> Value {
        json!({
            "mount": "ok", "written": WRITES, "new_file": "ok", "errors_count": "0",
            "unmount": "ok", "flushes": 1, "flushes_before_mount": flushes_before_mount,
        })
    }

    #[test]
    fn a_protected_disk_passes_with_its_verdict() {
        let outcome = judged(true, healthy(1), "", [1, 1, 0]);
        let shown = "healthy, flushes end at the first; refused".to_owned();
        assert_eq!(outcome, Outcome { shown, wrong: vec![] });
    }

    #[test]
    fn an_aborted_journal_is_what_the_bed_must_show_without() {
        let disk = json!({ "mount": "ok", "new_file": "EROFS", "flushes_before_mount": 0 });
        let log = "9.1 Aborting journal on device xvda-8.";
        assert_eq!(judged(false, disk.clone(), log, [3, 1, 4]).wrong, [""; 0]);
        let other = judged(false, disk, "9.1 Aborting journal on device xvdb-8.", [3, 1, 4]);
        assert!(other.wrong[0].starts_with("data xvda: not healthy"), "{:?}", other.wrong);
    }

    #[test]
    fn a_bed_that_does_not_bite_fails() {
        let outcome = judged(false, healthy(0), "", [1, 1, 0]);
        let wrong = "data xvda: healthy, flushes end at the first, and not journal aborted";
        assert_eq!(outcome.wrong, [wrong]);
    }

    #[test]
    fn flushes_that_are_lost_or_added_fail() {
        let lost = judged(true, healthy(1), "", [300, 0, 0]);
        assert!(lost.wrong[0].contains("sent 1 flushes, 300 arrived, 0 refused"), "{lost:?}");
        let added = judged(true, healthy(2), "", [1, 1, 0]);
        assert_eq!(added.wrong, ["data xvda: 2 flushes before the first mount, and not [1]"]);
        let unclean = judged(true, healthy(1), "", [1, 1, 4]);
        assert!(unclean.wrong[0].contains("not healthy"), "{unclean:?}");
    }
}
