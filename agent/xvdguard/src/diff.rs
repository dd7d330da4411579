//! Unified diffs for people: lines as they stand in the file, made harmless for a terminal.

use diffy::DiffOptions;
use xvdguard_logic::text::Text;

/// What a patch from `old` to `new` would say; empty where they are equal.
pub fn unified(old: &[u8], new: &[u8], names: [&str; 2]) -> String {
    let (old, new) = (shown(old), shown(new));
    let mut options = DiffOptions::new();
    options.set_original_filename(names[0].to_owned()).set_modified_filename(names[1].to_owned());
    let patch = options.create_patch(&old, &new);
    if patch.hunks().is_empty() { String::new() } else { patch.to_string() }
}

/// Escaped but for tabs and backslashes, which fstab is full of.
fn shown(content: &[u8]) -> String {
    let mut text = String::with_capacity(content.len());
    for part in content.split_inclusive(|byte| b"\n\t\\".contains(byte)) {
        let (plain, end) = match part.split_last() {
            Some((end, plain)) if b"\n\t\\".contains(end) => (plain, Some(char::from(*end))),
            _ => (part, None),
        };
        text += &Text::from(plain).to_string();
        text.extend(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_one_that_patch_takes() {
        let old = b"a\nb\t\\040c\nd\n";
        let new = b"a\n# was\nb\t\\040C\nd\n";
        let expected =
            "--- old\n+++ new\n@@ -1,3 +1,4 @@\n a\n-b\t\\040c\n+# was\n+b\t\\040C\n d\n";
        assert_eq!(unified(old, new, ["old", "new"]), expected);
        assert_eq!(unified(old, old, ["old", "new"]), "");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let diff = unified(b"", b"\x1b[2J\xff", ["a", "b"]);
        assert!(diff.contains(r"+\x1b[2J\xff"), "{diff}");
    }
}
