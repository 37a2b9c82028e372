//! The built-in retriever and the follower that feeds it.
//!
//! Not here: which plugin embeds or tokenizes.

mod embedded;
mod feed;
mod follower;
pub mod normalise;
mod rebuild;
mod stem;
#[cfg(test)]
mod tests;
mod verify;

pub use embedded::{EmbeddedIndex, IndexKey};
pub use follower::{Follower, FollowerState, FollowerStatus};
pub use verify::Verification;
