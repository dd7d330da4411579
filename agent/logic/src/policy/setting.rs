//! One key of the configuration: how it is set from a file, and what would be right.
//!
//! Knows no file format: whoever reads TOML hands over a `Value`.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::duration::{self, NoDuration};
use super::origin::{Chosen, Origin};
use super::queue::{Kind, QueueAttribute};
use super::word::Word;
use crate::text::Text;
use crate::wording::config as wording;

/// What a file may say behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number; one that is larger than this can hold is the largest.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// A list.
    List(Vec<Value>),
    /// Anything else, by its name: `a table`.
    Other(&'static str),
}

/// Why a value cannot be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wrong {
    /// What is so, in half a sentence.
    pub what: String,
    /// Where a word is not known: the word, and those that are.
    pub unknown: Option<(String, Vec<&'static str>)>,
    /// Which element of a list it is about.
    pub element: Option<usize>,
}

fn because(what: String) -> Wrong {
    Wrong { what, ..Wrong::default() }
}

/// A place for a value, with what it takes.
pub trait Setting {
    /// Takes a value, or says all that is wrong with it and stays as it is.
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>>;
    /// The value in force; none where nothing was said and nothing is done.
    fn value(&self) -> Option<Value>;
    /// Where it came from.
    fn origin(&self) -> Origin;
    /// What may be written, for people: `"auto" or "never"`.
    fn takes(&self) -> String;
}

/// One of a few words.
pub struct Choice<'a, W>(pub &'a mut Chosen<W>);

impl<W: Word> Setting for Choice<'_, W> {
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>> {
        let Value::Text(word) = given else { return Err(vec![not(wording::A_TEXT, given)]) };
        let Some(value) = W::from_word(word) else {
            let known = W::ALL.iter().map(|(word, _)| *word).collect();
            let what = wording::unknown_value(word);
            return Err(vec![Wrong { unknown: Some((word.clone(), known)), ..because(what) }]);
        };
        *self.0 = Chosen { value, origin };
        Ok(())
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.0.value.word().into()))
    }

    fn origin(&self) -> Origin {
        self.0.origin.clone()
    }

    fn takes(&self) -> String {
        wording::one_of(W::ALL.iter().map(|(word, _)| *word))
    }
}

/// A time with a unit, within limits.
pub struct Span<'a>(pub &'a mut Chosen<Duration>, pub RangeInclusive<Duration>);

impl Setting for Span<'_> {
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>> {
        let value = self.duration(given).map_err(|wrong| vec![wrong])?;
        *self.0 = Chosen { value, origin };
        Ok(())
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Text(duration::print(self.0.value)))
    }

    fn origin(&self) -> Origin {
        self.0.origin.clone()
    }

    fn takes(&self) -> String {
        let (from, to) = (duration::print(*self.1.start()), duration::print(*self.1.end()));
        wording::range_of(wording::A_DURATION, &wording::quoted(&from), &wording::quoted(&to))
    }
}

impl Span<'_> {
    fn duration(&self, given: &Value) -> Result<Duration, Wrong> {
        let value = match given {
            Value::Text(text) => duration::parse(text).map_err(|why| self.no_duration(why)),
            Value::Number(number) => {
                Err(self.no_duration(NoDuration::UnitMissing(&number.to_string())))
            }
            other => Err(not(wording::A_DURATION, other)),
        }?;
        if self.1.contains(&value) {
            return Ok(value);
        }
        Err(because(wording::out_of_range(&duration::print(value))))
    }

    fn no_duration(&self, why: NoDuration<'_>) -> Wrong {
        because(match why {
            NoDuration::UnitMissing(number) => {
                let with_units = duration::units().map(|unit| alloc::format!("{number}{unit}"));
                let fits = |text: &String| {
                    duration::parse(text).is_ok_and(|value| self.1.contains(&value))
                };
                wording::unit_missing(number, with_units.into_iter().filter(fits))
            }
            NoDuration::UnitUnknown(unit) => wording::unit_unknown(unit, &duration::units()),
            NoDuration::NoNumber(text) => wording::no_number(text),
            NoDuration::TooLong => wording::TOO_LONG.into(),
        })
    }
}

/// How many, within limits.
pub struct Count<'a>(pub &'a mut Chosen<u32>, pub RangeInclusive<u32>);

impl Setting for Count<'_> {
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>> {
        let value = number_within(given, &self.1).map_err(|wrong| vec![wrong])?;
        *self.0 = Chosen { value, origin };
        Ok(())
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Number(self.0.value.into()))
    }

    fn origin(&self) -> Origin {
        self.0.origin.clone()
    }

    fn takes(&self) -> String {
        number_range(&self.1)
    }
}

/// Yes or no.
pub struct Flag<'a>(pub &'a mut Chosen<bool>);

