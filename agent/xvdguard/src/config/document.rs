//! TOML, as the toml crate reads it: tables with the place of every key, and what is no TOML.
//!
//! Says nothing of what the keys mean.

use std::ops::Range;

use toml::de::{DeArray, DeTable, DeValue};
use toml::{Spanned, de};
use xvdguard_logic::order;
use xvdguard_logic::policy::setting::Value;
use xvdguard_logic::wording::config as wording;

use super::lines::Lines;
use super::problem::{AT_MOST, Found};

/// A table's entries, by key.
pub type Entries<'a> = DeTable<'a>;

/// A key with its place.
pub type Key<'a> = Spanned<std::borrow::Cow<'a, str>>;

/// A value with its place.
pub type Node<'a> = Spanned<DeValue<'a>>;

/// The file without the byte order mark that editors of other systems write, so that columns
/// are what a person counts.
pub fn without_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content)
}

/// The file as a text.
pub fn text(content: &[u8]) -> Result<&str, Found> {
    std::str::from_utf8(content).map_err(|error| {
        let start = error.valid_up_to();
        let byte = content.get(start).copied().unwrap_or_default();
        Found {
            span: start..start + 1,
            what: wording::not_utf_8(byte),
            remedy: wording::WRITE_UTF_8.into(),
        }
    })
}

/// What a text says, and where it is no TOML. The rest of such a text is read as well as it goes.
pub fn parse(text: &str) -> (Entries<'_>, Vec<Found>) {
    let (entries, mut errors) = DeTable::parse_recoverable(text);
    let entries = entries.into_inner();
    let lines = Lines::of(text.as_bytes());
    // What stands behind the first error of a line is mostly its echo.
    order::sort_by_key(&mut errors, start);
    errors.dedup_by_key(|error| lines.number(start(error)));
    let found = errors.iter().enumerate().map(|(index, error)| match index < AT_MOST {
        true => syntax(text, &lines, &entries, error),
        // Only counted: whoever finds out more of each would look through the file as often.
        false => Found { span: error.span().unwrap_or_default(), ..Found::default() },
    });
    let found = found.collect();
    (entries, found)
}

fn start(error: &de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

fn syntax(text: &str, lines: &Lines<'_>, entries: &Entries<'_>, error: &de::Error) -> Found {
    let span = error.span().unwrap_or_default();
    let written = text.get(span.clone()).unwrap_or_default();
    let message = error.message();
    let (what, remedy) = if message.starts_with("duplicate key") {
        let first = first_of(entries, written, span.start);
        let line = first.map(|start| lines.number(start)).or(same_line(lines, span.start));
        (wording::given_twice(written, line), wording::GIVE_IT_ONCE.into())
    } else if message.starts_with("string values must be quoted") {
        match written {
            "" => (wording::VALUE_MISSING.into(), wording::SEE_TOML.into()),
            written => wording::unquoted(written),
        }
    } else {
        (wording::not_toml(message), wording::SEE_TOML.into())
    };
    Found { span, what, remedy }
}

/// The line of a header that is given again: the first that reads the same.
fn same_line(lines: &Lines<'_>, at: usize) -> Option<usize> {
    let again = lines.number(at);
    let text = |number| lines.line(number).1.trim_ascii();
    (1..again).find(|number| text(*number) == text(again))
}

/// Where a key that is given again was given first: the last place before that which has its name.
/// The keys of one table stand together, so no other table comes between.
fn first_of(entries: &Entries<'_>, written: &str, before: usize) -> Option<usize> {
    let name = written.trim_matches(['"', '\'']);
    let own = entries.keys().filter(|key| key.get_ref() == name).map(|key| key.span().start);
    let inner = entries.values().filter_map(|value| match value.get_ref() {
        DeValue::Table(table) => first_of(table, written, before),
        DeValue::Array(array) => first_in(array, written, before),
        _ => None,
    });
    own.chain(inner).filter(|start| *start < before).max()
}

fn first_in(array: &DeArray<'_>, written: &str, before: usize) -> Option<usize> {
    let tables = array.iter().filter_map(|value| value.get_ref().as_table());
    tables.filter_map(|table| first_of(table, written, before)).max()
}

/// The table that a value is.
pub fn as_table<'a, 'b>(value: &'b Node<'a>) -> Option<&'b Entries<'a>> {
    value.get_ref().as_table()
}

/// The elements of a list.
pub fn as_list<'a, 'b>(value: &'b Node<'a>) -> Option<impl Iterator<Item = &'b Node<'a>>> {
    Some(value.get_ref().as_array()?.iter())
}

/// Where an element of a list stands; the whole value where there is none.
pub fn element(value: &Node<'_>, index: Option<usize>) -> Range<usize> {
    let array = value.get_ref().as_array();
    let element = index.and_then(|index| array?.get(index));
    element.map_or(value.span(), Spanned::span)
}

/// A value without its place.
pub fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Other(wording::NO_NUMBER),
        },
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(array) => {
            Value::List(array.iter().map(|value| plain(value.get_ref())).collect())
        }
        DeValue::Float(_) => Value::Other(wording::A_FRACTION),
        DeValue::Datetime(_) => Value::Other(wording::A_DATE),
        DeValue::Table(_) => Value::Other(wording::A_TABLE),
    }
}
