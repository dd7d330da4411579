//! Units that say of themselves that they need a volume, and those that would start them again.

use std::collections::BTreeSet;

use xvdguard_logic::order;
use xvdguard_logic::text::Text;

use crate::recover::systemd::{self, Properties, property};
use crate::recover::{Refusal, place};

/// Properties whose words may be paths on the volume (systemd.exec(5), .unit(5), .socket(5),
/// .path(5)).
const PATHS: [&str; 11] = [
    "RequiresMountsFor",
    "WantsMountsFor",
    "WorkingDirectory",
    "RootDirectory",
    "RootImage",
    "ExecStart",
    "ExecStartPre",
    "Listen",
    "Paths",
    "PIDFile",
    "FragmentPath",
];

/// The users among the active units, with those that are known already; what triggers others is
/// stopped first.
pub fn with_declared(known: BTreeSet<Text>, mount_point: &Text) -> Result<Vec<Text>, Refusal> {
    let active = systemd::active()?;
    let mut wanted = vec!["Id", "Triggers"];
    wanted.extend(PATHS);
    let units = systemd::show(&active, &wanted)?;
    Ok(order(&units, known, mount_point))
}

fn order(units: &[Properties], mut known: BTreeSet<Text>, mount_point: &Text) -> Vec<Text> {
    let id = |unit: &Properties| Text::from(property(unit, "Id"));
    known.extend(units.iter().filter(|unit| declares(unit, mount_point)).map(id));
    let triggers = |unit: &&Properties| {
        let mut started = words(property(unit, "Triggers"));
        started.any(|word| known.contains(&Text::from(word)))
    };
    let first: BTreeSet<Text> = order::gather(units.iter().filter(triggers).map(id));
    let rest: Vec<Text> = known.difference(&first).cloned().collect();
    // Sockets, timers and paths among the rest go before the services.
    let (services, others): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|unit| unit.as_bytes().ends_with(b".service"));
    first.into_iter().chain(others).chain(services).collect()
}

fn declares(unit: &Properties, mount_point: &Text) -> bool {
    let values = PATHS.iter().map(|name| property(unit, name));
    values.flat_map(words).any(|word| place::is_below(word, mount_point))
}

/// `systemctl show` puts spaces, semicolons, braces and `name=` around paths.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| b" ;{}=()\t".contains(byte)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(properties: &[(&str, &str)]) -> Properties {
        properties.iter().map(|(name, value)| ((*name).into(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn what_declares_a_path_is_a_user_and_what_triggers_it_goes_first() {
        let units = [
            unit(&[
                ("Id", "db.service"),
                ("ExecStart", "{ path=/usr/bin/db ; argv[]=db /srv/d ; }"),
            ]),
            unit(&[
                ("Id", "db.socket"),
                ("Triggers", "db.service"),
                ("Listen", "/run/db (Stream)"),
            ]),
            unit(&[("Id", "web.service"), ("WorkingDirectory", "/srv2")]),
            unit(&[("Id", "spool.path"), ("Paths", "/srv/in (PathExists)")]),
            unit(&[("Id", "log.timer"), ("Triggers", "log.service")]),
        ];
        let known = BTreeSet::from([Text::from("log.service")]);
        let found = order(&units, known, &Text::from("/srv"));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["db.socket", "log.timer", "spool.path", "db.service", "log.service"]);
    }
}
