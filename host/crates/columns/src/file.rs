//! The footer: which columns there are, of which type, and where their pages lie.
//!
//! Not here: the pages (`page`).

use crate::page::{Budget, ColumnHead, Kind, read_chunk};
use crate::thrift::{Cursor, Value};
use crate::{Column, Limits, ReadError, Result, damaged, fail};

const MAGIC: &[u8] = b"PAR1";
/// The footer of a file with a thousand row groups has less than 1 MB.
const FOOTER_BYTES_MAX: usize = 16 << 20;

/// The named columns, in the order in which they are named. Other columns may be of any kind.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn read_columns(bytes: &[u8], names: &[&str], limits: &Limits) -> Result<Vec<Column>> {
    let footer = footer(bytes)?;
    let rows = footer.count(3)?;
    if rows > limits.rows_max {
        return fail(format!("it has {rows} rows; at most {} are read", limits.rows_max));
    }
    let heads = names.iter().map(|name| head(&footer, name)).collect::<Result<Vec<_>>>()?;
    let mut columns: Vec<Column> = heads
        .iter()
        .map(|head| match head.kind {
            Kind::Text => Column::Texts(Vec::new()),
            Kind::Int32 | Kind::Uint32 | Kind::Int64 => Column::Numbers(Vec::new()),
        })
        .collect();
    let mut budget = Budget::new(limits);
    let mut left = rows;
    for group in footer.list(4)? {
        let rows = group.count(3)?;
        left = left.checked_sub(rows).ok_or_else(damaged)?;
        for (head, column) in heads.iter().zip(&mut columns) {
            let about = chunk(group, &head.name)?;
            let (codec, pages) = (about.int(4).ok_or_else(damaged)?, pages(bytes, about)?);
            if about.count(5)? != rows {
                return Err(damaged());
            }
            read_chunk(head, codec, pages, rows, &mut budget, column)?;
        }
    }
    if left > 0 { Err(damaged()) } else { Ok(columns) }
}

fn footer(bytes: &[u8]) -> Result<Value<'_>> {
    let no_parquet = || ReadError("it is no parquet file".into());
    let body = bytes.strip_prefix(MAGIC).and_then(|rest| rest.strip_suffix(MAGIC)).ok_or_else(no_parquet)?;
    let (body, length) = body.split_last_chunk::<4>().ok_or_else(no_parquet)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
    if length > FOOTER_BYTES_MAX {
        return fail("its footer is too large");
    }
    let start = body.len().checked_sub(length).ok_or_else(damaged)?;
    Cursor::new(body.get(start..).unwrap_or_default()).tree()
}

/// The column of that name right below the root.
fn head(footer: &Value<'_>, name: &str) -> Result<ColumnHead> {
    let mut elements = footer.list(2)?.iter();
    let mut top = elements.next().ok_or_else(damaged)?.int(5).unwrap_or(0);
    let mut names = Vec::new();
    while top > 0 {
        top -= 1;
        let element = elements.next().ok_or_else(damaged)?;
        let text = String::from_utf8_lossy(element.bytes(4).unwrap_or_default()).into_owned();
        let children = element.int(5).unwrap_or(0);
        if text == name {
            return if children > 0 { fail(format!("the column {name} holds columns")) } else { plain(element, name) };
        }
        names.push(text);
        // Everything below it, however deep.
        let mut below = children;
        while below > 0 {
            below += elements.next().ok_or_else(damaged)?.int(5).unwrap_or(0).max(0) - 1;
        }
    }
    names.truncate(20);
    fail(format!("there is no column {name}; its columns are {}", names.join(", ")))
}

fn plain(element: &Value<'_>, name: &str) -> Result<ColumnHead> {
    const UINT_32: i64 = 13;
    let kind = match (element.int(1), element.int(6)) {
        (Some(1), Some(UINT_32)) => Kind::Uint32,
        (Some(1), _) => Kind::Int32,
        (Some(2), _) => Kind::Int64,
        (Some(6), _) => Kind::Text,
        (Some(_), _) => return fail(format!("the column {name} holds neither whole numbers nor texts")),
        (None, _) => return Err(damaged()),
    };
    match element.int(3) {
        Some(repetition @ (0 | 1)) => Ok(ColumnHead { name: name.to_owned(), kind, has_nulls: repetition == 1 }),
        Some(_) => fail(format!("the column {name} holds lists")),
        None => Err(damaged()),
    }
}

/// What the row group says of that column.
fn chunk<'v, 'a>(group: &'v Value<'a>, name: &str) -> Result<&'v Value<'a>> {
    let is_it = |about: &&Value<'a>| matches!(about.list(3), Ok([Value::Bytes(path)]) if *path == name.as_bytes());
    group.list(1)?.iter().filter_map(|chunk| chunk.field(3)).find(is_it).ok_or_else(damaged)
}

fn pages<'a>(bytes: &'a [u8], about: &Value<'_>) -> Result<&'a [u8]> {
    let data = about.count(9)?;
    // Some writers say 0 where there is no dictionary.
    let dictionary = about.int(11).and_then(|offset| usize::try_from(offset).ok()).filter(|offset| *offset > 0);
    let start = dictionary.map_or(data, |dictionary| dictionary.min(data));
    let end = start.checked_add(about.count(7)?).ok_or_else(damaged)?;
    bytes.get(start..end).ok_or_else(damaged)
}
