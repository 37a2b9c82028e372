//! The pages of one column in one row group: unpacked, decoded, with nulls in their places.
//!
//! Not here: where the pages are (`file`).

use crate::thrift::{Cursor, Value};
use crate::{Column, Limits, ReadError, Result, damaged, decode, fail};
use std::borrow::Cow;

/// Physical types of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int32,
    /// 32 bits without a sign.
    Uint32,
    Int64,
    Text,
}

/// What is known of the column before its pages.
#[derive(Clone, Debug)]
pub(crate) struct ColumnHead {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) has_nulls: bool,
}

/// Values without nulls.
#[derive(Clone, Debug)]
enum Values {
    Numbers(Vec<i64>),
    Texts(Vec<String>),
}

/// What may still be read of the whole file.
pub(crate) struct Budget {
    unpacked_bytes: usize,
    texts_bytes: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { unpacked_bytes: limits.unpacked_bytes_max, texts_bytes: limits.texts_bytes_max }
    }

    fn spend(left: &mut usize, bytes: usize, what: &str) -> Result<()> {
        *left = left.checked_sub(bytes).ok_or_else(|| ReadError(format!("{what} more bytes than are read")))?;
        Ok(())
    }
}

/// Appends the values of one chunk of pages to `column`.
pub(crate) fn read_chunk(
    head: &ColumnHead,
    codec: i64,
    pages: &[u8],
    values_count: usize,
    budget: &mut Budget,
    column: &mut Column,
) -> Result<()> {
    let mut cursor = Cursor::new(pages);
    let mut dictionary = None;
    let mut left = values_count;
    while left > 0 {
        let page = cursor.tree()?;
        let (unpacked, packed) = (page.count(2)?, page.count(3)?);
        let bytes = cursor.take(packed)?;
        Budget::spend(&mut budget.unpacked_bytes, unpacked, "unpacked it has")?;
        match page.int(1) {
            Some(0) => {
                let about = page.field(5).ok_or_else(damaged)?;
                let bytes = unpack(codec, bytes, unpacked)?;
                left =
                    left.checked_sub(read_page_v1(head, about, &bytes, left, dictionary.as_ref(), budget, column)?).ok_or_else(damaged)?;
            }
            Some(2) => {
                let about = page.field(7).ok_or_else(damaged)?;
                let bytes = unpack(codec, bytes, unpacked)?;
                // A dictionary has no more entries than the column has values.
                let count = Some(about.count(1)?).filter(|count| *count <= values_count).ok_or_else(damaged)?;
                dictionary = Some(decode_values(head, 0, &bytes, count, None, budget)?);
            }
            Some(3) => {
                let about = page.field(8).ok_or_else(damaged)?;
                left = left
                    .checked_sub(read_page_v2(head, codec, about, bytes, unpacked, left, dictionary.as_ref(), budget, column)?)
                    .ok_or_else(damaged)?;
            }
            // Pages of other kinds, such as an index, hold no values.
            Some(_) => {}
            None => return Err(damaged()),
        }
    }
    Ok(())
}

fn unpack(codec: i64, bytes: &[u8], unpacked: usize) -> Result<Cow<'_, [u8]>> {
    let name = match codec {
        0 => return Ok(Cow::Borrowed(bytes)),
        1 => {
            if snap::raw::decompress_len(bytes).ok() != Some(unpacked) {
                return Err(damaged());
            }
            return snap::raw::Decoder::new().decompress_vec(bytes).map(Cow::Owned).map_err(|_| damaged());
        }
        2 => "gzip",
        4 => "brotli",
        5 | 7 => "lz4",
        6 => "zstd",
        _ => "an unknown method",
    };
    fail(format!("it is packed with {name}; write it with snappy or without compression"))
}

/// Answers how many rows the page had.
fn read_page_v1(
    head: &ColumnHead,
    about: &Value<'_>,
    bytes: &[u8],
    rows_max: usize,
    dictionary: Option<&Values>,
    budget: &mut Budget,
    column: &mut Column,
) -> Result<usize> {
    let rows = Some(about.count(1)?).filter(|rows| *rows <= rows_max).ok_or_else(damaged)?;
    let encoding = about.int(2).ok_or_else(damaged)?;
    let mut cursor = Cursor::new(bytes);
    let levels = if head.has_nulls {
        if about.int(3) != Some(3) {
            return fail("its nulls are written in a way of old that is not read");
        }
        let length = cursor.take(4)?.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
        Some(decode::hybrid(cursor.take(length)?, 1, rows)?)
    } else {
        None
    };
    let values = decode_values(head, encoding, cursor.rest(), present(levels.as_deref(), rows), dictionary, budget)?;
    append(column, levels.as_deref(), values)?;
    Ok(rows)
}

