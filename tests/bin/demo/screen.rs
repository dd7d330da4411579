//! The one place of the demo that prints: a hundred columns, a few colours.
//!
//! Colour only on a terminal, and never where NO_COLOR says so. Never fails: a closed pipe is no
//! reason not to clean up.

use std::env;
use std::io::{self, IsTerminal, Write};

/// What fits beside an editor, in a mail and on a slide.
const COLUMNS: usize = 100;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    is_colored: bool,
}

/// What a text is, by its colour: see console_codes(4).
#[derive(Debug, Clone, Copy)]
enum Color {
    Plain,
    Bold,
    Faint,
    Green,
    Red,
}

impl Screen {
    /// Decides once whether to colour.
    pub fn new() -> Screen {
        let forbidden = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Screen { is_colored: !forbidden && io::stdout().is_terminal() }
    }

    /// The title of an act.
    pub fn title(self, text: &str) {
        self.print(Color::Bold, "\n", text);
        self.gap();
    }

    /// What a step is about.
    pub fn say(self, text: &str) {
        self.print(Color::Plain, "  ", text);
        self.gap();
    }

    /// A word and what it means.
    pub fn explain(self, word: &str, text: &str) {
        self.print(Color::Plain, &format!("  {word:8}"), text);
    }

    /// A command.
    pub fn command(self, text: &str) {
        self.print(Color::Bold, "  $ ", text);
    }

    /// What a command printed.
    pub fn output(self, text: &str) {
        text.lines().for_each(|line| self.print(Color::Plain, "    ", line));
    }

    /// Something that happened beside the command.
    pub fn aside(self, text: &str) {
        self.print(Color::Faint, "  * ", text);
    }

    /// An expectation that was met.
    pub fn kept(self, expected: &str) {
        self.print(Color::Green, "  ✓ ", &format!("expected: {expected}"));
        self.gap();
    }

    /// One that was not.
    pub fn broken(self, expected: &str, came: &str) {
        self.print(Color::Red, "  ✗ ", &format!("expected: {expected}"));
        self.print(Color::Red, "    ", &format!("    came: {came}"));
        self.gap();
    }

    /// How it ended, well.
    pub fn good(self, text: &str) {
        self.print(Color::Green, "\n✓ ", text);
    }

    /// How it ended otherwise.
    pub fn bad(self, text: &str) {
        self.print(Color::Red, "\n✗ ", text);
    }

    /// An empty line.
    pub fn gap(self) {
        let _ = io::stdout().write_all(b"\n");
    }

    /// Prints a text after `lead`; where it is too long it goes on below its beginning.
    fn print(self, color: Color, lead: &str, text: &str) {
        let (on, off) = match color {
            _ if !self.is_colored => ("", ""),
            Color::Plain => ("", ""),
            Color::Bold => ("\x1b[1m", "\x1b[0m"),
            Color::Faint => ("\x1b[2m", "\x1b[0m"),
            Color::Green => ("\x1b[32m", "\x1b[0m"),
            Color::Red => ("\x1b[31m", "\x1b[0m"),
        };
        let own = text.len() - text.trim_start().len();
        let indent = lead.trim_start_matches('\n').chars().count() + own;
        let mut lead = format!("{lead}{}", &text[..own]);
        let mut printed = String::new();
        for line in wrap(&text[own..], COLUMNS.saturating_sub(indent).max(1)) {
            printed += &format!("{on}{lead}{line}{off}\n");
            lead = " ".repeat(indent);
        }
        let _ = io::stdout().write_all(printed.as_bytes());
    }
}

/// Breaks a line between words; a word that is longer than the room is cut.
fn wrap(line: &str, room: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = line;
    while let Some((end, _)) = rest.char_indices().nth(room) {
        // A space right behind the room is as good as one inside it.
        let last = if rest[end..].starts_with(' ') { Some(end) } else { rest[..end].rfind(' ') };
        let cut = last.unwrap_or(end);
        lines.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words() {
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("one two", 7), ["one two"]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two  three", 8), ["one two", "three"]);
        assert_eq!(wrap("onetwothree", 8), ["onetwoth", "ree"]);
        assert_eq!(wrap("ää öö üü", 5), ["ää öö", "üü"]);
    }
}
