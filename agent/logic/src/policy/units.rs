//! Which names of units `never_stop` takes (systemd.unit(5)).
//!
//! A name that never matches would protect nobody, so it is refused.

/// Only these are ever stopped.
const STOPPED: [&str; 4] = [".service", ".socket", ".timer", ".path"];

/// UNIT_NAME_MAX of systemd.
const MAX_BYTES: usize = 255;

/// Half a sentence about what is wrong with a name.
pub fn objection(name: &str) -> Option<&'static str> {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let stem = STOPPED.iter().find_map(|suffix| name.strip_suffix(suffix));
    match stem {
        None => Some("is never stopped: only services, sockets, timers and paths are"),
        Some("") => Some("has no name before its suffix"),
        Some(stem) if stem.ends_with('@') => {
            Some("is a template, which never runs: name its instances")
        }
        Some(_) if name.len() > MAX_BYTES || !name.bytes().all(sign) => {
            Some("is no name of a unit: see systemd.unit(5)")
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_protect_nobody_are_refused() {
        for (name, part) in [
            ("mysql", Some("never stopped")),
            ("srv.mount", Some("never stopped")),
            ("multi-user.target", Some("never stopped")),
            ("", Some("never stopped")),
            (".service", Some("no name")),
            ("postgresql@.service", Some("template")),
            ("my sql.service", Some("no name of a unit")),
            ("mysql*.service", Some("no name of a unit")),
            ("mysql.service", None),
            ("postgresql@13-main.service", None),
            ("dev-disk\\x2dby.service", None),
            ("acme.timer", None),
        ] {
            let found = objection(name);
            assert_eq!(found.is_some(), part.is_some(), "{name}: {found:?}");
            assert!(found.unwrap_or_default().contains(part.unwrap_or_default()), "{name}");
        }
        assert!(objection(&("a".repeat(250) + ".service")).is_some());
    }
}
