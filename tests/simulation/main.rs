//! The decisions of the daemon in thousands of guests, each made from a number: storage that
//! fails in every way, kernels of every era, children that hang, people who come in between, a
//! daemon that is killed.
//!
//! A seed that fails prints itself, and `XVDGUARD_SEED=N` with `one_seed_can_be_stepped_through`
//! prints its turns; with `XVDGUARD_RECORDING=FILE` it is recorded for `xvdguard replay`. `make
//! soak` plays more of them.

#[cfg(test)]
mod bugs;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod invariants;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod perform;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod run;
#[cfg(test)]
mod script;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod strike;
#[cfg(test)]
mod view;
#[cfg(test)]
mod worlds;
