//! The command line of `xvdguard-early`, for hooks and rules rather than for people.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value};
use xvdguard_linux::world::Places;
use xvdguard_logic::text::Text;

/// EX_USAGE (sysexits.h).
pub const EXIT_USAGE: u8 = 64;

/// Printed by `--help` and after an error.
pub const USAGE: &str = include_str!("usage.txt");

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// `boot`
    Boot(Boot),
    /// `queue`
    Queue(Queue),
    /// `--version`, `--help`
    Show(String),
}

/// The options of `boot`.
#[derive(Debug, Default)]
pub struct Boot {
    /// Who reads the output.
    pub format: Format,
    /// The root options so far.
    pub have: Text,
    /// Where the line for root goes.
    pub output: Option<PathBuf>,
    /// What is looked at.
    pub places: Places,
    /// Another frozen policy.
    pub policy: Option<PathBuf>,
}

/// Who reads the output.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// initramfs-tools replaces ROOTFLAGS: the whole list is needed.
    InitramfsTools,
    /// dracut appends.
    Dracut,
    /// Whoever else appends.
    #[default]
    Plain,
}

/// The options of `queue`.
#[derive(Debug, Default)]
pub struct Queue {
    /// The kernel's name of the disk.
    pub name: Text,
    /// What is looked at.
    pub places: Places,
    /// Another frozen policy.
    pub policy: Option<PathBuf>,
}

/// Whether the first word is `boot`.
pub fn is_boot(mut arguments: impl Iterator<Item = OsString>) -> bool {
    arguments.nth(1).is_some_and(|word| word == "boot")
}

/// Reads the command line; the first item is the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    match parser.next()? {
        Some(Long("version") | Short('V')) => {
            Ok(Command::Show(format!("xvdguard-early {}\n", crate::VERSION)))
        }
        Some(Long("help") | Short('h')) => Ok(Command::Show(USAGE.into())),
        Some(Value(word)) if word == "boot" => boot(parser),
        Some(Value(word)) if word == "queue" => queue(parser),
        Some(other) => Err(other.unexpected()),
        None => Err("a command is missing".into()),
    }
}

fn boot(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = Boot::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("format") => options.format = format(parser.value()?)?,
            Long("have") => options.have = text(parser.value()?),
            Short('o') | Long("output") => options.output = Some(parser.value()?.into()),
            Long("policy") => options.policy = Some(parser.value()?.into()),
            Long("root") => options.places.root = Some(parser.value()?.into()),
            Long("xenstore") => options.places.xenstore = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Boot(options))
}

fn queue(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = Queue::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(name) if options.name.is_empty() => options.name = text(name),
            Long("policy") => options.policy = Some(parser.value()?.into()),
            Long("root") => options.places.root = Some(parser.value()?.into()),
            Long("xenstore") => options.places.xenstore = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    if options.name.is_empty() {
        return Err("queue needs the name of a disk".into());
    }
    Ok(Command::Queue(options))
}

fn format(word: OsString) -> Result<Format, lexopt::Error> {
    match word.to_str() {
        Some("initramfs") => Ok(Format::InitramfsTools),
        Some("dracut") => Ok(Format::Dracut),
        Some("plain") => Ok(Format::Plain),
        _ => Err("--format is initramfs, dracut or plain".into()),
    }
}

fn text(word: OsString) -> Text {
    Text::from(word.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command, lexopt::Error> {
        parse(words.split(' ').map(OsString::from))
    }

    #[test]
    fn the_hooks_command_lines_are_understood() {
        let command =
            parse_words("x boot --format initramfs --have noatime,data=ordered -o /run/o").unwrap();
        let Command::Boot(options) = command else { panic!("{command:?}") };
        assert_eq!(options.format, Format::InitramfsTools);
        assert_eq!(options.have, "noatime,data=ordered");
        assert_eq!(options.output, Some(PathBuf::from("/run/o")));
        let Command::Queue(queue) = parse_words("x queue xvda --root /r").unwrap() else {
            panic!()
        };
        assert_eq!((queue.name, queue.places.root), ("xvda".into(), Some("/r".into())));
    }

    #[test]
    fn what_is_not_understood_is_an_error_with_the_word() {
        for (words, part) in [
            ("x", "missing"),
            ("x fly", "fly"),
            ("x boot --format grub", "--format"),
            ("x boot --nonsense 1", "--nonsense"),
            ("x queue", "queue needs"),
            ("x queue a b", "b"),
        ] {
            let error = parse_words(words).unwrap_err().to_string();
            assert!(error.contains(part), "{words}: {error}");
        }
        assert!(is_boot(["x", "boot", "--nonsense"].map(OsString::from).into_iter()));
    }
}
