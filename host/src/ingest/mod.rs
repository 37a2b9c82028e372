//! From a document to chunks, vectors and index changes.
//!
//! Not here: HTTP requests, and the request half of an upload (`library::knowledge`).

mod chunks;
mod copy;
mod embed;
mod fetch;
pub mod parse;
mod passages;
mod pipeline;
mod purge;
pub mod split;
mod summary;

pub use pipeline::{Ingest, IngestParts};
pub use purge::Purge;

#[cfg(test)]
mod tests;
