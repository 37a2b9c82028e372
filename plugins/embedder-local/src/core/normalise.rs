//! Text as the model was trained on it: compatibility forms replaced, blanks joined, each word led by the blank mark.
//!
//! Not here: cutting into pieces (`tokenise`).

use super::table::{Table, TableError, take_text};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What stands for a blank inside pieces, U+2581.
pub(super) const BLANK_MARK: &str = "\u{2581}";

/// A hasher without a seed: a plugin has no random numbers, and the keys are our own.
#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// The replacement rules of the model, longest first at each place.
pub(super) struct Normaliser {
    rules: Map<&'static [u8], &'static str>,
    /// length of the longest rule that begins with this character
    longest: Map<char, usize>,
    /// ASCII characters that have a rule of their own
    ascii: [bool; 128],
}

impl Normaliser {
    pub(super) fn read(table: &Table) -> Result<Self, TableError> {
        let mut rest = table.section("NORM")?;
        let mut this = Self { rules: Map::default(), longest: Map::default(), ascii: [false; 128] };
        let damaged = || TableError::new("section NORM holds no texts");
        while !rest.is_empty() {
            let from = take_text(&mut rest).ok_or_else(damaged)?;
            let to = take_text(&mut rest).and_then(|to| std::str::from_utf8(to).ok()).ok_or_else(damaged)?;
            let first = std::str::from_utf8(from).ok().and_then(|from| from.chars().next()).ok_or_else(damaged)?;
            let longest = this.longest.entry(first).or_default();
            *longest = from.len().max(*longest);
            if let [byte @ 0..128] = from {
                this.ascii[usize::from(*byte)] = true;
            }
            this.rules.insert(from, to);
        }
        Ok(this)
    }

    /// The normalised text; empty when nothing but blanks is left.
    pub(super) fn normalise(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + text.len() / 4 + 8);
        let mut after_blank = true;
        let mut push = |piece: &str| {
            for char in piece.chars() {
                if char == ' ' {
                    after_blank = true;
                    continue;
                }
                if after_blank {
                    out.push_str(BLANK_MARK);
                    after_blank = false;
                }
                out.push(char);
            }
        };
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            let end = at + first.len_utf8();
            let alone = first.is_ascii() && !self.ascii[first as usize] && bytes.get(end).is_none_or(u8::is_ascii);
            match if alone { None } else { self.rule(bytes, at, first) } {
                Some((length, to)) => {
                    push(to);
                    at += length;
                }
                None => {
                    push(&text[at..end]);
                    at = end;
                }
            }
        }
        out
    }

    /// The longest rule at a place, with its length. Rules are whole characters, so that the rest is text again.
    fn rule(&self, bytes: &[u8], at: usize, first: char) -> Option<(usize, &'static str)> {
        let longest = (*self.longest.get(&first)?).min(bytes.len() - at);
        (first.len_utf8()..=longest).rev().find_map(|length| Some((length, *self.rules.get(&bytes[at..at + length])?)))
    }
}
