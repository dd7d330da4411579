//! Units of systemd, by systemctl(1): stopped, started, asked. Runs in a child.
//!
//! Never a target, never a slice, never a scope: starting a target that was stopped may end in
//! emergency.target.

use std::collections::BTreeMap;

use xvdguard_logic::policy::names::unit_objection;
use xvdguard_logic::recovery::effects::{FailureKind, Outcome};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

use super::program::{self, Ran};
use super::{Refusal, refusal};
use crate::root::Root;

/// What a unit says about itself, each property once.
pub type Properties = BTreeMap<String, Vec<u8>>;

/// Whether systemd is the init (sd_booted(3)).
pub fn is_here(root: &Root) -> bool {
    root.is_machine() && root.stat(b"run/systemd/system").is_ok()
}

/// Stops units, and looks whether they did.
pub fn stop(units: &[Text]) -> Result<Outcome, Refusal> {
    if units.is_empty() {
        return Ok(Outcome::AlreadySo);
    }
    obey("stop", &[], units)?;
    let ours = |unit: &Properties| property(unit, "ActiveState") != b"inactive";
    let left: Vec<String> = show(units, &["Id", "ActiveState"])?
        .into_iter()
        .filter(|unit| ours(unit) && property(unit, "ActiveState") != b"failed")
        .map(|unit| Text::from(property(&unit, "Id")).to_string())
        .collect();
    if left.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(refusal(FailureKind::Busy, wording::still_active(&left)))
}

/// Starts units.
pub fn start(units: &[Text]) -> Result<Outcome, Refusal> {
    if units.is_empty() {
        return Ok(Outcome::AlreadySo);
    }
    obey("start", &[], units).map(|()| Outcome::Done)
}

/// Starts a mount unit and nothing that it requires.
pub fn start_alone(unit: &Text) -> Result<(), Refusal> {
    command(&[b"start", b"--job-mode=ignore-dependencies", b"--", unit.as_bytes()])
}

/// The mount unit of a mount point, where systemd has one.
pub fn mount_unit(root: &Root, mount_point: &Text) -> Option<Text> {
    if !is_here(root) {
        return None;
    }
    let unit = Text::from(unit_of_mount(mount_point.as_bytes()));
    let shown = show(std::slice::from_ref(&unit), &["LoadState"]).ok()?;
    let is_loaded = shown.first().is_some_and(|unit| property(unit, "LoadState") == b"loaded");
    is_loaded.then_some(unit)
}

/// Units of the types that may be stopped, and that are active.
pub fn active() -> Result<Vec<Text>, Refusal> {
    let arguments: [&[u8]; 6] = [
        b"list-units",
        b"--type=service,socket,timer,path",
        b"--state=active,activating,reloading",
        b"--plain",
        b"--no-legend",
        b"--no-pager",
    ];
    let ran = ran(&arguments)?;
    let lines = ran.output.split(|byte| *byte == b'\n');
    let names = lines.filter_map(|line| line.split(|byte| *byte == b' ').next());
    Ok(names.filter(|name| !name.is_empty()).map(Text::from).collect())
}

/// Asks units for properties; the answers stand in the order of the units.
pub fn show(units: &[Text], wanted: &[&str]) -> Result<Vec<Properties>, Refusal> {
    if units.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = format!("--property={}", wanted.join(","));
    let mut arguments: Vec<&[u8]> = vec![b"show", wanted.as_bytes(), b"--"];
    arguments.extend(units.iter().map(Text::as_bytes));
    Ok(blocks(&ran(&arguments)?.output))
}

/// Only what may be stopped or started at all.
fn obey(verb: &str, options: &[&[u8]], units: &[Text]) -> Result<(), Refusal> {
    let wrong = units.iter().find_map(|unit| {
        let objection = unit.as_str().map_or(Some("is no UTF-8"), unit_objection);
        Some((unit, objection?))
    });
    if let Some((unit, objection)) = wrong {
        return Err(refusal(FailureKind::Other, wording::no_such_unit(unit, objection)));
    }
    let mut arguments: Vec<&[u8]> = vec![verb.as_bytes()];
    arguments.extend(options);
    arguments.push(b"--");
    arguments.extend(units.iter().map(Text::as_bytes));
    command(&arguments)
}

fn command(arguments: &[&[u8]]) -> Result<(), Refusal> {
    ran(arguments).map(drop)
}

fn ran(arguments: &[&[u8]]) -> Result<Ran, Refusal> {
    let ran =
        program::run("systemctl", arguments).map_err(|error| refusal(FailureKind::Other, error))?;
    if ran.code == 0 {
        return Ok(ran);
    }
    let verb = Text::from(arguments.first().copied().unwrap_or_default());
    Err(refusal(FailureKind::Other, wording::systemctl_said(&verb, ran.code, &ran.last_line)))
}

/// What `systemctl show` prints: `Name=value` lines, an empty line between units. A property may
/// stand there more than once.
fn blocks(output: &[u8]) -> Vec<Properties> {
    let mut units = vec![Properties::new()];
    for line in output.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            units.push(Properties::new());
            continue;
        }
        let Some(at) = line.iter().position(|byte| *byte == b'=') else { continue };
        let name = String::from_utf8_lossy(&line[..at]).into_owned();
        let Some(unit) = units.last_mut() else { continue };
        let value = unit.entry(name).or_default();
        value.extend_from_slice(&line[at + 1..]);
        value.push(b' ');
    }
    units.retain(|unit| !unit.is_empty());
    units
}

/// A property, empty where there is none.
pub fn property<'a>(unit: &'a Properties, name: &str) -> &'a [u8] {
    unit.get(name).map_or(&[], |value| value.trim_ascii())
}

/// systemd-escape(1) --path --suffix=mount.
pub fn unit_of_mount(mount_point: &[u8]) -> String {
    let path = mount_point.strip_prefix(b"/").unwrap_or(mount_point);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if path.is_empty() {
        return "-.mount".into();
    }
    let mut name = String::new();
    for (index, byte) in path.iter().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if index > 0 => name.push('.'),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_') => {
                name.push(char::from(*byte));
            }
            byte => name.push_str(&format!("\\x{byte:02x}")),
        }
    }
    name + ".mount"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As systemd-escape(1) of systemd 252 printed them.
    #[test]
    fn mount_points_have_the_unit_names_that_systemd_gives_them() {
        for (path, expected) in [
            ("/", "-.mount"),
            ("/srv", "srv.mount"),
            ("/srv/a b", "srv-a\\x20b.mount"),
            ("/var/lib-x/.y", "var-lib\\x2dx-.y.mount"),
            ("/.hidden", "\\x2ehidden.mount"),
            ("/ü", "\\xc3\\xbc.mount"),
        ] {
            assert_eq!(unit_of_mount(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn properties_of_many_units_are_told_apart() {
        let units = blocks(b"Id=a.service\nListen=/run/a (Stream)\nListen=/srv/b\n\nId=b.timer\n");
        assert_eq!(property(&units[0], "Listen"), b"/run/a (Stream) /srv/b");
        assert_eq!(property(&units[1], "Id"), b"b.timer");
        assert_eq!(property(&units[1], "Listen"), b"");
        assert_eq!(units.len(), 2);
    }

    #[test]
    fn a_target_is_never_touched() {
        for unit in ["multi-user.target", "srv.mount", "session-1.scope", "-.slice"] {
            assert!(obey("stop", &[], &[Text::from(unit)]).is_err(), "{unit}");
        }
    }
}
