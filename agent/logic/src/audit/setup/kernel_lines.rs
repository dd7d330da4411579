//! Lines that a boot loader hands to a kernel at the next boot, wherever they are kept.
//!
//! Words are split as the kernel splits them. Shell variables in them are not expanded.

use alloc::string::String;
use alloc::vec::Vec;

use super::File;
use super::LineKind;
use super::wanted::{BootForm, Kind};
use crate::command_line;
use crate::text::Text;

/// A kernel command line, and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelLine {
    /// `/boot/grub/grub.cfg:117`.
    pub place: String,
    /// Its words.
    pub words: Vec<Word>,
}

/// One word of a kernel command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it stands there.
    pub shown: Text,
    /// Before the first `=`, each `-` a `_` (kernel/params.c parameqn).
    pub name: String,
    /// Behind the first `=`, where there is one.
    pub value: Option<Text>,
}

/// Directives whose words a kernel gets: GRUB legacy, GRUB 2, extlinux, loader entries.
const DIRECTIVES: [&[u8]; 8] =
    [b"kernel", b"module", b"module2", b"linux", b"linux16", b"linuxefi", b"append", b"options"];

impl KernelLine {
    /// Splits a line that is kept at `place`; what stands behind `--` belongs to init.
    pub fn new(place: impl Into<String>, line: &[u8]) -> KernelLine {
        let words = command_line::split(line).into_iter();
        let words = words.take_while(|word| word != b"--").map(Word::new);
        KernelLine { place: place.into(), words: words.collect() }
    }
}

impl Word {
    fn new(word: Vec<u8>) -> Word {
        let equals = word.iter().position(|byte| *byte == b'=');
        let name = String::from_utf8_lossy(&word[..equals.unwrap_or(word.len())]).replace('-', "_");
        let value = equals.map(|at| Text::from(&word[at + 1..]));
        Word { shown: Text::from(word), name, value }
    }

    /// Whether the value is this word.
    pub fn says(&self, value: &str) -> bool {
        self.value.as_ref().is_some_and(|own| *own == value)
    }
}

/// All kernel lines of a boot loader's file.
pub(super) fn read(file: &File, form: BootForm) -> Vec<KernelLine> {
    let lines = file.numbered().filter(|(_, line)| !line.starts_with(b"#"));
    let found = lines.filter_map(|(number, line)| {
        let words = match form {
            BootForm::Directive => behind_directive(line)?,
            BootForm::Variable => behind_variable(line)?,
            BootForm::Whole => line,
        };
        Some(KernelLine::new(file.place(number), words))
    });
    found.filter(|line| !line.words.is_empty()).collect()
}

/// The `extra` and `root` of a guest's configuration (xl.cfg(5)), on the host.
pub(super) fn of_guests(file: &File) -> Vec<KernelLine> {
    if file.kind != Kind::Lines(LineKind::Toolstack) {
        return Vec::new();
    }
    let lines = file.numbered().filter_map(|(number, line)| {
        let (name, value) = assignment(line)?;
        matches!(name, b"extra" | b"cmdline" | b"root")
            .then(|| KernelLine::new(file.place(number), value))
    });
    lines.collect()
}

fn behind_directive(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().position(u8::is_ascii_whitespace)?;
    let (directive, words) = line.split_at(end);
    // extlinux writes APPEND as well.
    let is_directive = DIRECTIVES.iter().any(|known| directive.eq_ignore_ascii_case(known));
    is_directive.then_some(words)
}

fn behind_variable(line: &[u8]) -> Option<&[u8]> {
    let (name, value) = assignment(line)?;
    name.starts_with(b"GRUB_CMDLINE_LINUX").then_some(value)
}

/// `name = "value"`, quotes of both kinds taken off, as shells and Python write it.
pub(super) fn assignment(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (line[..equals].trim_ascii(), line[equals + 1..].trim_ascii());
    let quote = value.first().filter(|byte| matches!(byte, b'"' | b'\''));
    let inner = quote.and_then(|quote| {
        let end = value[1..].iter().position(|byte| byte == quote)?;
        Some(&value[1..=end])
    });
    Some((name, inner.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(form: BootForm, content: &str) -> Vec<(String, Vec<String>)> {
        let file = File {
            path: "boot/x".into(),
            kind: Kind::Boot(form),
            content: Some(content.into()),
            is_readable: true,
        };
        let shown = |line: KernelLine| {
            let words = line.words.iter().map(|word| alloc::format!("{}", word.shown));
            (line.place, words.collect())
        };
        read(&file, form).into_iter().map(shown).collect()
    }

    fn line(place: &str, words: &[&str]) -> (String, Vec<String>) {
        (place.into(), words.iter().map(|word| (*word).into()).collect())
    }

    #[test]
    fn directives_of_all_boot_loaders_are_read() {
        let content = "# kernel /old root=/dev/sda1\ntitle Xen\n\tkernel /xen.gz\n\
            \tmodule /vmlinuz root=/dev/xvda1 ro\n  linux /vmlinuz-6.1 root=UUID=1 quiet\n\
            APPEND root=x\noptions root=/dev/vda1 ro\n";
        assert_eq!(
            lines(BootForm::Directive, content),
            [
                line("/boot/x:3", &["/xen.gz"]),
                line("/boot/x:4", &["/vmlinuz", "root=/dev/xvda1", "ro"]),
                line("/boot/x:5", &["/vmlinuz-6.1", "root=UUID=1", "quiet"]),
                line("/boot/x:6", &["root=x"]),
                line("/boot/x:7", &["root=/dev/vda1", "ro"]),
            ]
        );
    }

    #[test]
    fn the_variables_of_grub_are_read_without_their_quotes() {
        let content = "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet barrier=off\" # x\n\
            GRUB_CMDLINE_LINUX=''\n";
        let expected = [line("/boot/x:2", &["quiet", "barrier=off"])];
        assert_eq!(lines(BootForm::Variable, content), expected);
    }
}
