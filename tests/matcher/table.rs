//! The table and the code say the same of each row.

use harness::messages::{Messages, OVERLAPS};
use xvdguard_logic::kernel_log::matcher::Id;

use crate::ours;

#[test]
fn every_row_has_an_id_and_the_reverse() {
    let messages = Messages::read().unwrap();
    let of_table: Vec<_> = messages
        .rows
        .iter()
        .map(|row| [row.id.as_str(), row.subsystem.as_str(), row.severity.as_str()])
        .collect();
    let of_code: Vec<_> =
        Id::ALL.iter().map(|id| [id.name(), id.subsystem().name(), id.severity().name()]).collect();
    assert_eq!(of_code, of_table);
}

#[test]
fn every_pattern_is_anchored_at_the_start_of_the_line() {
    for row in Messages::read().unwrap().rows {
        assert!(row.pattern.starts_with('^'), "{}", row.id);
        assert!(!row.pattern.contains("^(?P<message>"), "{}", row.id);
    }
}

#[test]
fn the_example_of_a_row_says_what_the_row_is_about() {
    let messages = Messages::read().unwrap();
    for row in &messages.rows {
        let expected = (row.id.clone(), row.captures(row.example.as_bytes()));
        assert_eq!(ours(row.example.as_bytes()), Some(expected), "{}", row.example);
    }
}

#[test]
fn overlaps_are_between_rows_that_exist() {
    let messages = Messages::read().unwrap();
    for (specific, general) in OVERLAPS {
        assert!(messages.row(specific).is_some() && messages.row(general).is_some());
    }
}
