//! Parsing in a child process, so that a file that breaks a reader breaks nothing else.
//!
//! Not here: the readers themselves (`knowhost_parse`), and what a failure does to the document (`ingest::pipeline`).

mod child;
mod faults;
mod protocol;
mod worker;

#[cfg(test)]
pub(crate) use child::tests as testing;
pub use child::{ParseChild, ParseChildLimits};
pub use worker::worker_main;
