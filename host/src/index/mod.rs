//! The built-in retriever and the follower that feeds it.
//!
//! Not here: which plugin embeds or tokenizes.

mod embedded;
pub mod normalise;
mod stem;

pub use embedded::{EmbeddedIndex, IndexKey};
