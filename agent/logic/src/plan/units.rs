//! The name of the systemd unit that mounts a place (systemd.unit(5), "string escaping for
//! inclusion in unit names").

use alloc::format;
use alloc::string::String;

use crate::text::Text;

/// `srv-mail.mount` for `/srv/mail`.
pub fn name(mount_point: &Text) -> Text {
    let path = mount_point.as_bytes().split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    let parts: alloc::vec::Vec<String> = path.map(escape).collect();
    let escaped = if parts.is_empty() { "-".into() } else { parts.join("-") };
    let escaped = match escaped.strip_prefix('.') {
        Some(rest) => format!("\\x2e{rest}"),
        None => escaped,
    };
    Text::from(format!("{escaped}.mount"))
}

fn escape(part: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'.');
    part.iter()
        .map(|byte| match plain(byte) {
            true => String::from(char::from(*byte)),
            false => format!("\\x{byte:02x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What systemd-escape(1) --path --suffix=mount of systemd 252 prints.
    #[test]
    fn mount_points_are_escaped_as_systemd_does() {
        for (mount_point, unit) in [
            ("/", "-.mount"),
            ("/srv/mail/", "srv-mail.mount"),
            ("/srv/a-b c", r"srv-a\x2db\x20c.mount"),
            ("/.snapshots", r"\x2esnapshots.mount"),
            ("/var/.lib", "var-.lib.mount"),
            ("/srv/ü", r"srv-\xc3\xbc.mount"),
        ] {
            assert_eq!(name(&Text::from(mount_point)), unit, "{mount_point}");
        }
    }
}
