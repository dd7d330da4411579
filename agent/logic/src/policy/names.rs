//! Which names of units and mount points a configuration may hold.
//!
//! A name that never matches would protect nobody, so it is refused.

use crate::text::Text;

/// Only these units are ever stopped (systemd.unit(5)).
const STOPPED: [&str; 4] = [".service", ".socket", ".timer", ".path"];

/// UNIT_NAME_MAX of systemd.
const MAX_BYTES: usize = 255;

/// Half a sentence about what is wrong with a unit in `never_stop`.
pub fn unit_objection(name: &str) -> Option<&'static str> {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let stem = STOPPED.iter().find_map(|suffix| name.strip_suffix(suffix));
    match stem {
        None if !name.contains('.') => Some("has no suffix such as .service"),
        None => Some("is never stopped anyway: only services, sockets, timers and paths are"),
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

/// A mount point as `status` shows it; else half a sentence about what is wrong.
pub fn mount_point(name: &str) -> Result<Text, &'static str> {
    let point = Text::from_escaped(name).ok_or("has a backslash that does not begin \\xNN")?;
    match point.as_bytes() {
        b"/" => return Err("is root, which cannot be unmounted: see [reboot] root"),
        [b'/', ..] => {}
        _ => return Err("does not begin with /"),
    }
    let mut parts = point.as_bytes()[1..].split(|byte| *byte == b'/');
    if parts.any(|part| matches!(part, b"" | b"." | b"..")) {
        return Err("is not the shortest way to write it: leave out empty parts, . and ..");
    }
    Ok(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_protect_nobody_are_refused() {
        for (name, part) in [
            ("mysql", Some("no suffix")),
            ("srv.mount", Some("never stopped")),
            ("multi-user.target", Some("never stopped")),
            ("", Some("no suffix")),
            (".service", Some("no name")),
            ("postgresql@.service", Some("template")),
            ("my sql.service", Some("no name of a unit")),
            ("mysql*.service", Some("no name of a unit")),
            ("mysql.service", None),
            ("postgresql@13-main.service", None),
            ("dev-disk\\x2dby.service", None),
            ("acme.timer", None),
        ] {
            let found = unit_objection(name);
            assert_eq!(found.is_some(), part.is_some(), "{name}: {found:?}");
            assert!(found.unwrap_or_default().contains(part.unwrap_or_default()), "{name}");
        }
        assert!(unit_objection(&("a".repeat(250) + ".service")).is_some());
    }

    #[test]
    fn a_mount_point_is_written_as_status_shows_it() {
        assert_eq!(mount_point("/srv/a b"), Ok(Text::from("/srv/a b")));
        assert_eq!(mount_point(r"/srv/\xff\x0a"), Ok(Text::from(&b"/srv/\xff\n"[..])));
        for name in ["", "srv", "/", "/srv/", "/srv//a", "//srv", "/srv/./a", "/a/..", r"/a\b"] {
            assert!(mount_point(name).is_err(), "{name}");
        }
    }
}
