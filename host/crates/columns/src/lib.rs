//! Reads columns of whole numbers and of texts out of parquet files: as much of the format as a dataset of an evaluation takes.
//!
//! Not here: writing, nested columns, other types, other compressions than snappy. A crate of its own because the full reader
//! of the Arrow project changes features of crates below the document parsers and would build them all again; this one has no
//! dependency but snappy, and every length in a file is checked against a limit before anything is made of it.

mod decode;
mod file;
mod page;
#[cfg(test)]
mod tests;
mod thrift;

pub use file::read_columns;

/// What a file may hold at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub rows_max: usize,
    /// All pages of the wanted columns when they are unpacked.
    pub unpacked_bytes_max: usize,
    /// All texts together: a dictionary can say a long one many times in few bytes.
    pub texts_bytes_max: usize,
}

/// The values of a column, row by row; `None` where the file says null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    Numbers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

/// Why a file can not be read, as a sentence without its beginning: "it is no parquet file".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub(crate) String);

pub type Result<T, E = ReadError> = std::result::Result<T, E>;

pub(crate) fn fail<T>(reason: impl Into<String>) -> Result<T> {
    Err(ReadError(reason.into()))
}

/// Something in the file contradicts itself.
pub(crate) fn damaged() -> ReadError {
    ReadError("it is damaged".into())
}
