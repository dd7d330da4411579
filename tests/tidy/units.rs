//! Our units name no path on a volume: systemd would make the unit require that mount, and stop the
//! daemon with the volume that it is about to bring back.

use crate::finding::{Finding, accept, lines};
use crate::tree::{Source, sources};

/// What makes a unit require the mount of a path (systemd.unit(5), systemd.exec(5)).
const REQUIRING: [&str; 10] = [
    "RequiresMountsFor",
    "WantsMountsFor",
    "WorkingDirectory",
    "RootDirectory",
    "RootImage",
    "StateDirectory",
    "CacheDirectory",
    "LogsDirectory",
    "ConfigurationDirectory",
    "BindPaths",
];

/// Where a unit of ours names such a path.
fn mounts(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let Some((key, _)) = line.split_once('=') else { continue };
        let key = key.trim();
        if REQUIRING.contains(&key) {
            let what = format!("{key}= ties the unit to a volume that it may have to unmount");
            findings.push(Finding::new(&source.path, index + 1, what));
        }
    }
    findings
}

#[test]
fn no_unit_of_ours_needs_a_volume() {
    let is_unit = |source: &&Source| {
        source.is_below("packaging/systemd") && source.path.ends_with(".service")
    };
    let units: Vec<&Source> = sources().unwrap().iter().filter(is_unit).collect();
    assert!(units.iter().any(|unit| unit.path == "packaging/systemd/xvdguard.service"));
    accept(units.into_iter().flat_map(mounts).collect());
}

#[test]
fn a_unit_that_needs_a_volume_is_found() {
    let text = "[Service]\n# StateDirectory=no\nExecStart=/a --WorkingDirectory=b\n\
                StateDirectory=xvdguard\nRequiresMountsFor = /var\n";
    assert_eq!(
        lines(&mounts(&Source::new("a.service", text))),
        [
            "a.service:4: StateDirectory= ties the unit to a volume that it may have to unmount",
            "a.service:5: RequiresMountsFor= ties the unit to a volume that it may have to unmount",
        ]
    );
}
