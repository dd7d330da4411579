//! The middle sizes of files and functions, for whoever wonders how the code grows.
//!
//! No limit: `cargo test --test tidy medians -- --nocapture` prints them.

use crate::sizes::code_lines;
use crate::tree::sources;

/// The middle one, and the largest.
fn median(mut sizes: Vec<usize>) -> Option<(usize, usize)> {
    sizes.sort_unstable();
    Some((*sizes.get(sizes.len() / 2)?, *sizes.last()?))
}

#[test]
fn medians_are_printed_not_judged() {
    for (name, folders) in
        [("programs", ["agent/", "initramfs/"].as_slice()), ("tests", ["tests/"].as_slice())]
    {
        let (mut files, mut functions) = (Vec::new(), Vec::new());
        for source in sources().unwrap() {
            let Some(facts) = &source.facts else { continue };
            if folders.iter().any(|folder| source.path.starts_with(folder)) {
                files.push(source.text.lines().count());
                functions.extend(facts.functions.iter().map(|one| code_lines(&source.text, one)));
            }
        }
        for (what, sizes) in [("files", files), ("functions", functions)] {
            let count = sizes.len();
            let (middle, largest) = median(sizes).unwrap_or((0, 0));
            println!("{name}: {count} {what}, median {middle} lines, largest {largest}");
        }
    }
}

#[test]
fn the_median_is_the_middle_one() {
    assert_eq!(median(vec![9, 1, 5]), Some((5, 9)));
    assert_eq!(median(vec![]), None);
}
