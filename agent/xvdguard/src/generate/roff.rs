//! The few requests of man(7) that the pages need. Whatever text comes in stays text.

/// Text that troff prints as it is.
pub fn text(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    // Old ones read bytes.
    let escaped = escaped.replace('…', "...");
    // A line that begins with one of these would be a request.
    let lines = escaped.lines().map(|line| match line.starts_with('.') {
        true => format!("\\&{line}\n"),
        false => format!("{line}\n"),
    });
    lines.collect()
}

/// A paragraph that hangs below its term.
pub fn item(term: &str, about: &str) -> String {
    format!(".TP\n.B {}\n{}", quoted(term), text(about))
}

/// A section below another.
pub fn section(title: &str, content: &str) -> String {
    format!(".SS {}\n{content}", quoted(title))
}

/// Lines that stay lines.
pub fn example(lines: &str) -> String {
    format!(".PP\n.EX\n{}.EE\n", text(lines))
}

/// One argument of a request.
fn quoted(words: &str) -> String {
    format!("\"{}\"", text(words).trim_end().replace('"', "\\(dq"))
}
