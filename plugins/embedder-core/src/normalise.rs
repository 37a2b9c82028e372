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
pub struct Normaliser {
    rules: Rules,
    /// ASCII characters that have a rule of their own
    ascii: [bool; 128],
}

enum Rules {
    Listed {
        rules: Map<&'static [u8], &'static str>,
        /// length of the longest rule that begins with this character
        longest: Map<char, usize>,
    },
    /// All rules as SentencePiece keeps them: a double array of bytes, and the replacements, each ended by 0.
    Charsmap { units: Vec<u32>, texts: &'static str },
}

impl Normaliser {
    pub(super) fn read(table: &Table) -> Result<Self, TableError> {
        let mut rest = table.section("NORM")?;
        let (mut rules, mut longest) = (Map::default(), Map::default());
        let mut ascii = [false; 128];
        let damaged = || TableError::new("section NORM holds no texts");
        while !rest.is_empty() {
            let from = take_text(&mut rest).ok_or_else(damaged)?;
            let to = take_text(&mut rest).and_then(|to| std::str::from_utf8(to).ok()).ok_or_else(damaged)?;
            let first = std::str::from_utf8(from).ok().and_then(|from| from.chars().next()).ok_or_else(damaged)?;
            let length: &mut usize = longest.entry(first).or_default();
            *length = from.len().max(*length);
            if let [byte @ 0..128] = from {
                ascii[usize::from(*byte)] = true;
            }
            rules.insert(from, to);
        }
        Ok(Self { rules: Rules::Listed { rules, longest }, ascii })
    }

    /// The rules of a `precompiled_charsmap`.
    pub fn from_charsmap(charsmap: &'static [u8]) -> Result<Self, TableError> {
        let damaged = || TableError::new("its rules for normalising text can not be read");
        let (size, rest) = charsmap.split_first_chunk().ok_or_else(damaged)?;
        let (units, texts) = rest.split_at_checked(u32::from_le_bytes(*size) as usize).ok_or_else(damaged)?;
        let units: Vec<u32> = units.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
        let texts = std::str::from_utf8(texts).map_err(|_| damaged())?;
        let rules = Rules::Charsmap { units, texts };
        let ascii = std::array::from_fn(|byte| rules.longest_at(&[byte as u8], byte as u8 as char).is_some());
        Ok(Self { rules, ascii })
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
            match if alone { None } else { self.rules.longest_at(&bytes[at..], first) } {
                Some((length, to)) if text.is_char_boundary(at + length) => {
                    push(to);
                    at += length;
                }
                Some(_) | None => {
                    push(&text[at..end]);
                    at = end;
                }
            }
        }
        out
    }
}

impl Rules {
    /// The longest rule that these bytes begin with, and its length. Rules are whole characters, so that the rest is text again.
    fn longest_at(&self, bytes: &[u8], first: char) -> Option<(usize, &'static str)> {
        match self {
            Self::Listed { rules, longest } => {
                let longest = (*longest.get(&first)?).min(bytes.len());
                (first.len_utf8()..=longest).rev().find_map(|length| Some((length, *rules.get(&bytes[..length])?)))
            }
            Self::Charsmap { units, texts } => {
                let (mut node, mut found) = (child(*units.first()?), None);
                // The byte 0 marks ends inside the array.
                for (at, byte) in bytes.iter().enumerate().take_while(|(_, byte)| **byte != 0) {
                    let place = node ^ usize::from(*byte);
                    let Some(unit) = units.get(place).filter(|unit| **unit & 0x8000_00ff == u32::from(*byte)) else { break };
                    node = place ^ child(*unit);
                    if unit & 0x100 != 0 {
                        let start = (units.get(node)? & 0x7fff_ffff) as usize;
                        found = texts.get(start..).and_then(|text| text.split('\0').next()).map(|text| (at + 1, text));
                    }
                }
                found
            }
        }
    }
}

/// Where the children of a unit lie, to be combined with its place.
fn child(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 0x200) >> 6)) as usize
}
