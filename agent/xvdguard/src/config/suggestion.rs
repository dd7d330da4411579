//! Which word may have been meant.

use strsim::osa_distance;

/// What is longer is no slip of the fingers, and need not be compared.
const MAX_BYTES: usize = 64;

/// The known word that is nearest, if it is near: at most one slip for every three letters. So "no"
/// is never taken for "on".
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_BYTES {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let distance = |one: &str| osa_distance(&word, &one.replace('-', "_"));
    let known = known.into_iter().map(|one| (distance(one), one));
    let near = known.filter(|(distance, one)| distance * 3 <= word.len().max(one.len()));
    near.min_by_key(|(distance, _)| *distance).map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_known_and_another_word_is_not() {
        let known = ["max_sectors_kb", "read_ahead_kb", "mode", "on", "off", "on-suspicion"];
        for (word, expected) in [
            ("max_sector_kb", Some("max_sectors_kb")),
            ("Max-Sectors-KB", Some("max_sectors_kb")),
            ("read_haead_kb", Some("read_ahead_kb")),
            ("mdoe", Some("mode")),
            ("suspicion", Some("on-suspicion")),
            ("on_suspicion", Some("on-suspicion")),
            ("of", Some("off")),
            ("no", None),
            ("colour", None),
            ("", None),
            ("xy", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"mode".repeat(100), known), None);
    }
}
