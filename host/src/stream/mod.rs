//! Answers under way: one writer each, any number of readers who may come late and read slowly.
//!
//! Not here: how an answer is made or framed. Nothing is stored: what lasts is in the message's row.

mod log;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::StreamReader;
pub use writer::StreamWriter;

use crate::domain::SearchResult;
use crate::error::{Error, Result};
use crate::limits;
use log::Log;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a reader gets. `Done` comes exactly once, last.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    References(Arc<Vec<SearchResult>>),
    /// A piece of the answer; the sum of all pieces is the answer.
    Answer(String),
    /// The end, with the fallback text if that is the whole answer.
    Done(String),
}

/// Names an answer: its session and its message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey {
    pub session_id: String,
    pub message_id: String,
}

/// All answers under way in this process. Clones share them.
#[derive(Clone, Default)]
pub struct Streams {
    entries: Arc<Mutex<HashMap<StreamKey, Entry>>>,
}

#[derive(Clone)]
struct Entry {
    log: Arc<Log>,
    request_id: String,
    cancel: CancellationToken,
}

impl Streams {
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the answer for its one writer. `cancel` is what [`Streams::stop`] pulls.
    pub fn register(&self, key: StreamKey, request_id: &str, cancel: CancellationToken) -> Result<StreamWriter> {
        let mut entries = self.entries();
        sweep(&mut entries, Instant::now());
        if entries.len() >= limits::STREAMS_MAX {
            drop_oldest_finished(&mut entries);
        }
        if entries.len() >= limits::STREAMS_MAX {
            return Err(Error::Unavailable { reason: format!("{} answers are under way; try again", limits::STREAMS_MAX) });
        }
        let log = Arc::new(Log::new());
        entries.insert(key, Entry { log: Arc::clone(&log), request_id: request_id.to_owned(), cancel });
        Ok(StreamWriter::new(log))
    }

    /// The answer from its first event on, every piece as it was written.
    pub fn read(&self, key: &StreamKey) -> Option<StreamReader> {
        self.find(key).map(|entry| StreamReader::new(entry.log, entry.request_id, false))
    }

    /// For who comes later: what was written so far in one piece, then the pieces as they come. Known until 30 s after the end.
    pub fn follow(&self, key: &StreamKey) -> Option<StreamReader> {
        self.find(key).map(|entry| StreamReader::new(entry.log, entry.request_id, true))
    }

    fn find(&self, key: &StreamKey) -> Option<Entry> {
        let mut entries = self.entries();
        sweep(&mut entries, Instant::now());
        entries.get(key).cloned()
    }

    /// Cancels what runs in a session, or one message of it; tells how many answers were told to stop.
    pub fn stop(&self, session_id: &str, message_id: Option<&str>) -> usize {
        let entries = self.entries();
        let named = entries.iter().filter(|(key, entry)| {
            key.session_id == session_id && message_id.is_none_or(|id| key.message_id == id) && !entry.log.is_finished()
        });
        named.map(|(_, entry)| entry.cancel.cancel()).count()
    }

    /// Cancels everything, for the shutdown.
    pub fn stop_all(&self) {
        for entry in self.entries().values() {
            entry.cancel.cancel();
        }
    }

    /// Answers that have not ended.
    pub fn open_count(&self) -> usize {
        self.entries().values().filter(|entry| !entry.log.is_finished()).count()
    }

    /// Forgets what ended long enough ago; every other call does it too, so an idle server need not.
    pub fn sweep(&self) {
        sweep(&mut self.entries(), Instant::now());
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<StreamKey, Entry>> {
        // The map is whole between any two statements, so a panic of another thread leaves nothing half done.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sweep(entries: &mut HashMap<StreamKey, Entry>, now: Instant) {
    let is_kept = |finished: Option<Instant>| finished.is_none_or(|at| now.saturating_duration_since(at) < limits::STREAM_KEPT);
    entries.retain(|_, entry| is_kept(entry.log.finished_at()));
}

fn drop_oldest_finished(entries: &mut HashMap<StreamKey, Entry>) {
    let finished = entries.iter().filter_map(|(key, entry)| Some((entry.log.finished_at()?, key)));
    if let Some(key) = finished.min_by_key(|(at, _)| *at).map(|(_, key)| key.clone()) {
        entries.remove(&key);
    }
}
