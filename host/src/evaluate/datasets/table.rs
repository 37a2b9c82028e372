//! The rows of a dataset's files.
//!
//! Not here: the format of the files (`knowhost-columns`) and what the rows mean.

use crate::limits;
use anyhow::{Context, Result, bail, ensure};
use knowhost_columns::{Column, Limits, read_columns};

const LIMITS: Limits = Limits {
    rows_max: limits::DATASET_ROWS_MAX,
    unpacked_bytes_max: limits::DATASET_UNPACKED_BYTES_MAX,
    texts_bytes_max: limits::DATASET_TEXTS_BYTES_MAX,
};

/// Rows of a whole number and a text; a text that is missing is empty.
pub(super) fn numbered_texts(bytes: &[u8], names: [&str; 2]) -> Result<Vec<(i64, String)>> {
    let (ids, texts) = two(bytes, names)?;
    let Column::Texts(texts) = texts else { bail!("the column {} holds no texts", names[1]) };
    let mut rows = Vec::with_capacity(texts.len());
    for (id, text) in numbers(ids, names[0])?.into_iter().zip(texts) {
        let text = text.unwrap_or_default();
        let most = limits::DATASET_TEXT_BYTES_MAX;
        ensure!(text.len() <= most, "the text of id {id} is longer than {most} bytes");
        rows.push((id, text));
    }
    Ok(rows)
}

/// Rows of two whole numbers.
pub(super) fn number_pairs(bytes: &[u8], names: [&str; 2]) -> Result<Vec<(i64, i64)>> {
    let (left, right) = two(bytes, names)?;
    Ok(numbers(left, names[0])?.into_iter().zip(numbers(right, names[1])?).collect())
}

fn two(bytes: &[u8], names: [&str; 2]) -> Result<(Column, Column)> {
    let mut columns = read_columns(bytes, &names, &LIMITS)?;
    let second = columns.pop().context("a column is missing")?;
    Ok((columns.pop().context("a column is missing")?, second))
}

fn numbers(column: Column, name: &str) -> Result<Vec<i64>> {
    let Column::Numbers(rows) = column else { bail!("the column {name} holds no whole numbers") };
    rows.into_iter().enumerate().map(|(row, number)| number.with_context(|| format!("{name} is missing in row {}", row + 1))).collect()
}
