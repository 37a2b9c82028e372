//! Text to piece ids: the most probable cut of the text into pieces (a unigram model, found by dynamic programming).
//!
//! Not here: the pieces' vectors (`pieces`).

use super::normalise::Normaliser;
use super::table::{Meta, Table, TableError, take_text};

pub(super) const UNKNOWN: u32 = 0;
pub(super) const START: u32 = 1;
pub(super) const END: u32 = 2;
/// How much less probable than the rarest piece an unknown character is, as a logarithm.
const UNKNOWN_PENALTY: f64 = 10.0;

/// What is known of a run of bytes.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// upper half of the hash; with `value` 0 the slot is free
    check: u32,
    /// 1: only the beginning of pieces; id + 2: a piece
    value: u32,
}

/// All pieces and all their beginnings, by hash.
struct Prefixes {
    slots: Vec<Slot>,
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, byte: u8) -> u64 {
    let mixed = (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

impl Prefixes {
    fn find(&self, hash: u64) -> (usize, Slot) {
        let mask = self.slots.len() - 1;
        let check = (hash >> 32) as u32;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.value == 0 || slot.check == check {
                return (at, slot);
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, hash: u64, value: u32) {
        let (at, slot) = self.find(hash);
        if slot.value < value {
            self.slots[at] = Slot { check: (hash >> 32) as u32, value };
        }
    }
}

pub struct Tokeniser {
    normaliser: Normaliser,
    pieces: Vec<&'static [u8]>,
    /// logarithm of each piece's probability
    scores: Vec<f32>,
    prefixes: Prefixes,
    unknown_score: f64,
}

impl Tokeniser {
    pub(super) fn read(table: &Table, meta: &Meta) -> Result<Self, TableError> {
        let normaliser = Normaliser::read(table)?;
        let mut rest = table.section("PIEC")?;
        let mut pieces = Vec::with_capacity(meta.pieces);
        while let Some(piece) = take_text(&mut rest) {
            pieces.push(piece);
        }
        let mut scores = Vec::with_capacity(meta.pieces);
        for (level, count) in table.section("LEVL")?.as_chunks().0.iter().enumerate() {
            scores.extend(std::iter::repeat_n(level as f32 / -256.0, usize::from(u16::from_le_bytes(*count))));
        }
        if pieces.len() != meta.pieces {
            return Err(TableError::new("pieces and scores do not match"));
        }
        Self::new(normaliser, pieces, scores, meta.controls)
    }

    /// The first `controls` pieces are marks, which no text holds.
    pub fn new(normaliser: Normaliser, pieces: Vec<&'static [u8]>, scores: Vec<f32>, controls: usize) -> Result<Self, TableError> {
        if scores.len() != pieces.len() || pieces.len() <= controls {
            return Err(TableError::new("pieces and scores do not match"));
        }
        let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
        // More slots than entries, so that a search always ends.
        let mut prefixes = Prefixes { slots: vec![Slot::default(); (bytes + 1).next_power_of_two()] };
        for (id, piece) in pieces.iter().enumerate().skip(controls) {
            let mut hash = SEED;
            for (place, byte) in piece.iter().enumerate() {
                hash = step(hash, *byte);
                let whole = place + 1 == piece.len();
                prefixes.insert(hash, if whole { id as u32 + 2 } else { 1 });
            }
        }
        let least = scores.iter().copied().fold(f32::INFINITY, f32::min);
        Ok(Self { normaliser, pieces, scores, prefixes, unknown_score: f64::from(least) - UNKNOWN_PENALTY })
    }

    pub(super) fn pieces(&self) -> &[&'static [u8]] {
        &self.pieces
    }

    pub(super) fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// The ids of a text, without marks; none for a text of blanks. Linear in the text: pieces have a greatest length.
    pub(super) fn encode(&self, text: &str) -> Vec<u32> {
        let text = self.normaliser.normalise(text);
        let bytes = text.as_bytes();
        let mut best = vec![f64::NEG_INFINITY; bytes.len() + 1];
        let mut back = vec![(0_u32, UNKNOWN); bytes.len() + 1];
        best[0] = 0.0;
        for (start, char) in text.char_indices() {
            let base = best[start];
            let single = start + char.len_utf8();
            let mut consider = |end: usize, score: f64, id: u32| {
                if base + score > best[end] {
                    best[end] = base + score;
                    back[end] = (start as u32, id);
                }
            };
            let mut single_found = false;
            let mut hash = SEED;
            for (length, byte) in bytes[start..].iter().enumerate() {
                hash = step(hash, *byte);
                let value = self.prefixes.find(hash).1.value;
                if value == 0 {
                    break;
                }
                let end = start + length + 1;
                let Some(id) = value.checked_sub(2) else { continue };
                if self.pieces[id as usize] == &bytes[start..end] {
                    consider(end, f64::from(self.scores[id as usize]), id);
                    single_found |= end == single;
                }
            }
            if !single_found {
                consider(single, self.unknown_score, UNKNOWN);
            }
        }
        let mut ids = Vec::new();
        let mut end = bytes.len();
        while end > 0 {
            let (start, id) = back[end];
            ids.push(id);
            end = start as usize;
        }
        ids.reverse();
        ids
    }
}
