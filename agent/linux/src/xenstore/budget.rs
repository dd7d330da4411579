//! Our share of the guest's quotas.
//!
//! Nodes and watches are counted for each guest, and the kernel's drivers live from the same
//! count: who uses it up stops the next disk from being attached. So a client keeps to a small
//! share and refuses the rest before it is sent.

use std::collections::BTreeMap;

use xvdguard_logic::text::Text;

use super::error::{Cause, Result};
use super::request::{Answer, Request};

/// Watches that a client may have at a time (a guest has 128 by default).
pub const MAX_WATCHES: usize = 8;
/// Paths that a client may make or write (a guest has 1000 nodes by default).
pub const MAX_NODES: usize = 16;

/// What a client uses of its share.
#[derive(Debug)]
pub struct Budget {
    watches: Share<(Text, Text)>,
    nodes: Share<Text>,
}

/// Things in use; whether they are known to exist, or only asked for.
#[derive(Debug)]
struct Share<T> {
    what: &'static str,
    limit: usize,
    used: BTreeMap<T, bool>,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            watches: Share { what: "watches", limit: MAX_WATCHES, used: BTreeMap::new() },
            nodes: Share { what: "nodes", limit: MAX_NODES, used: BTreeMap::new() },
        }
    }
}

impl Budget {
    /// Whether it asks for a watch that is there. A second one would cost twice on the device,
    /// where the kernel keeps the two apart.
    pub fn has(&self, request: &Request) -> bool {
        match request {
            Request::Watch { path, token } => {
                self.watches.used.get(&(path.clone(), token.clone())) == Some(&true)
            }
            _ => false,
        }
    }

    /// Takes what the request needs; why not, where nothing is left.
    pub fn take(&mut self, request: &Request) -> std::result::Result<(), Cause> {
        match request {
            Request::Watch { path, token } => self.watches.take((path.clone(), token.clone())),
            Request::Write(path, _) | Request::Mkdir(path) => self.nodes.take(path.clone()),
            _ => Ok(()),
        }
    }

    /// Gives back what was refused or freed. What may have happened counts as if it had.
    pub fn settle(&mut self, request: &Request, result: &Result<Answer>) {
        let is_gone = result.as_ref().map_or_else(|error| error.is_missing(), |_| true);
        match request {
            Request::Watch { path, token } => {
                self.watches.settle((path.clone(), token.clone()), result);
            }
            Request::Write(path, _) | Request::Mkdir(path) => {
                self.nodes.settle(path.clone(), result);
            }
            Request::Unwatch { path, token } if is_gone => {
                self.watches.used.remove(&(path.clone(), token.clone()));
            }
            Request::Rm(path) if is_gone => {
                self.nodes.used.retain(|node, _| !is_at_or_below(node, path));
            }
            _ => {}
        }
    }
}

impl<T: Ord> Share<T> {
    fn take(&mut self, one: T) -> std::result::Result<(), Cause> {
        if self.used.len() >= self.limit && !self.used.contains_key(&one) {
            let Share { what, limit, .. } = self;
            return Err(Cause::Share(format!("{limit} {what} are in use, our whole share")));
        }
        self.used.entry(one).or_insert(false);
        Ok(())
    }

    fn settle(&mut self, one: T, result: &Result<Answer>) {
        let refused = matches!(result, Err(error) if matches!(error.cause(), Cause::Server(_)));
        if result.is_ok() {
            self.used.insert(one, true);
        } else if refused && self.used.get(&one) == Some(&false) {
            self.used.remove(&one);
        }
    }
}

fn is_at_or_below(node: &Text, path: &Text) -> bool {
    match node.as_bytes().strip_prefix(path.as_bytes()) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &str) -> Request {
        Request::Write(Text::from(path), Text::from("1"))
    }

    fn refused(request: &Request) -> Result<Answer> {
        Err(request.failed(Cause::Server(Text::from("EACCES"))))
    }

    #[test]
    fn what_the_server_refused_is_not_counted() {
        let mut budget = Budget::default();
        for number in 0..2 * MAX_NODES {
            let request = write(&format!("foo/{number}"));
            assert_eq!(budget.take(&request), Ok(()));
            budget.settle(&request, &refused(&request));
        }
    }

    #[test]
    fn what_may_have_happened_is_counted_once() {
        let mut budget = Budget::default();
        for number in 0..MAX_NODES {
            let request = write(&format!("data/{number}"));
            for _ in 0..2 {
                assert_eq!(budget.take(&request), Ok(()));
                budget.settle(&request, &Err(request.failed(Cause::TimedOut)));
            }
        }
        assert!(budget.take(&write("data/new")).is_err());
    }

    #[test]
    fn a_node_that_is_there_stays_counted_when_it_cannot_be_written() {
        let mut budget = Budget::default();
        for number in 0..MAX_NODES {
            let request = write(&format!("data/{number}"));
            budget.take(&request).unwrap();
            budget.settle(&request, &Ok(Answer::Done));
            budget.settle(&request, &refused(&request));
        }
        assert!(budget.take(&write("data/new")).is_err());
    }

    #[test]
    fn only_a_watch_that_was_answered_is_there() {
        let watch = Request::Watch { path: "data".into(), token: "a".into() };
        let mut budget = Budget::default();
        budget.take(&watch).unwrap();
        budget.settle(&watch, &Err(watch.failed(Cause::TimedOut)));
        assert!(!budget.has(&watch));
        budget.settle(&watch, &Ok(Answer::Done));
        assert!(budget.has(&watch));
    }

    #[test]
    fn removing_a_node_frees_all_below_it() {
        let mut budget = Budget::default();
        for number in 0..MAX_NODES {
            budget.take(&write(&format!("data/xvdguard/{number}"))).unwrap();
        }
        let remove = |path: &str| Request::Rm(Text::from(path));
        budget.settle(&remove("data/xvd"), &Ok(Answer::Done));
        assert!(budget.take(&write("data/new")).is_err());
        budget.settle(&remove("data/xvdguard"), &Ok(Answer::Done));
        assert_eq!(budget.take(&write("data/new")), Ok(()));
    }
}
