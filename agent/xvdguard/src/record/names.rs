//! Names of the machine, hidden wherever they stand: installers put the host's name into those of
//! volumes, and so into the command line, mountinfo and the backend's keys.
//!
//! Each byte becomes an `x`, everywhere alike: what belonged together still does.

use xvdguard_linux::root::Root;

use super::files::NAMES;
use super::{Content, Entry};

/// Shorter ones would be found in everything.
const MIN_BYTES: usize = 3;

/// The name of nobody.
const NOBODY: &[u8] = b"localhost";

/// Hides them in every file but those that say what kind of domain this is.
pub fn hide(root: &Root, entries: &mut [Entry]) {
    let names = names(root);
    let files = entries.iter_mut().filter(|entry| !entry.path.starts_with(b"sys/hypervisor/"));
    for entry in files {
        if let Content::File(bytes) = &mut entry.content {
            names.iter().for_each(|name| hide_one(bytes, name));
        }
    }
}

/// The longest first: host and domain, host alone, and as device-mapper writes it, with each `-`
/// doubled.
fn names(root: &Root) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for place in NAMES {
        let Ok(Some(name)) = root.read_text(place.as_bytes()) else { continue };
        let whole = name.as_bytes();
        let first = whole.split(|byte| *byte == b'.').next().unwrap_or(whole);
        let doubled = String::from_utf8_lossy(first).replace('-', "--").into_bytes();
        names.extend([whole.to_vec(), doubled, first.to_vec()]);
    }
    names.retain(|name| name.len() >= MIN_BYTES && name != NOBODY);
    names
}

fn hide_one(bytes: &mut [u8], name: &[u8]) {
    let mut at = 0;
    while let Some(window) = bytes.get_mut(at..at + name.len()) {
        if window.eq_ignore_ascii_case(name) {
            window.fill(b'x');
            at += name.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_hidden_in_any_case_and_its_length_kept() {
        let mut bytes = b"root=/dev/mapper/Mail7--vg-root mail mail7mail7".to_vec();
        hide_one(&mut bytes, b"mail7");
        assert_eq!(bytes, b"root=/dev/mapper/xxxxx--vg-root mail xxxxxxxxxx");
        hide_one(&mut bytes[..3], b"mail7");
    }
}
