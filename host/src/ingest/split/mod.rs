//! Cuts a text into chunks, exactly as the contract's splitter does.
//!
//! Not here: reading files, and what becomes of the chunks. Sizes and positions count code points.

mod header;
mod merge;
mod pieces;
mod protect;
#[cfg(test)]
mod tests;

use crate::domain::ChunkingConfig;
use crate::error::{Error, Result};
use crate::limits::{CHUNK_SIZE_MAX, CHUNKS_PER_KNOWLEDGE_MAX};

pub const DEFAULT_SIZE: usize = 512;
pub const DEFAULT_OVERLAP: usize = 50;
pub const DEFAULT_SEPARATORS: [&str; 3] = ["\n\n", "\n", "。"];

/// A piece of a text. `content` is the text from `start` to `end`, with the header of its table in front where a table was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub content: String,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splitter {
    size: usize,
    overlap: usize,
    separators: Vec<String>,
}

impl Splitter {
    /// A size of 0 means that nothing was set: then size and overlap are the defaults. An overlap of 0 beside a size means none.
    pub fn new(config: &ChunkingConfig) -> Result<Self> {
        let invalid = |message: String| Error::Validation { message, details: Some("chunking_config".into()) };
        if !(0..=CHUNK_SIZE_MAX).contains(&config.chunk_size) || config.chunk_overlap < 0 {
            return Err(invalid(format!(
                "A chunk size of {} with an overlap of {} is not possible.",
                config.chunk_size, config.chunk_overlap
            )));
        }
        let unset = config.chunk_size == 0;
        let size = if unset { DEFAULT_SIZE } else { usize::try_from(config.chunk_size).unwrap_or(DEFAULT_SIZE) };
        let overlap = match usize::try_from(config.chunk_overlap) {
            Ok(0) if unset => DEFAULT_OVERLAP,
            Ok(overlap) => overlap,
            Err(_) => DEFAULT_OVERLAP,
        };
        if overlap > size {
            return Err(invalid(format!("Got a larger chunk overlap ({overlap}) than chunk size ({size}), should be smaller.")));
        }
        let separators = match &config.separators {
            Some(list) if !list.is_empty() => list.clone(),
            Some(_) | None => DEFAULT_SEPARATORS.map(str::to_owned).to_vec(),
        };
        if separators.iter().any(String::is_empty) {
            return Err(invalid("empty separator".into()));
        }
        Ok(Self { size, overlap, separators })
    }

    /// Cuts `text`. Every code point lies in a piece; pieces may be blank.
    pub fn split(&self, text: &str) -> Vec<Piece> {
        let mut merger = merge::Merger::new(text, self.size, self.overlap);
        let mut joiner = protect::Joiner::new(protect::ranges(text, self.size));
        pieces::split(text, self.size, &self.separators, &mut |start, end| {
            joiner.add(start, end, &mut |start, end| merger.add(start, end))
        });
        merger.finish()
    }

    /// Cuts a text that is a list of records: each is a piece, and those longer than the size are cut like a text.
    pub fn split_records<'a>(&self, records: impl Iterator<Item = &'a str>) -> Vec<Piece> {
        let mut out = Vec::new();
        let mut position = 0;
        for record in records {
            let length = record.chars().count();
            if length <= self.size {
                out.push(Piece { content: record.to_owned(), start: position, end: position + length });
            } else {
                out.extend(self.split(record).into_iter().map(|piece| Piece {
                    start: piece.start + position,
                    end: piece.end + position,
                    ..piece
                }));
            }
            position += length;
        }
        out
    }
}

/// More chunks than this are refused, where the reference cuts them off in silence.
pub fn check_count(pieces: usize) -> Result<()> {
    if pieces > CHUNKS_PER_KNOWLEDGE_MAX {
        return Err(Error::TooLarge(format!(
            "The document gives {pieces} chunks, more than the {CHUNKS_PER_KNOWLEDGE_MAX} that one document may have; a larger chunk size or several files help."
        )));
    }
    Ok(())
}
