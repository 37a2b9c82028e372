//! The text of one answer with the borders of its pieces, shared by its writer and its readers.
//!
//! Not here: who reads, and from where.

use super::StreamEvent;
use crate::domain::SearchResult;
use crate::limits;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

pub(super) struct Log {
    state: Mutex<State>,
    /// Counts changes; a reader that waits for the next count misses none.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    references: Option<Arc<Vec<SearchResult>>>,
    text: String,
    /// Where each piece ends in `text`.
    ends: Vec<u32>,
    last: Option<(String, Instant)>,
}

/// How far a reader has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    pub(super) has_references: bool,
    pub(super) pieces: usize,
    pub(super) is_done: bool,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), changes: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn set_references(&self, references: Arc<Vec<SearchResult>>) {
        self.state().references = Some(references);
        self.changed();
    }

    /// False when the answer is full or has ended: the piece is not taken.
    pub(super) fn append(&self, piece: &str) -> bool {
        {
            let mut state = self.state();
            let end = state.text.len() + piece.len();
            let (true, Ok(border)) = (end <= limits::ANSWER_BYTES_MAX && state.ends.len() < limits::ANSWER_PIECES_MAX, u32::try_from(end))
            else {
                return false;
            };
            if state.last.is_some() {
                return false;
            }
            state.text.push_str(piece);
            state.ends.push(border);
        }
        self.changed();
        true
    }

    /// The first end counts.
    pub(super) fn finish(&self, last: &str) {
        self.state().last.get_or_insert_with(|| (last.to_owned(), Instant::now()));
        self.changed();
    }

    pub(super) fn is_finished(&self) -> bool {
        self.state().last.is_some()
    }

    pub(super) fn finished_at(&self) -> Option<Instant> {
        self.state().last.as_ref().map(|(_, at)| *at)
    }

    pub(super) fn text(&self) -> String {
        let state = self.state();
        match &state.last {
            Some((last, _)) if !last.is_empty() => format!("{}{last}", state.text),
            Some(_) | None => state.text.clone(),
        }
    }

    /// The event after `cursor`, which moves on. With `joined` all pieces that are there come as one, and none comes empty.
    pub(super) fn next(&self, cursor: &mut Cursor, joined: bool) -> Option<StreamEvent> {
        let state = self.state();
        if !cursor.has_references
            && let Some(references) = &state.references
        {
            cursor.has_references = true;
            return Some(StreamEvent::References(Arc::clone(references)));
        }
        while cursor.pieces < state.ends.len() {
            let from = cursor.pieces.checked_sub(1).and_then(|before| state.ends.get(before)).map_or(0, |end| *end as usize);
            let take = if joined { state.ends.len() } else { cursor.pieces + 1 };
            let to = state.ends.get(take - 1).map_or(from, |end| *end as usize);
            cursor.pieces = take;
            let piece = state.text.get(from..to).unwrap_or_default();
            if !joined || !piece.is_empty() {
                return Some(StreamEvent::Answer(piece.to_owned()));
            }
        }
        match &state.last {
            Some((last, _)) if !cursor.is_done => {
                cursor.is_done = true;
                Some(StreamEvent::Done(last.clone()))
            }
            Some(_) | None => None,
        }
    }
}
