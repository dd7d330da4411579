//! What is said about a configuration: what is wrong with a value, and what would be right.
//!
//! Texts out of files are shown escaped.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::policy::setting::Value;
use crate::text::Text;

/// What a key takes, as it stands behind "write" and "not".
pub const A_TEXT: &str = "a text in quotes";
/// See above.
pub const A_NUMBER: &str = "a whole number";
/// See above.
pub const A_DURATION: &str = "a duration";
/// See above.
pub const A_FLAG: &str = "true or false";
/// See above.
pub const A_LIST: &str = "a list in brackets";
/// See above.
pub const A_PATTERN: &str = "a text in which * and ? stand for any, such as \"xvd*\"";
/// See above.
pub const A_SCHEDULER: &str = "the name of an I/O scheduler, such as \"none\"";
/// See above.
pub const UNITS: &str = "a list of units, such as [\"mysql.service\"]";

/// Of a pattern.
pub const EMPTY_PATTERN: &str = "\"\" matches nothing";
/// Of a duration.
pub const TOO_LONG: &str = "this is longer than anybody can wait";

/// A text from a file, shown.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", Text::from(text))
}

/// `"a", "b" or "c"`
pub fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    alternatives(words.map(quoted))
}

fn alternatives(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}

/// `a whole number from 0 to 10`
pub fn range_of(what: &str, from: &str, to: &str) -> String {
    format!("{what} from {from} to {to}")
}

/// A word that a key does not have.
pub fn unknown_value(word: &str) -> String {
    format!("unknown value {}", quoted(word))
}

/// A value of another kind than the key has.
pub fn wrong_type(wanted: &str, given: &Value) -> String {
    let given = match given {
        Value::Text(text) => format!("the text {}", quoted(text)),
        Value::Number(number) => format!("the number {number}"),
        Value::Flag(flag) => format!("{flag}"),
        Value::List(_) => "a list".into(),
        Value::Other(name) => (*name).into(),
    };
    format!("this is {given}, not {wanted}")
}

/// A value beyond the limits.
pub fn out_of_range(value: &str) -> String {
    format!("{value} is out of range")
}

/// A number where a duration should be, and the durations that may have been meant.
pub fn unit_missing(number: &str, meant: impl Iterator<Item = String>) -> String {
    let meant = alternatives(meant.map(|text| quoted(&text)));
    let ask = if meant.is_empty() { meant } else { format!(": is it {meant}?") };
    format!("{} has no unit{ask}", Text::from(number))
}

/// What stands where a unit should.
pub fn unit_unknown(unit: &str, units: &[&str]) -> String {
    let units = one_of(units.iter().copied());
    format!("{} is no unit of time; units are {units}, numbers are whole", quoted(unit))
}

/// What stands where a duration should.
pub fn no_number(text: &str) -> String {
    format!("{} does not begin with a number", quoted(text))
}

/// One of a list that cannot be taken.
pub fn objection(name: &str, objection: &str) -> String {
    format!("{} {objection}", quoted(name))
}
