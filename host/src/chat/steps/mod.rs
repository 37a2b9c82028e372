//! The steps of the pipeline that call somebody: each with its own input and output.
//!
//! Not here: their order (`pipeline`) and what is pure (`text`).

mod collect;
mod find;
mod generate;
mod history;
mod rerank;
mod retrieve;
mod rewrite;

pub(super) use collect::{collect, gather};
pub(super) use find::{Finding, find};
pub(super) use generate::{Answered, generate, open};
pub(super) use history::history;
pub(super) use rerank::{Ranking, rerank};
use retrieve::retrieve;
pub(super) use rewrite::{Searched, rewrite};
