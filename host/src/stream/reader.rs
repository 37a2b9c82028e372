//! The reading end of an answer.
//!
//! Not here: a buffer. A reader only remembers how far it has come, so a slow one costs nobody anything.

use super::StreamEvent;
use super::log::{Cursor, Log};
use futures_util::stream::{self, Stream};
use std::sync::Arc;
use tokio::sync::watch;

pub struct StreamReader {
    log: Arc<Log>,
    changes: watch::Receiver<u64>,
    cursor: Cursor,
    request_id: String,
    joined: bool,
}

impl StreamReader {
    pub(super) fn new(log: Arc<Log>, request_id: String, joined: bool) -> Self {
        let changes = log.changes();
        Self { log, changes, cursor: Cursor::default(), request_id, joined }
    }

    /// Of the question, not of the reader.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Whether the answer has ended, read or not.
    pub fn is_finished(&self) -> bool {
        self.log.is_finished()
    }

    /// The next event; `None` after [`StreamEvent::Done`].
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            self.changes.mark_unchanged();
            if let Some(event) = self.log.next(&mut self.cursor, self.joined) {
                return Some(event);
            }
            if self.cursor.is_done || self.changes.changed().await.is_err() {
                return None;
            }
        }
    }

    pub fn into_stream(self) -> impl Stream<Item = StreamEvent> + Send + 'static {
        stream::unfold(self, |mut reader| async move { reader.next().await.map(|event| (event, reader)) })
    }
}
