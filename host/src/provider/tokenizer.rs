//! Splits texts into words for keyword search.

use super::{BoxFuture, PluginIdentity, ProviderResult};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenizeMode {
    /// What a chunk can be found by: long words and the shorter words inside them.
    Index,
    /// What a query looks for.
    Query,
}

/// A word as a byte range of its text, on character borders (checked).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

pub trait Tokenizer: Send + Sync {
    /// The words of each text, in order of their start.
    fn tokenize<'a>(&'a self, texts: &'a [String], mode: TokenizeMode) -> BoxFuture<'a, ProviderResult<Vec<Vec<Span>>>>;

    fn plugin(&self) -> &PluginIdentity;
}
