//! What is said of lines of fstab: why one cannot be read, why one is not changed.

use alloc::format;
use alloc::string::String;

use crate::fstab::{EditError, EditErrorKind, Flaw};

/// Why a line was not changed, and what to do.
pub fn edit_error(error: EditError) -> String {
    let EditError { line, kind } = error;
    let why = match kind {
        EditErrorKind::NoEntry => "it is no entry",
        EditErrorKind::NotOurs => "no comment \"# xvdguard: was …\" stands above it",
        EditErrorKind::ChangedSince => {
            "somebody changed its options after xvdguard did. Do: decide about barrier=0 yourself, \
             and remove the comment \"# xvdguard: was …\" above"
        }
        EditErrorKind::AmbiguousOptions => {
            "its options hold a quote that stays open, a backslash, a NUL or a CR, which mount \
             programs read differently. Do: write them without it"
        }
    };
    format!("/etc/fstab:{line}: not changed: {why}")
}

/// Why mount(8) skips a line.
pub fn flaw(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::TooFewFields => "it needs source, mount point and type at least",
        Flaw::NoNumber => "its fifth or sixth field is no number",
        Flaw::Nul => "it holds a NUL byte",
    }
}
