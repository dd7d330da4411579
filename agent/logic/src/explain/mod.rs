//! The story of a kernel log: what failed first, what followed, what it means now, what to do.

pub mod form;