#[expect(clippy::too_many_arguments, reason = "all of them are what a page is read with, and no two belong together")]
fn read_page_v2(
    head: &ColumnHead,
    codec: i64,
    about: &Value<'_>,
    bytes: &[u8],
    unpacked: usize,
    rows_max: usize,
    dictionary: Option<&Values>,
    budget: &mut Budget,
    column: &mut Column,
) -> Result<usize> {
    let rows = Some(about.count(1)?).filter(|rows| *rows <= rows_max).ok_or_else(damaged)?;
    let encoding = about.int(4).ok_or_else(damaged)?;
    let (levels_bytes, repeats_bytes) = (about.count(5)?, about.count(6)?);
    let mut cursor = Cursor::new(bytes);
    cursor.take(repeats_bytes)?;
    let levels = cursor.take(levels_bytes)?;
    let levels = if head.has_nulls { Some(decode::hybrid(levels, 1, rows)?) } else { None };
    let codec = if about.field(7) == Some(&Value::Bool(false)) { 0 } else { codec };
    let of_values = unpacked.checked_sub(levels_bytes + repeats_bytes).ok_or_else(damaged)?;
    // A page of nulls alone has no bytes to unpack.
    let bytes = if of_values == 0 { Cow::Borrowed(&[][..]) } else { unpack(codec, cursor.rest(), of_values)? };
    let values = decode_values(head, encoding, &bytes, present(levels.as_deref(), rows), dictionary, budget)?;
    append(column, levels.as_deref(), values)?;
    Ok(rows)
}

/// Rows that are not null.
fn present(levels: Option<&[u64]>, rows: usize) -> usize {
    levels.map_or(rows, |levels| levels.iter().filter(|level| **level == 1).count())
}

fn decode_values(
    head: &ColumnHead,
    encoding: i64,
    bytes: &[u8],
    count: usize,
    dictionary: Option<&Values>,
    budget: &mut Budget,
) -> Result<Values> {
    match (encoding, head.kind) {
        (2 | 8, _) => look_up(bytes, count, dictionary.ok_or_else(damaged)?, budget),
        (0, Kind::Text) => texts(decode::plain_texts(bytes, count)?, head, budget),
        (6, Kind::Text) => texts(decode::delta_length_texts(&mut Cursor::new(bytes), count)?, head, budget),
        (7, Kind::Text) => texts(decode::delta_texts(&mut Cursor::new(bytes), count, budget.texts_bytes)?, head, budget),
        (0, Kind::Int32 | Kind::Uint32) => Ok(numbers(decode::plain_numbers(bytes, 4, count)?, head.kind)),
        (0, Kind::Int64) => Ok(numbers(decode::plain_numbers(bytes, 8, count)?, head.kind)),
        (5, Kind::Int32 | Kind::Uint32 | Kind::Int64) => {
            let read = decode::delta_numbers(&mut Cursor::new(bytes), count)?;
            if read.len() == count { Ok(numbers(read, head.kind)) } else { Err(damaged()) }
        }
        (other, _) => fail(format!("the column {} is encoded in a way that is not read (number {other})", head.name)),
    }
}

fn numbers(mut numbers: Vec<i64>, kind: Kind) -> Values {
    match kind {
        Kind::Uint32 => numbers.iter_mut().for_each(|number| *number = i64::from(*number as u32)),
        // Differences may run over the 32 bits; the writer meant them to.
        Kind::Int32 => numbers.iter_mut().for_each(|number| *number = i64::from(*number as i32)),
        Kind::Int64 | Kind::Text => {}
    }
    Values::Numbers(numbers)
}

fn texts<T: AsRef<[u8]>>(read: Vec<T>, head: &ColumnHead, budget: &mut Budget) -> Result<Values> {
    let mut texts = Vec::with_capacity(read.len());
    for bytes in read {
        let text = std::str::from_utf8(bytes.as_ref()).map_err(|_| ReadError(format!("the column {} is not UTF-8", head.name)))?;
        Budget::spend(&mut budget.texts_bytes, text.len(), "its texts have")?;
        texts.push(text.to_owned());
    }
    Ok(Values::Texts(texts))
}

fn look_up(bytes: &[u8], count: usize, dictionary: &Values, budget: &mut Budget) -> Result<Values> {
    if count == 0 {
        return Ok(match dictionary {
            Values::Numbers(_) => Values::Numbers(Vec::new()),
            Values::Texts(_) => Values::Texts(Vec::new()),
        });
    }
    let (width, bytes) = bytes.split_first().ok_or_else(damaged)?;
    let places = decode::hybrid(bytes, u32::from(*width), count)?.into_iter().map(|place| place as usize);
    Ok(match dictionary {
        Values::Numbers(numbers) => {
            Values::Numbers(places.map(|place| numbers.get(place).copied().ok_or_else(damaged)).collect::<Result<_>>()?)
        }
        Values::Texts(texts) => {
            let mut found = Vec::with_capacity(count);
            for place in places {
                let text = texts.get(place).ok_or_else(damaged)?;
                Budget::spend(&mut budget.texts_bytes, text.len(), "its texts have")?;
                found.push(text.clone());
            }
            Values::Texts(found)
        }
    })
}

fn append(column: &mut Column, levels: Option<&[u64]>, values: Values) -> Result<()> {
    match (column, values) {
        (Column::Numbers(rows), Values::Numbers(values)) => spread(rows, levels, values),
        (Column::Texts(rows), Values::Texts(values)) => spread(rows, levels, values),
        (Column::Numbers(_), Values::Texts(_)) | (Column::Texts(_), Values::Numbers(_)) => Err(damaged()),
    }
}

fn spread<T>(rows: &mut Vec<Option<T>>, levels: Option<&[u64]>, values: Vec<T>) -> Result<()> {
    let Some(levels) = levels else {
        rows.extend(values.into_iter().map(Some));
        return Ok(());
    };
    let mut values = values.into_iter();
    for level in levels {
        rows.push(if *level == 1 { Some(values.next().ok_or_else(damaged)?) } else { None });
    }
    Ok(())
}
