//! What deny.toml allows: licences, and versions of a package beside another one.
//!
//! The file has cargo-deny's form, so that cargo-deny can be run on it too; the rules here need
//! nothing but cargo.

use serde_json::Value;

use crate::metadata::Package;
use crate::tree::Source;

/// The name of the file.
pub const FILE: &str = "deny.toml";

/// What the file says.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The licences that may be taken.
    pub licences: Vec<String>,
    /// The versions that may stand beside others.
    pub skips: Vec<Skip>,
}

/// One version, or a range, that may stand beside another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// As written: `name@1.2.3` for one version, `name:1.2` for all that begin so.
    pub spec: String,
    /// Why, and since when.
    pub reason: String,
    /// Its line in the file.
    pub line: usize,
}

impl Skip {
    /// Whether it means this package.
    pub fn covers(&self, package: &Package) -> bool {
        if let Some((name, version)) = self.spec.split_once('@') {
            return name == package.name && version == package.version;
        }
        let Some((name, start)) = self.spec.split_once(':') else { return false };
        let rest = package.version.strip_prefix(start);
        name == package.name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Policy {
    /// Reads the text of the file.
    pub fn read(text: &str) -> Result<Self, String> {
        let value: Value = toml::from_str(text).map_err(|why| format!("{FILE}: {why}"))?;
        let string = |value: &Value| value.as_str().map(str::to_owned);
        let licences = value["licenses"]["allow"].as_array();
        let licences = licences.ok_or("deny.toml has no licenses.allow")?;
        let skips = value["bans"]["skip"].as_array().map_or(&[][..], Vec::as_slice);
        let skip = |entry: &Value| {
            let spec = string(&entry["crate"]).ok_or("deny.toml: a skip names no crate")?;
            let line = text.lines().position(|line| line.contains(&spec)).unwrap_or(0) + 1;
            Ok(Skip { line, reason: string(&entry["reason"]).unwrap_or_default(), spec })
        };
        let skips = skips.iter().map(skip).collect::<Result<_, &str>>()?;
        Ok(Policy { licences: licences.iter().filter_map(string).collect(), skips })
    }

    /// Reads it from the files of the repository.
    pub fn of(sources: &[Source]) -> Result<Self, String> {
        let file = sources.iter().find(|source| source.path == FILE);
        Policy::read(&file.ok_or("deny.toml is missing")?.text)
    }
}

#[test]
fn licences_and_skips_are_read() {
    let text = "[licenses]\nallow = [\n  \"MIT\",\n]\n[bans]\nskip = [\n  \
                { crate = \"syn:2\", reason = \"why\" },\n]\n";
    let policy = Policy::read(text).unwrap();
    assert_eq!(policy.licences, ["MIT"]);
    assert_eq!(policy.skips, [Skip { spec: "syn:2".into(), reason: "why".into(), line: 7 }]);
    assert!(Policy::read("[bans]\n").is_err());
}

#[test]
fn a_skip_covers_one_version_or_a_range() {
    let covers = |spec: &str, version: &str| {
        let skip = Skip { spec: spec.into(), reason: String::new(), line: 1 };
        skip.covers(&Package { name: "syn".into(), version: version.into(), ..Package::default() })
    };
    assert!(covers("syn:2", "2.0.1") && covers("syn@2.0.1", "2.0.1") && covers("syn:2.0", "2.0.1"));
    assert!(!covers("syn:2", "20.0.1") && !covers("syn@2", "2.0.1") && !covers("syn", "2.0.1"));
    assert!(!covers("quote:2", "2.0.1"));
}
