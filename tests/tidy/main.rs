//! The house rules that a machine can hold: one test a rule, each failure as `file:line: what`.
//!
//! Reads the files that git tracks or would track, and what `cargo metadata` says; changes
//! nothing and needs no network. Each rule is a pure function on text, and stands beside a test
//! that shows a breach being caught.

mod architecture;
mod bans;
mod documents;
mod finding;
mod headers;
mod imports;
mod layers;
mod licences;
mod medians;
mod metadata;
mod naming;
mod policy;
mod results;
mod shells;
mod sizes;
mod spdx;
mod syntax;
mod tokens;
mod tree;
mod units;
mod versions;
