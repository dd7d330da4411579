//! One line of a listing: `path = "value"`, with or without `   (n0,r1)` behind it.
//!
//! What xenstore-ls cannot print it escapes: `\\ \t \n \r`, three octal digits below 8, else `\x`
//! and two hexadecimal ones. Quotes stay as they are, so the last one ends the value.

use xvdguard_logic::text::Text;

use super::Value;
use crate::xenstore::wire;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A node.
    Node {
        /// Where.
        path: Text,
        /// Its value.
        value: Value,
    },
    /// Nothing: an empty line, or the permissions of a node that could not be read.
    Nothing,
}

const SAVE_AGAIN: &str = "save it again with: xenstore-ls -f > FILE";

/// Reads a line, or says what is wrong with it and what to do.
pub fn parse(line: &[u8]) -> Result<Line, String> {
    let line = line.trim_ascii_end();
    if line.is_empty() || line.trim_ascii_start().starts_with(b"(") {
        return Ok(Line::Nothing);
    }
    if line.starts_with(b" ") {
        return Err(format!("it is indented, so its path is not known; {SAVE_AGAIN}"));
    }
    if let Some(path) = line.strip_suffix(b":") {
        return Ok(Line::Node { path: path_of(path)?, value: Value::Unreadable });
    }
    let Some(at) = line.windows(4).position(|window| window == b" = \"") else {
        return Err(format!("it is not of the form: path = \"value\"; {SAVE_AGAIN}"));
    };
    let path = path_of(&line[..at])?;
    let value = Value::Is(unescape(quoted(&line[at + 4..])?)?);
    Ok(Line::Node { path, value })
}

fn path_of(bytes: &[u8]) -> Result<Text, String> {
    let path = Text::from(bytes);
    match wire::check_path(&path) {
        Ok(()) => Ok(path),
        Err(why) => Err(format!("{why}; {SAVE_AGAIN}")),
    }
}

/// What stands before the last quote, if nothing but permissions stands behind it.
fn quoted(rest: &[u8]) -> Result<&[u8], String> {
    let at = rest.iter().rposition(|byte| *byte == b'"');
    let parts = at.map(|at| (&rest[..at], rest[at + 1..].trim_ascii()));
    match parts {
        Some((value, b"")) => Ok(value),
        Some((value, permissions)) if permissions.starts_with(b"(") => Ok(value),
        _ => Err(format!("the value has no closing quote; {SAVE_AGAIN}")),
    }
}

fn unescape(mut shown: &[u8]) -> Result<Text, String> {
    let mut bytes = Vec::with_capacity(shown.len());
    while let Some(at) = shown.iter().position(|byte| *byte == b'\\') {
        bytes.extend_from_slice(&shown[..at]);
        let (byte, rest) = escape(&shown[at + 1..])?;
        bytes.push(byte);
        shown = rest;
    }
    bytes.extend_from_slice(shown);
    Ok(Text::from(bytes))
}

/// The byte that an escape stands for, and what follows the escape.
fn escape(shown: &[u8]) -> Result<(u8, &[u8]), String> {
    match shown {
        [b'\\', rest @ ..] => Ok((b'\\', rest)),
        [b't', rest @ ..] => Ok((b'\t', rest)),
        [b'n', rest @ ..] => Ok((b'\n', rest)),
        [b'r', rest @ ..] => Ok((b'\r', rest)),
        [b'x', high, low, rest @ ..] => Ok((number(&[*high, *low], 16)?, rest)),
        [b'0'..=b'7', _, _, rest @ ..] => Ok((number(&shown[..3], 8)?, rest)),
        [b'.', ..] => Err(format!("the value is cut off; {SAVE_AGAIN}")),
        _ => Err(unknown_escape()),
    }
}

fn number(digits: &[u8], radix: u32) -> Result<u8, String> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'));
    digits.and_then(|digits| u8::from_str_radix(digits, radix).ok()).ok_or_else(unknown_escape)
}

fn unknown_escape() -> String {
    format!("the value holds a backslash that escapes nothing; {SAVE_AGAIN}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Result<Text, String> {
        match parse(line.as_bytes())? {
            Line::Node { value: Value::Is(value), .. } => Ok(value),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn what_xenstore_ls_4_17_prints_is_read_back() {
        for permissions in ["", "   (n0)", "   (n1,r0,b12)", "\r"] {
            for (shown, bytes) in [
                (r#"a"b"#, &b"a\"b"[..]),
                (r"\001\x08\x7f\x1b\xff\xc3\xbc\\ tab\tnl\n cr\r\000end", REAL_BYTES),
                (r#"x"   (n0)"#, b"x\"   (n0)"),
                ("", b""),
                (r"\\...", b"\\..."),
            ] {
                let line = format!("/t/a = \"{shown}\"{permissions}");
                assert_eq!(value(&line), Ok(Text::from(bytes)), "{line}");
            }
        }
    }

    const REAL_BYTES: &[u8] = b"\x01\x08\x7f\x1b\xff\xc3\xbc\\ tab\tnl\n cr\r\0end";

    #[test]
    fn a_node_that_could_not_be_read_is_there_all_the_same() {
        let node = Line::Node { path: Text::from("/local"), value: Value::Unreadable };
        assert_eq!(parse(b"/local:"), Ok(node));
        assert_eq!(parse(b"  (n0,r1)"), Ok(Line::Nothing));
        assert_eq!(parse(b""), Ok(Line::Nothing));
    }

    #[test]
    fn a_broken_line_says_what_to_do() {
        for line in [
            " domain = \"\"",
            "===LS-DEV",
            "xenstore-ls: xs_directory (/): Permission denied",
            "/a = \"1",
            "/a = \"1\" x",
            "/a b = \"1\"",
            "/a = 1",
            r#"long = "aaaa\...""#,
            r#"/a = "\q""#,
            r#"/a = "\x+1""#,
            r#"/a = "\x1""#,
            r#"/a = "\777""#,
            r#"/a = "\""#,
        ] {
            let why = parse(line.as_bytes()).unwrap_err();
            assert!(why.ends_with("; save it again with: xenstore-ls -f > FILE"), "{line}: {why}");
        }
    }
}
