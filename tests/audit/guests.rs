//! Whole guests: healthy ones give no warning, recorded ones only what was wrong with them.

use harness::recordings;
use serde_json::Value;

use crate::checked;
use crate::fixture::Fixture;

/// Rule and place of every finding that is worse than an info.
fn bad(document: &Value) -> Vec<(String, String)> {
    let findings = document["findings"].as_array().unwrap().iter();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let bad = findings.filter(|finding| finding["severity"] != "info");
    bad.map(|finding| (text(finding, "rule"), text(finding, "where"))).collect()
}

#[test]
fn healthy_guests_of_usual_distributions_give_no_warning() {
    for (base, worst) in [("debian12", "ok"), ("el9", "info")] {
        let document = checked::document(Fixture::base(base).expand().path());
        assert_eq!(document["worst"], worst, "{base}: {document:#}");
        assert_eq!(document["oddities"], Value::Array(vec![]), "{base}");
    }
}

/// What the host did to each disk is in the table of `tests/golden`.
#[test]
fn recorded_guests_give_what_was_wrong_with_their_disks() {
    let pair = |rule: &str, disk: &str| (rule.to_owned(), disk.to_owned());
    for kernel in ["5.10", "6.1", "6.12", "7.2"] {
        let root = recordings::unpack(kernel, "after").unwrap().unwrap();
        let expected = [
            pair("flush-failing", "xvdc"),
            pair("flush-failing", "xvde"),
            pair("flush-refused", "xvdb"),
            pair("flush-refused", "xvdd"),
        ];
        assert_eq!(bad(&checked::document(root.path())), expected, "{kernel}");
        let root = recordings::unpack(kernel, "before").unwrap().unwrap();
        let expected = [pair("early-stage-not-run", "this boot")];
        assert_eq!(bad(&checked::document(root.path())), expected, "{kernel}");
    }
}