impl Setting for Flag<'_> {
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>> {
        let Value::Flag(value) = *given else { return Err(vec![not(wording::A_FLAG, given)]) };
        *self.0 = Chosen { value, origin };
        Ok(())
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Flag(self.0.value))
    }

    fn origin(&self) -> Origin {
        self.0.origin.clone()
    }

    fn takes(&self) -> String {
        wording::A_FLAG.into()
    }
}

/// Names of units; the function gives half a sentence about what is wrong with one.
pub struct Names<'a>(pub &'a mut Chosen<Vec<Text>>, pub fn(&str) -> Option<&'static str>);

impl Setting for Names<'_> {
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>> {
        let Value::List(elements) = given else { return Err(vec![not(wording::A_LIST, given)]) };
        let names = elements.iter().map(|element| self.name(element));
        let (mut value, mut wrongs) = (Vec::new(), Vec::new());
        for (index, name) in names.enumerate() {
            match name {
                Ok(name) => value.push(name),
                Err(wrong) => wrongs.push(Wrong { element: Some(index), ..wrong }),
            }
        }
        if !wrongs.is_empty() {
            return Err(wrongs);
        }
        *self.0 = Chosen { value, origin };
        Ok(())
    }

    fn value(&self) -> Option<Value> {
        let names = self.0.value.iter().filter_map(Text::as_str);
        let names = names.map(|name| Value::Text(name.into()));
        Some(Value::List(names.collect()))
    }

    fn origin(&self) -> Origin {
        self.0.origin.clone()
    }

    fn takes(&self) -> String {
        wording::UNITS.into()
    }
}

impl Names<'_> {
    fn name(&self, element: &Value) -> Result<Text, Wrong> {
        let Value::Text(name) = element else { return Err(not(wording::A_TEXT, element)) };
        match (self.1)(name) {
            Some(objection) => Err(because(wording::objection(name, objection))),
            None => Ok(Text::from(name.as_str())),
        }
    }
}

/// A pattern with `*` and `?`.
pub struct Pattern<'a>(pub &'a mut Chosen<Text>);

impl Setting for Pattern<'_> {
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>> {
        let Value::Text(text) = given else { return Err(vec![not(wording::A_TEXT, given)]) };
        if text.is_empty() {
            return Err(vec![because(wording::EMPTY_PATTERN.into())]);
        }
        *self.0 = Chosen { value: Text::from(text.as_str()), origin };
        Ok(())
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.0.value.as_str().unwrap_or_default().into()))
    }

    fn origin(&self) -> Origin {
        self.0.origin.clone()
    }

    fn takes(&self) -> String {
        wording::A_PATTERN.into()
    }
}

/// One attribute of a `[[queue]]` entry; not set unless a file says so.
pub struct Limit<'a> {
    /// The entry's attributes.
    pub settings: &'a mut BTreeMap<QueueAttribute, Chosen<Text>>,
    /// Which of them.
    pub attribute: QueueAttribute,
}

impl Setting for Limit<'_> {
    fn set(&mut self, given: &Value, origin: Origin) -> Result<(), Vec<Wrong>> {
        let text = match (self.attribute.kind(), given) {
            (Kind::Number(range), given) => {
                number_within(given, &range).map_err(|wrong| vec![wrong])?.to_string()
            }
            (Kind::Name, Value::Text(name)) if self.attribute.accepts(name) => name.clone(),
            (Kind::Name, Value::Text(name)) => {
                return Err(vec![because(wording::unknown_value(name))]);
            }
            (Kind::Name, other) => return Err(vec![not(wording::A_TEXT, other)]),
        };
        self.settings.insert(self.attribute, Chosen { value: Text::from(text), origin });
        Ok(())
    }

    fn value(&self) -> Option<Value> {
        let text = &self.settings.get(&self.attribute)?.value;
        Some(match (self.attribute.kind(), text.number()) {
            (Kind::Number(_), Some(number)) => Value::Number(number as i64),
            _ => Value::Text(text.to_string()),
        })
    }

    fn origin(&self) -> Origin {
        let chosen = self.settings.get(&self.attribute);
        chosen.map_or(Origin::Default, |chosen| chosen.origin.clone())
    }

    fn takes(&self) -> String {
        match self.attribute.kind() {
            Kind::Number(range) => number_range(&range),
            Kind::Name => wording::A_SCHEDULER.into(),
        }
    }
}

fn number_within(given: &Value, range: &RangeInclusive<u32>) -> Result<u32, Wrong> {
    let Value::Number(number) = *given else { return Err(not(wording::A_NUMBER, given)) };
    let fitting = u32::try_from(number).ok().filter(|number| range.contains(number));
    fitting.ok_or_else(|| because(wording::out_of_range(&number.to_string())))
}

fn number_range(range: &RangeInclusive<u32>) -> String {
    wording::range_of(wording::A_NUMBER, &range.start().to_string(), &range.end().to_string())
}

fn not(wanted: &str, given: &Value) -> Wrong {
    because(wording::wrong_type(wanted, given))
}
