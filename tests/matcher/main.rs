//! The matchers of kernel messages against their table, whose patterns the regex crate runs.

mod agreement;
mod allocation;
mod deceit;
mod table;

use std::collections::BTreeMap;

use harness::messages::Reading;
use xvdguard_logic::kernel_log::matcher;

/// What our matchers say of a line, in the form in which the table says it.
fn ours(line: &[u8]) -> Option<Reading> {
    let found = matcher::find(line)?;
    let captures = found.captures().map(|(name, text)| (name.name().to_owned(), text.to_vec()));
    Some((found.id.name().to_owned(), captures.collect::<BTreeMap<_, _>>()))
}
