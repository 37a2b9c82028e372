//! `sp.model`: the pieces of the vocabulary, their probabilities, and the rules for normalising text.
//!
//! Not here: cutting text into pieces (`embedder-core`).

use embedder_core::{Normaliser, TableError, Tokeniser};

/// The first ids are marks.
const CONTROLS: usize = 6;

/// Number and value of a field.
enum Value<'a> {
    Number,
    Bytes(&'a [u8]),
}

/// Takes one field off the front of a protobuf message.
fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = varint(rest)?;
    let length = match key & 7 {
        0 => {
            varint(rest)?;
            return Some((key >> 3, Value::Number));
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((key >> 3, Value::Bytes(value)))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The bytes of the field `number` of a message.
fn bytes_of(mut message: &[u8], number: u64) -> Option<&[u8]> {
    while !message.is_empty() {
        if let (found, Value::Bytes(bytes)) = field(&mut message)?
            && found == number
        {
            return Some(bytes);
        }
    }
    None
}

/// The text stays in memory for good: pieces are slices of it.
pub(crate) fn tokeniser(model: Vec<u8>, pieces_count: usize) -> Result<Tokeniser, TableError> {
    let damaged = |what: &str| TableError::new(format!("sp.model {what}"));
    // Only what is needed is kept: the file itself is twice as large.
    let (mut texts, mut ends, mut scores, mut charsmap) = (Vec::new(), Vec::new(), Vec::new(), None);
    let mut rest = model.as_slice();
    while !rest.is_empty() {
        match field(&mut rest).ok_or_else(|| damaged("is cut"))? {
            (1, Value::Bytes(piece)) => {
                let text = bytes_of(piece, 1).filter(|text| !text.is_empty()).ok_or_else(|| damaged("has a piece without text"))?;
                texts.extend_from_slice(text);
                ends.push(texts.len());
                let score = bytes_of(piece, 2).and_then(|four| four.try_into().ok());
                scores.push(score.map_or(0.0, f32::from_le_bytes));
            }
            // This model is older than the numbering that SentencePiece has now.
            (3, Value::Bytes(rules)) => charsmap = bytes_of(rules, 2),
            (_, Value::Bytes(_) | Value::Number) => {}
        }
    }
    if scores.len() != pieces_count {
        return Err(damaged("has another number of pieces than this plugin knows"));
    }
    let charsmap = charsmap.ok_or_else(|| damaged("has no rules for normalising text"))?;
    let normaliser = Normaliser::from_charsmap(charsmap.to_vec().leak())?;
    let texts: &'static [u8] = texts.leak();
    let mut start = 0;
    let pieces = ends.into_iter().map(|end| &texts[std::mem::replace(&mut start, end)..end]).collect();
    Tokeniser::new(normaliser, pieces, scores, CONTROLS)
}
