//! What is said about a configuration: what is wrong with a value, and what would be right.
//!
//! Texts out of files are shown escaped.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::policy::setting::Value;
use crate::text::Text;

/// What a key takes.
pub const A_TEXT: &str = "a text in quotes";
/// What a key takes.
pub const A_NUMBER: &str = "a whole number";
/// What a key takes.
pub const A_DURATION: &str = "a duration";
/// What a key takes.
pub const A_FLAG: &str = "true or false";
/// What a key takes.
pub const A_LIST: &str = "a list in brackets";
/// What a key takes.
pub const A_PATTERN: &str = "a text in which * and ? stand for anything, such as \"xvd*\"";
/// What a key takes.
pub const A_SCHEDULER: &str = "the name of an I/O scheduler, such as \"none\"";
/// What a key takes.
pub const UNITS: &str = "a list of units, such as [\"mysql.service\"]";

/// What a value is.
pub const NO_NUMBER: &str = "a number beyond all limits";
/// What a value is.
pub const A_FRACTION: &str = "a number with a fraction";
/// What a value is.
pub const A_DATE: &str = "a date";
/// What a value is.
pub const A_TABLE: &str = "a table";

/// The header of an entry.
pub const QUEUE_HEADER: &str = "[[queue]]";
/// The header of what holds for one mount point.
pub const MOUNT_HEADER: &str = "[recovery.mount.\"/srv\"]";

/// Of a pattern.
pub const EMPTY_PATTERN: &str = "\"\" matches nothing";
/// Of a duration.
pub const TOO_LONG: &str = "this is longer than anybody can wait";
/// Of a line.
pub const VALUE_MISSING: &str = "this is not TOML: a value is missing here";
/// Of an entry.
pub const SETS_NOTHING: &str = "this [[queue]] entry sets nothing";
/// Of a key that only seems to be one of queues.
pub const WRITE_CACHE: &str = " (only the barrier job writes it, on proof: see [barrier] mode)";

/// How it would be right.
pub const A_MOUNT_POINT: &str =
    "a mount point is written as `xvdguard status` shows it, such as [recovery.mount.\"/srv\"]";
/// How it would be right.
pub const GIVE_IT_ONCE: &str = "give it once; what is to overrule it belongs into a later file";
/// How it would be right.
pub const SEE_TOML: &str =
    "a line is `key = value`, `[table]`, `[[queue]]` or `# comment`; texts stand in quotes";
/// How it would be right.
pub const WRITE_UTF_8: &str = "TOML is UTF-8: save the file in it";

/// Said by commands that have an answer without a configuration.
pub const NOTHING_HOLDS: &str =
    "the configuration is wrong, and nothing of it holds. Do: xvdguard config check";

/// Said while the image carries another policy.
pub const STALE_IMAGE: &str = "early boot ran with another [barrier] or [[queue]] than this: what \
    changed holds after a boot with an initramfs that was rebuilt";

/// `[barrier]`
pub fn header(table: &str) -> String {
    format!("[{table}]")
}

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

/// What is so, with its key.
pub fn about(key: &str, what: &str) -> String {
    format!("{key}: {what}")
}

/// How it would be right.
pub fn takes(key: &str, takes: &str) -> String {
    format!("{key} takes {takes}")
}

/// How it would be right.
pub fn takes_keys(header: &str, keys: &[&str]) -> String {
    format!("{header} takes {}", keys.join(", "))
}

/// How it would be right.
pub fn takes_one_of(keys: &[&str]) -> String {
    format!("set one of {}", keys.join(", "))
}

/// How it would be right.
pub fn tables(names: &[&str]) -> String {
    let headers = names.iter().map(|name| match *name {
        "queue" => QUEUE_HEADER.into(),
        name => header(name),
    });
    format!(
        "outside of tables there is nothing; tables are {}",
        headers.collect::<Vec<String>>().join(", ")
    )
}

/// What may have been meant.
pub fn did_you_mean(word: Option<&str>) -> String {
    word.map_or(String::new(), |word| format!(" (did you mean \"{word}\"?)"))
}

/// A key that nothing has.
pub fn unknown_key(key: &str) -> String {
    format!("unknown key {}", quoted(key))
}

/// Where a key is known.
pub fn belongs_to(headers: &[String]) -> String {
    format!(" (it belongs to {})", alternatives(headers.iter().cloned()))
}

/// A table, or anything else, where a list of tables should be.
pub fn no_list(name: &str) -> String {
    format!("{} is a list of tables, and this is none", quoted(name))
}

/// How it would be right.
pub fn write_header(header: &str) -> String {
    match header {
        QUEUE_HEADER => "write [[queue]] with two brackets, once for each entry".into(),
        header => format!("write {header} on a line of its own, and its keys below it"),
    }
}

/// A key that stands in one table twice.
pub fn given_twice(key: &str, first_line: Option<usize>) -> String {
    let first = first_line.map_or(String::new(), |line| format!(", first in line {line}"));
    let key = key.trim_matches(['"', '\'']);
    format!("{} is given twice{first}", quoted(key))
}

/// A text without quotes: what is so, and how it would be right.
pub fn unquoted(text: &str) -> (String, String) {
    (format!("{} is a text without quotes", Text::from(text)), format!("write {}", quoted(text)))
}

/// What the reader of TOML says.
pub fn not_toml(message: &str) -> String {
    format!("this is not TOML: {}", Text::from(message))
}

/// A byte that no text has.
pub fn not_utf_8(byte: u8) -> String {
    format!("the byte \\x{byte:02x} here is not UTF-8")
}

/// What is not listed any more.
pub fn and_more(count: usize) -> String {
    format!(" (and {count} more in this file)")
}

/// More than early boot reads.
pub fn too_long_for_early_boot(bytes: usize, most: usize) -> String {
    format!(
        "the [[queue]] entries take {bytes} bytes in the image, at most {most}: use patterns that \
         match more disks"
    )
}

/// The header of what holds for one mount point, which comes in quotes.
pub fn mount_header(point: &str) -> String {
    format!("[recovery.mount.{point}]")
}

/// Nothing is wrong.
pub fn valid(files: &[Text]) -> String {
    if files.is_empty() {
        return "ok: no file, the defaults hold\n".into();
    }
    files.iter().fold("ok\n".into(), |text, file| format!("{text}  {file}\n"))
}

/// A file that lies among those that are read.
pub fn passed_over(file: &Text) -> String {
    format!("{file} is not read: its name does not end in .toml")
}

/// Above values that are not in force.
pub fn inert(word: &Text) -> String {
    format!("# \"{word}\" on the kernel command line: nothing of this is in force\n")
}
