//! What the daemons of a storage host say about its paths: iscsid and multipathd.
//!
//! They are no kernel, so that their words never prove more than a stall; but a path that they
//! report lost is where the story of a guest begins.

/// A message of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DaemonId {
    /// iscsid: `Kernel reported iSCSI connection 1:0 error (1011) state (3)`
    IscsidError,
    /// iscsid: `connection1:0 is operational after recovery (1 attempts)`
    IscsidRecovered,
    /// multipathd: `mpatha: remaining active paths: 0`
    MultipathdNoPath,
    /// multipathd: `mpatha: remaining active paths: 1`
    MultipathdPaths,
}

impl DaemonId {
    /// Every one.
    pub const ALL: [DaemonId; 4] = [
        DaemonId::IscsidError,
        DaemonId::IscsidRecovered,
        DaemonId::MultipathdNoPath,
        DaemonId::MultipathdPaths,
    ];

    /// The id in JSON.
    pub fn name(self) -> &'static str {
        match self {
            DaemonId::IscsidError => "iscsid_error",
            DaemonId::IscsidRecovered => "iscsid_recovered",
            DaemonId::MultipathdNoPath => "multipathd_no_path",
            DaemonId::MultipathdPaths => "multipathd_paths",
        }
    }

    /// Whether a path is usable again.
    pub fn is_good_news(self) -> bool {
        matches!(self, DaemonId::IscsidRecovered | DaemonId::MultipathdPaths)
    }
}

/// What a daemon's line says, and of which path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a> {
    /// What.
    pub id: DaemonId,
    /// `1:0` of an iSCSI connection, or the name of a multipath map.
    pub path: &'a [u8],
}

/// Reads a line of a process of that name.
pub fn find<'a>(name: &[u8], text: &'a [u8]) -> Option<Said<'a>> {
    match name {
        b"iscsid" => iscsid(text),
        b"multipathd" => multipathd(text),
        _ => None,
    }
}

fn iscsid(text: &[u8]) -> Option<Said<'_>> {
    if let Some(rest) = text.strip_prefix(b"Kernel reported iSCSI connection ") {
        let (path, rest) = connection(rest)?;
        let is_error = rest.starts_with(b" error (") && rest.ends_with(b")");
        return is_error.then_some(Said { id: DaemonId::IscsidError, path });
    }
    let (path, rest) = connection(text.strip_prefix(b"connection")?)?;
    let is_recovery = rest.starts_with(b" is operational after recovery (");
    is_recovery.then_some(Said { id: DaemonId::IscsidRecovered, path })
}

fn multipathd(text: &[u8]) -> Option<Said<'_>> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (path, rest) = text.split_at(colon);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    if path.is_empty() || path.len() > 64 || !path.iter().all(is_name) {
        return None;
    }
    let count = rest.strip_prefix(b": remaining active paths: ")?;
    let id = match count {
        b"0" => DaemonId::MultipathdNoPath,
        [b'1'..=b'9', ..] => DaemonId::MultipathdPaths,
        _ => return None,
    };
    Some(Said { id, path })
}

/// `1:0`, and what follows.
fn connection(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b':'))?;
    let (name, rest) = bytes.split_at(end);
    let (session, number) = name.split_at(name.iter().position(|byte| *byte == b':')?);
    let is_pair = !session.is_empty() && number.len() > 1 && !number[1..].contains(&b':');
    (is_pair && name.len() <= 16).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_are_understood_in_their_own_words_only() {
        for (name, text, expected) in [
            (
                "iscsid",
                "Kernel reported iSCSI connection 1:0 error (1011) state (3)",
                Some((DaemonId::IscsidError, "1:0")),
            ),
            (
                "iscsid",
                "Kernel reported iSCSI connection 22:0 error (1020 - ISCSI_ERR_TCP_CONN_CLOSE: TCP \
                 connection closed) state (3)",
                Some((DaemonId::IscsidError, "22:0")),
            ),
            (
                "iscsid",
                "connection1:0 is operational after recovery (1 attempts)",
                Some((DaemonId::IscsidRecovered, "1:0")),
            ),
            ("sshd", "connection1:0 is operational after recovery (1 attempts)", None),
            ("iscsid", "connection1: is operational after recovery (1 attempts)", None),
            ("iscsid", "x connection1:0 is operational after recovery (1 attempts)", None),
            (
                "multipathd",
                "mpatha: remaining active paths: 0",
                Some((DaemonId::MultipathdNoPath, "mpatha")),
            ),
            (
                "multipathd",
                "36001405fbcc04a: remaining active paths: 12",
                Some((DaemonId::MultipathdPaths, "36001405fbcc04a")),
            ),
            ("multipathd", "a b: remaining active paths: 0", None),
            ("multipathd", "mpatha: remaining active paths: 00", None),
        ] {
            let found = find(name.as_bytes(), text.as_bytes());
            let expected = expected.map(|(id, path)| Said { id, path: path.as_bytes() });
            assert_eq!(found, expected, "{name}: {text}");
        }
    }
}
