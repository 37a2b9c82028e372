//! From a document to chunks, vectors and index changes. Not here: HTTP requests.

pub mod parse;
pub mod split;
