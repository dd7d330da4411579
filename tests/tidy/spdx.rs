//! Licence expressions: `MIT OR Apache-2.0`, `(A OR B) AND C`, `A WITH exception`, the old `A/B`.
//!
//! Only as much of the grammar as packages use; whatever else is an error, never a guess.

/// A licence expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Licence {
    /// One licence, with its exception: `Apache-2.0 WITH LLVM-exception`.
    One(String),
    /// All of them hold.
    All(Vec<Licence>),
    /// One of them may be chosen.
    Any(Vec<Licence>),
}

impl Licence {
    /// Reads an expression.
    pub fn read(text: &str) -> Result<Self, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let mut words = Words { left: spaced.split_whitespace().collect() };
        words.left.reverse();
        let licence = words.any()?;
        match words.left.pop() {
            None => Ok(licence),
            Some(word) => Err(format!("\"{word}\" is not expected there")),
        }
    }

    /// Whether it can be met with what is allowed.
    pub fn is_met(&self, allowed: &[String]) -> bool {
        match self {
            Licence::One(name) => allowed.contains(name),
            Licence::All(parts) => parts.iter().all(|part| part.is_met(allowed)),
            Licence::Any(parts) => parts.iter().any(|part| part.is_met(allowed)),
        }
    }
}

/// The words not read yet, the next one last.
struct Words<'a> {
    left: Vec<&'a str>,
}

impl Words<'_> {
    fn any(&mut self) -> Result<Licence, String> {
        let mut parts = vec![self.all()?];
        while self.take("OR") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Licence::Any))
    }

    fn all(&mut self) -> Result<Licence, String> {
        let mut parts = vec![self.one()?];
        while self.take("AND") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Licence::All))
    }

    fn one(&mut self) -> Result<Licence, String> {
        if self.take("(") {
            let inside = self.any()?;
            return if self.take(")") { Ok(inside) } else { Err("a \")\" is missing".into()) };
        }
        let name = self.name()?;
        let exception = if self.take("WITH") { Some(self.name()?) } else { None };
        Ok(Licence::One(
            exception.map_or(name.clone(), |exception| format!("{name} WITH {exception}")),
        ))
    }

    fn name(&mut self) -> Result<String, String> {
        let word = self.left.pop().ok_or("a licence is missing at the end")?;
        if ["(", ")", "OR", "AND", "WITH"].contains(&word) {
            return Err(format!("a licence is missing before \"{word}\""));
        }
        Ok(word.to_owned())
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.left.last() == Some(&word);
        if is_next {
            self.left.pop();
        }
        is_next
    }
}

fn one_or(mut parts: Vec<Licence>, many: fn(Vec<Licence>) -> Licence) -> Licence {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}

#[test]
fn an_expression_is_met_by_what_is_allowed() {
    let allowed = ["MIT", "Unicode-3.0", "A WITH e"].map(str::to_owned);
    for (text, met) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT OR Apache-2.0 AND GPL-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("A", false),
        ("A WITH e OR GPL-3.0", true),
        ("MIT+", false),
    ] {
        assert_eq!(Licence::read(text).unwrap().is_met(&allowed), met, "{text}");
    }
}

#[test]
fn a_broken_expression_is_an_error() {
    for text in ["", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "AND MIT", "A WITH"] {
        assert!(Licence::read(text).is_err(), "{text}");
    }
}
