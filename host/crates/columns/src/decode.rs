//! The ways in which a page writes numbers and texts.
//!
//! Not here: pages, nulls and dictionaries (`page`).

use crate::thrift::Cursor;
use crate::{Result, damaged};

/// Whole numbers of 4 or 8 bytes, one after the other.
pub(crate) fn plain_numbers(bytes: &[u8], width: usize, count: usize) -> Result<Vec<i64>> {
    let bytes = bytes.get(..count.checked_mul(width).ok_or_else(damaged)?).ok_or_else(damaged)?;
    Ok(bytes.chunks_exact(width).map(little_endian).collect())
}

/// At most 8 bytes; 4 bytes carry their sign.
fn little_endian(bytes: &[u8]) -> i64 {
    match <[u8; 4]>::try_from(bytes) {
        Ok(four) => i64::from(i32::from_le_bytes(four)),
        Err(_) => bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)) as i64,
    }
}

/// Texts behind their lengths.
pub(crate) fn plain_texts(bytes: &[u8], count: usize) -> Result<Vec<&[u8]>> {
    let mut cursor = Cursor::new(bytes);
    let mut texts = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(little_endian(cursor.take(4)?)).map_err(|_| damaged())?;
        texts.push(cursor.take(length)?);
    }
    Ok(texts)
}

/// Runs of one number and packed groups of eight, mixed: levels and places in a dictionary.
pub(crate) fn hybrid(bytes: &[u8], width: u32, count: usize) -> Result<Vec<u64>> {
    if width > 32 {
        return Err(damaged());
    }
    let mut cursor = Cursor::new(bytes);
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let left = count - numbers.len();
        let head = cursor.count()?;
        if head & 1 == 1 {
            let whole = (head >> 1).checked_mul(width as usize).ok_or_else(damaged)?;
            // Some writers cut off the bytes behind the last number.
            let packed = cursor.take(whole.min(cursor.rest().len()))?;
            unpack(packed, width, left.min((head >> 1).saturating_mul(8)), &mut numbers)?;
        } else {
            let value = little_unsigned(cursor.take(width.div_ceil(8) as usize)?);
            if head == 0 {
                return Err(damaged());
            }
            numbers.extend(std::iter::repeat_n(value, left.min(head >> 1)));
        }
    }
    Ok(numbers)
}

fn little_unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// `count` numbers of `width` bits each (0 to 64), the lowest bits first.
fn unpack(bytes: &[u8], width: u32, count: usize, numbers: &mut Vec<u64>) -> Result<()> {
    let bits = count.checked_mul(width as usize).ok_or_else(damaged)?;
    if bytes.len() < bits.div_ceil(8) {
        return Err(damaged());
    }
    let mask = if width == 64 { u128::from(u64::MAX) } else { (1_u128 << width) - 1 };
    let (mut held, mut held_bits, mut bytes) = (0_u128, 0, bytes.iter());
    for _ in 0..count {
        while held_bits < width {
            held |= u128::from(*bytes.next().ok_or_else(damaged)?) << held_bits;
            held_bits += 8;
        }
        numbers.push((held & mask) as u64);
        held >>= width;
        held_bits -= width;
    }
    Ok(())
}

/// Differences packed in blocks; leaves the cursor behind them.
pub(crate) fn delta_numbers(cursor: &mut Cursor<'_>, count_max: usize) -> Result<Vec<i64>> {
    let (block, parts, count) = (cursor.count()?, cursor.count()?, cursor.count()?);
    let mut last = cursor.zigzag()?;
    let is_sound = count <= count_max && parts > 0 && block.is_multiple_of(parts) && (1..=1 << 20).contains(&block);
    let part = if is_sound { block / parts } else { return Err(damaged()) };
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut numbers = vec![last];
    while numbers.len() < count {
        let least = cursor.zigzag()?;
        let widths = cursor.take(parts)?;
        for width in widths.iter().map(|width| u32::from(*width)) {
            // Parts behind the last number are not written.
            let wanted = (count - numbers.len()).min(part);
            if wanted == 0 {
                break;
            }
            if width > 64 {
                return Err(damaged());
            }
            let whole = (part * width as usize).div_ceil(8);
            let packed = cursor.take(whole.min(cursor.rest().len()))?;
            let mut differences = Vec::new();
            unpack(packed, width, wanted, &mut differences)?;
            for difference in differences {
                last = last.wrapping_add(least).wrapping_add(difference as i64);
                numbers.push(last);
            }
        }
    }
    Ok(numbers)
}

fn delta_counts(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<usize>> {
    let numbers = delta_numbers(cursor, count)?;
    if numbers.len() != count {
        return Err(damaged());
    }
    numbers.into_iter().map(|number| usize::try_from(number).map_err(|_| damaged())).collect()
}

/// All lengths, then all texts.
pub(crate) fn delta_length_texts<'a>(cursor: &mut Cursor<'a>, count: usize) -> Result<Vec<&'a [u8]>> {
    delta_counts(cursor, count)?.into_iter().map(|length| cursor.take(length)).collect()
}

/// Each text as the part that it shares with the one before it, and the rest. `bytes_max` bounds what all come to.
pub(crate) fn delta_texts(cursor: &mut Cursor<'_>, count: usize, bytes_max: usize) -> Result<Vec<Vec<u8>>> {
    let shared = delta_counts(cursor, count)?;
    let rests = delta_length_texts(cursor, count)?;
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut size = 0_usize;
    for (shared, rest) in shared.into_iter().zip(rests) {
        let before = texts.last().map_or(&[][..], Vec::as_slice);
        let mut text = before.get(..shared).ok_or_else(damaged)?.to_vec();
        text.extend_from_slice(rest);
        size = size.saturating_add(text.len());
        if size > bytes_max {
            return Err(damaged());
        }
        texts.push(text);
    }
    Ok(texts)
}
