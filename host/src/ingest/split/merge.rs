//! Step three: put units together to pieces of the wanted size, with overlap, and repeat the header of a table that is cut.
//!
//! Not here: making the units.

use super::Piece;
use super::header::HeaderTracker;
use std::collections::VecDeque;

/// A part of the piece that is being filled: a unit, or a repeated header, which covers no text of its own.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    chars: usize,
    start: usize,
    end: usize,
}

pub(super) struct Merger<'a> {
    text: &'a str,
    size: usize,
    overlap: usize,
    tracker: HeaderTracker<'a>,
    current: VecDeque<Part<'a>>,
    current_chars: usize,
    position: usize,
    done: Vec<Piece>,
}

impl<'a> Merger<'a> {
    pub(super) fn new(text: &'a str, size: usize, overlap: usize) -> Self {
        let (current, done) = (VecDeque::new(), Vec::new());
        Self { text, size, overlap, tracker: HeaderTracker::default(), current, current_chars: 0, position: 0, done }
    }

    /// Takes the unit of bytes `start..end`.
    pub(super) fn add(&mut self, start: usize, end: usize) {
        let text = self.text;
        let unit = &text[start..end];
        let chars = unit.chars().count();
        self.tracker.update(unit);
        let header = self.tracker.header().map(|text| (text, text.chars().count())).filter(|(_, chars)| *chars <= self.size);
        let header_chars = header.map_or(0, |(_, chars)| chars);
        if self.current_chars + chars + header_chars > self.size {
            self.emit();
            while !self.current.is_empty() && (self.current_chars > self.overlap || self.current_chars + chars + header_chars > self.size) {
                if let Some(dropped) = self.current.pop_front() {
                    self.current_chars -= dropped.chars;
                }
            }
            if let Some((header, header_chars)) = header
                && chars + header_chars < self.size
                && !unit.contains(header)
                // The header may still stand in the overlap; once is enough.
                && !self.current.iter().any(|part| part.text.contains(header))
            {
                let (start, end) = self.current.front().map_or((self.position, self.position + chars), |part| (part.start, part.end));
                self.current.push_front(Part { text: header, chars: header_chars, start, end });
                self.current_chars += header_chars;
            }
        }
        self.current.push_back(Part { text: unit, chars, start: self.position, end: self.position + chars });
        self.current_chars += chars;
        self.position += chars;
    }

    pub(super) fn finish(mut self) -> Vec<Piece> {
        self.emit();
        self.done
    }

    fn emit(&mut self) {
        if let (Some(first), Some(last)) = (self.current.front(), self.current.back()) {
            let content = self.current.iter().map(|part| part.text).collect();
            self.done.push(Piece { content, start: first.start, end: last.end });
        }
    }
}
