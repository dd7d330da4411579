//! Mount units of systemd that an administrator wrote (systemd.mount(5)): fstab in another form.
//!
//! Specifiers (`%i`) are not expanded. Units that systemd makes of fstab are not among them.

use alloc::string::String;
use alloc::vec::Vec;

use super::File;
use crate::text::Text;

/// One `.mount` unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountUnit {
    /// The file, with the line of `Options=`.
    pub place: String,
    /// `Where=`
    pub mount_point: Text,
    /// `Type=`; empty where systemd shall find out.
    pub fstype: Text,
    /// `Options=`
    pub options: Text,
    /// Whether something cannot start without it (`RequiredBy=`).
    pub is_required: bool,
}

/// Reads a unit; `None` where it has no options.
pub(super) fn mount_unit(file: &File) -> Option<MountUnit> {
    let assignments = assignments(file);
    let last = |name: &str| {
        let of_name = |(_, key, _): &&(usize, Vec<u8>, Text)| key == name.as_bytes();
        assignments.iter().rfind(of_name)
    };
    let value = |name| last(name).map(|(_, _, value)| value.clone()).unwrap_or_default();
    let (line, _, options) = last("Options").filter(|(_, _, options)| !options.is_empty())?;
    Some(MountUnit {
        place: file.place(*line),
        mount_point: value("Where"),
        fstype: value("Type"),
        options: options.clone(),
        is_required: !value("RequiredBy").is_empty(),
    })
}

/// Line, name and value. A line may go on behind a backslash (systemd.syntax(7)); comments may
/// stand between its parts.
fn assignments(file: &File) -> Vec<(usize, Vec<u8>, Text)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, Vec<u8>)> = None;
    let is_comment = |line: &[u8]| line.starts_with(b"#") || line.starts_with(b";");
    for (number, line) in file.numbered().filter(|(_, line)| !is_comment(line)) {
        let (begin, mut text) = open.take().unwrap_or((number, Vec::new()));
        match line.strip_suffix(b"\\") {
            Some(part) => {
                text.extend_from_slice(part);
                text.push(b' ');
                open = Some((begin, text));
            }
            None => {
                text.extend_from_slice(line);
                found.extend(assignment(&text).map(|(name, value)| (begin, name, value)));
            }
        }
    }
    found
}

fn assignment(line: &[u8]) -> Option<(Vec<u8>, Text)> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (line[..equals].trim_ascii(), line[equals + 1..].trim_ascii());
    Some((name.to_vec(), Text::from(value)))
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn read(content: &str) -> Option<MountUnit> {
        let path = "etc/systemd/system/srv.mount".into();
        let content = Some(content.into());
        mount_unit(&File { path, kind: Kind::MountUnit, content, is_readable: true })
    }

    #[test]
    fn the_last_options_count_and_lines_may_go_on() {
        let unit = read(
            "[Mount]\nWhat = /dev/xvdb\nWhere=/srv\nType=xfs\nOptions=noatime\nOptions=noatime,\\\n\
             # between\nnobarrier\n[Install]\nRequiredBy=local-fs.target\n",
        );
        let unit = unit.unwrap();
        assert_eq!(unit.place, "/etc/systemd/system/srv.mount:6");
        assert_eq!((unit.mount_point, unit.fstype), ("/srv".into(), "xfs".into()));
        assert_eq!(unit.options, "noatime, nobarrier");
        assert!(unit.is_required);
    }

    #[test]
    fn a_unit_without_options_says_nothing_about_them() {
        assert_eq!(read("[Mount]\nWhat=/dev/xvdb\nWhere=/srv\n#Options=nobarrier\n"), None);
        assert_eq!(read("[Mount]\nOptions=noatime\nOptions=\n"), None);
        assert!(!read("[Mount]\nOptions=a\n[Install]\nWantedBy=x\n").unwrap().is_required);
    }
}
