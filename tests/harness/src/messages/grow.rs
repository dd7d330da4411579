//! Lines out of a pattern: the pattern is read as a tree, and each branch drawn.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::failure::{Failure, Result, Tried};
use crate::random::Random;

/// How often something is repeated that may be repeated for ever.
const MANY: u32 = 12;

/// A line that `pattern` describes.
pub fn line(pattern: &str, random: &mut Random) -> Result<Vec<u8>> {
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    let mut line = Vec::new();
    grow(&parsed.tried(format_args!("read the pattern {pattern}"))?, random, &mut line)?;
    Ok(line)
}

fn grow(hir: &Hir, random: &mut Random, line: &mut Vec<u8>) -> Result<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Ok(()),
        HirKind::Literal(literal) => {
            line.extend_from_slice(&literal.0);
            Ok(())
        }
        HirKind::Class(class) => {
            line.push(byte(class, random)?);
            Ok(())
        }
        HirKind::Repetition(repetition) => {
            let times = times(repetition, random);
            (0..times).try_for_each(|_| grow(&repetition.sub, random, line))
        }
        HirKind::Capture(capture) => grow(&capture.sub, random, line),
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| grow(part, random, line)),
        HirKind::Alternation(parts) => match random.choose(parts) {
            Some(part) => grow(part, random, line),
            None => Ok(()),
        },
    }
}

/// Often the least, and often the most.
fn times(Repetition { min, max, .. }: &Repetition, random: &mut Random) -> u32 {
    let max = max.unwrap_or(min + MANY);
    match random.below(8) {
        0 => *min,
        1 => max,
        _ => min + random.below(u64::from(max - min) + 1) as u32,
    }
}

/// A byte of the class. Few lines of a log are not ASCII, so few bytes are not.
fn byte(class: &Class, random: &mut Random) -> Result<u8> {
    let bytes: Vec<u8> = match class {
        Class::Bytes(class) => class.iter().flat_map(|range| range.start()..=range.end()).collect(),
        Class::Unicode(_) => Vec::new(),
    };
    let printable: Vec<u8> =
        bytes.iter().copied().filter(|byte| matches!(byte, b' '..=b'~')).collect();
    let from = if printable.is_empty() || random.percent(2) { &bytes } else { &printable };
    random.choose(from).copied().ok_or_else(|| Failure::new("a class has no byte"))
}
