//! Listings that do not fit into one message: in parts, from an offset on.
//!
//! Each part carries the node's generation; if it changes between parts the listing is begun
//! again, a few times at most. Needs Xen 4.9 or newer on the host; an older one has no such
//! listings either. Tests: below, and `tests/xenstore`.

use std::time::Instant;

use xvdguard_logic::text::Text;

use super::client::Client;
use super::error::{Cause, Result};
use super::request::{self, Answer, Request};
use super::wire::{Kind, Message};

/// How often a listing that changes is begun.
const ATTEMPTS: usize = 5;
/// Bytes of a whole listing; the nodes of many guests.
const MAX_LISTING: usize = 1024 * 1024;

/// One part of a listing.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    generation: Vec<u8>,
    /// Names, each closed by a NUL.
    names: Vec<u8>,
    is_last: bool,
}

/// Whether a listing failed because it does not fit.
pub fn are_needed(request: &Request, result: &Result<Answer>) -> bool {
    let too_long = Cause::Server(Text::from("E2BIG"));
    matches!((request, result), (Request::Directory(_), Err(error)) if *error.cause() == too_long)
}

/// Lists a node in parts.
pub fn directory(
    client: &mut Client,
    transaction: u32,
    request: &Request,
    deadline: Instant,
) -> Result<Answer> {
    let mut next = |offset: usize| {
        let offset = offset.to_string();
        let words = [request.path().as_bytes(), offset.as_bytes()];
        let message = Message::new(Kind::DirectoryPart, &words, b"").map_err(Cause::Limit)?;
        parse(&client.exchange(transaction, &message, deadline)?).map_err(Cause::Malformed)
    };
    let listing = (0..ATTEMPTS).find_map(|_| one_generation(&mut next).transpose());
    let changed = || Cause::Malformed(format!("it changed {ATTEMPTS} times while it was listed"));
    let names = listing.unwrap_or_else(|| Err(changed()));
    names.map(Answer::Names).map_err(|cause| request.failed(cause))
}

/// All names, or `None` where the node changed on the way.
fn one_generation(
    next: &mut impl FnMut(usize) -> std::result::Result<Part, Cause>,
) -> std::result::Result<Option<Vec<Text>>, Cause> {
    let first = next(0)?;
    let (mut names, mut is_last) = (first.names, first.is_last);
    while !is_last {
        let part = next(names.len())?;
        if part.generation != first.generation {
            return Ok(None);
        }
        names.extend_from_slice(&part.names);
        is_last = part.is_last;
        if names.len() > MAX_LISTING {
            let why = format!("it is longer than {MAX_LISTING} bytes");
            return Err(Cause::Malformed(why));
        }
    }
    request::words(&names).map(Some).map_err(Cause::Malformed)
}

/// `generation NUL name NUL ... `, and after the last name of all an empty one.
fn parse(payload: &[u8]) -> std::result::Result<Part, String> {
    let Some(at) = payload.iter().position(|byte| *byte == 0) else {
        return Err("a part without a generation".to_owned());
    };
    let (generation, names) = (payload[..at].to_vec(), &payload[at + 1..]);
    let last = names.strip_suffix(b"\0").filter(|rest| rest.is_empty() || rest.ends_with(b"\0"));
    match last {
        Some(names) => Ok(Part { generation, names: names.to_vec(), is_last: true }),
        None if names.ends_with(b"\0") => {
            Ok(Part { generation, names: names.to_vec(), is_last: false })
        }
        None => Err("a part without names".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(generation: &str, names: &str, is_last: bool) -> Part {
        Part { generation: generation.into(), names: names.into(), is_last }
    }

    #[test]
    fn an_empty_name_ends_the_listing() {
        assert_eq!(parse(b"7\0a\0bc\0"), Ok(part("7", "a\0bc\0", false)));
        assert_eq!(parse(b"7\0a\0\0"), Ok(part("7", "a\0", true)));
        assert_eq!(parse(b"7\0\0"), Ok(part("7", "", true)));
        for bad in [&b""[..], b"7", b"7\0", b"7\0a"] {
            assert!(parse(bad).is_err(), "{:?}", Text::from(bad));
        }
    }

    #[test]
    fn a_change_between_parts_is_seen() {
        let mut parts = vec![part("8", "b\0", true), part("7", "a\0", false)];
        assert_eq!(one_generation(&mut |_| Ok(parts.pop().unwrap())), Ok(None));
    }

    #[test]
    fn the_offset_counts_the_bytes_of_the_names() {
        let mut asked = Vec::new();
        let names = one_generation(&mut |offset| {
            asked.push(offset);
            Ok(part("7", "ab\0", offset == 6))
        });
        assert_eq!(names, Ok(Some(vec![Text::from("ab"); 3])));
        assert_eq!(asked, [0, 3, 6]);
    }

    #[test]
    fn a_listing_without_an_end_ends() {
        let long = format!("{}\0", "a".repeat(4000));
        let endless = one_generation(&mut |_| Ok(part("7", &long, false)));
        assert!(matches!(endless, Err(Cause::Malformed(_))));
    }
}
