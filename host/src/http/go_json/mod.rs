//! JSON as the contract's clients know it: lenient on input, with the reference's error texts, and escaped for HTML on output.
//!
//! Not here: where a text goes in an answer (`extract`, the handlers) and what a request means.

mod bind;
mod names;
mod rules;
mod scan;
mod unread;
mod write;

pub use bind::{from_slice, from_text};
pub use rules::{Bind, BindError, Rules, Unused};
pub(crate) use unread::{Time, Unread};
pub(crate) use write::to_vec;
