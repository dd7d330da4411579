//! The keys of the configuration, from the file that is installed: a test holds that it names every
//! key, with what it takes and its default.

use crate::roff;

const INSTALLED: &str = include_str!("../../../../packaging/config.toml");

/// What stands at the top of the file, and a section for each table.
pub fn parts() -> (String, String) {
    let mut blocks = INSTALLED.split("\n\n");
    let top = blocks.next().unwrap_or_default();
    let (about, hints) = top.split_once("\n#\n").unwrap_or((top, ""));
    let introduction = roff::text(&prose(about)) + &roff::example(&prose(hints));
    (introduction, blocks.map(block).collect())
}

/// The header of a table, or a key below its sentences.
fn block(block: &str) -> String {
    let (about, lines): (Vec<&str>, Vec<&str>) =
        block.lines().partition(|line| *line == "#" || line.starts_with("# "));
    let about = prose(&about.join("\n"));
    let lines = lines.iter().map(|line| line.trim_start_matches('#'));
    lines.fold(String::new(), |page, line| match line.starts_with('[') {
        true => page + &roff::section(line, &roff::text(&about)),
        false => page + &roff::item(line, &about),
    })
}

/// Sentences without their "# ".
fn prose(lines: &str) -> String {
    lines.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect()
}
