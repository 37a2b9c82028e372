//! The writing end of an answer.
//!
//! Not here: limits on how long an answer may take.

use super::log::Log;
use crate::domain::SearchResult;
use std::sync::Arc;

/// Never waits for a reader. Dropped without an end, it ends the answer.
pub struct StreamWriter {
    log: Arc<Log>,
}

impl StreamWriter {
    pub(super) fn new(log: Arc<Log>) -> Self {
        Self { log }
    }

    /// Before the first piece, if there are any.
    pub fn references(&self, references: Arc<Vec<SearchResult>>) {
        self.log.set_references(references);
    }

    /// False when no more is taken: the answer is as long as it may be.
    #[must_use]
    pub fn answer(&self, piece: &str) -> bool {
        self.log.append(piece)
    }

    /// `last` is the fallback text, or empty.
    pub fn finish(&self, last: &str) {
        self.log.finish(last);
    }

    /// All of the answer so far.
    pub fn text(&self) -> String {
        self.log.text()
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        self.log.finish("");
    }
}
