//! Paths, method calls and macros inside what a macro or an attribute was given.
//!
//! There the syntax tree ends, and `format!("{}", disk.name().unwrap())` would otherwise be a
//! hole in every rule. Reads tokens by their shape; never expands anything.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::syntax::Kind;

/// What the tokens name, in the order of the text.
pub fn scan(stream: &TokenStream) -> Vec<(Kind, String, Span)> {
    let trees: Vec<TokenTree> = stream.clone().into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        at += 1;
        match tree {
            TokenTree::Group(group) => found.extend(scan(&group.stream())),
            TokenTree::Ident(_) => at = words(&trees, at - 1, &mut found),
            _ => {}
        }
    }
    found
}

/// Takes the path that begins at `start`, and what it is used for; returns where it ends.
fn words(trees: &[TokenTree], start: usize, found: &mut Vec<(Kind, String, Span)>) -> usize {
    let mut names = Vec::new();
    let mut at = start;
    while let Some(TokenTree::Ident(name)) = trees.get(at) {
        names.push(name.to_string());
        at += 1;
        if !(is_sign(trees, at, ':') && is_sign(trees, at + 1, ':')) {
            break;
        }
        at += 2;
    }
    let span = trees[start].span();
    let last = names.last().cloned().unwrap_or_default();
    if is_sign(trees, at, '!') && is_group(trees, at + 1, None) {
        found.push((Kind::Macro, last.clone(), span));
    }
    let called = is_group(trees, at, Some(Delimiter::Parenthesis));
    if called && start > 0 && is_sign(trees, start - 1, '.') {
        found.push((Kind::Method, last, span));
    }
    if names.len() > 1 && !goes_on(trees, start) {
        found.push((Kind::Path, names.join("::"), span));
    }
    at
}

/// Whether the path that begins here is the rest of one: `<T>::name::of`, `list::<T>::new`.
fn goes_on(trees: &[TokenTree], start: usize) -> bool {
    let joined = start >= 3 && is_sign(trees, start - 1, ':') && is_sign(trees, start - 2, ':');
    joined && (is_sign(trees, start - 3, '>') || matches!(trees[start - 3], TokenTree::Ident(_)))
}

fn is_sign(trees: &[TokenTree], at: usize, sign: char) -> bool {
    matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_group(trees: &[TokenTree], at: usize, delimiter: Option<Delimiter>) -> bool {
    let Some(TokenTree::Group(group)) = trees.get(at) else { return false };
    delimiter.is_none_or(|wanted| group.delimiter() == wanted)
}

#[test]
fn paths_calls_and_macros_are_seen() {
    let text = "a::b::c, x.unwrap(), <T>::d::e, ::std::fs::read(y), todo!(), a != (b), v::<T>::f";
    let found: Vec<_> =
        scan(&text.parse().unwrap()).into_iter().map(|one| (one.0, one.1)).collect();
    let expected = [
        (Kind::Path, "a::b::c"),
        (Kind::Method, "unwrap"),
        (Kind::Path, "std::fs::read"),
        (Kind::Macro, "todo"),
    ];
    assert_eq!(found, expected.map(|(kind, what)| (kind, what.to_owned())));
}
