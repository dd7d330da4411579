//! The manual page of the kernel command line against what is understood there: each word is told,
//! and nothing is told that would be ignored.

use std::collections::BTreeSet;

use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::text::Text;

const PAGE: &str = include_str!("../../packaging/man/xvdguard-kernel-command-line.7");
const NAMES: [&str; 4] = ["barrier", "xvdguard", "xvdguard.barrier", "xvdguard.recover"];
/// What people write for yes, for no, and for all that the policy has words for.
const VALUES: [&str; 16] = [
    "0", "1", "no", "yes", "off", "on", "false", "true", "n", "y", "auto", "leave", "report",
    "recover", "reboot", "none",
];

/// Understood: it changes something, where nothing is said against it.
fn is_understood(word: &str) -> bool {
    KernelWords::parse(&Text::from(word)).oddities.is_empty()
}

/// All words of ours on the page, wherever they stand. `rootflags=` is the kernel's.
fn told() -> BTreeSet<String> {
    let words = PAGE.split(|c: char| c.is_whitespace() || "\",".contains(c));
    let is_ours = |word: &&str| word.split_once('=').is_some_and(|(name, _)| NAMES.contains(&name));
    words.filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn every_word_of_the_kernel_command_line_is_told_and_no_other() {
    let words = NAMES.iter().flat_map(|name| VALUES.map(|value| format!("{name}={value}")));
    let understood: BTreeSet<String> = words.filter(|word| is_understood(word)).collect();
    assert!(understood.contains("xvdguard.barrier=leave"), "{understood:?}");
    assert!(!understood.contains("barrier=none"), "{understood:?}");
    assert_eq!(told(), understood);
}
