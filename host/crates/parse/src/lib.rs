//! Reads documents: from the bytes of a file to text with structure (Markdown) or to records (rows of a table).
//!
//! Not here: where the bytes come from, the limits of the process (`ingest::parse`), and cutting the text into chunks.

mod archive;
mod encoding;
mod error;
mod html;
mod kind;
mod markdown;
mod pdf;
mod sniff;
mod table;
mod word;

use std::panic::AssertUnwindSafe;

use serde::{Deserialize, Serialize};

pub use error::{ParseError, ParseResult};
pub use kind::FileKind;

/// What a parse may use; the process around it sets memory and time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParseLimits {
    /// Text that comes out.
    pub text_bytes_max: usize,
    /// Sum of the sizes of an archive's members, unpacked.
    pub unpacked_bytes_max: u64,
    /// A member may unpack to this many times its packed size, once it is larger than a megabyte.
    pub unpack_ratio_max: u64,
    pub pages_max: usize,
    pub rows_max: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self { text_bytes_max: 32 << 20, unpacked_bytes_max: 512 << 20, unpack_ratio_max: 200, pages_max: 5_000, rows_max: 100_000 }
    }
}

/// What came out of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    pub text: String,
    /// Where each record of `text` ends, in bytes, for files that are lists of records; empty for prose.
    pub record_ends: Vec<usize>,
    pub title: Option<String>,
    /// 0 for formats without pages.
    pub pages: usize,
    /// Sentences about what was left out.
    pub warnings: Vec<String>,
}

impl Parsed {
    pub(crate) fn prose(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// The records, in order; none for prose.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.record_ends.iter().copied());
        starts.zip(&self.record_ends).filter_map(|(start, &end)| self.text.get(start..end))
    }
}

/// Reads a file. `file_type` is its extension; the content must agree with it.
pub fn parse(bytes: &[u8], file_type: &str, limits: &ParseLimits) -> ParseResult<Parsed> {
    let kind = FileKind::from_extension(file_type).ok_or_else(|| ParseError::Unsupported { file_type: file_type.to_owned() })?;
    if let Some(media) = kind.media() {
        return Err(ParseError::Media { media: media.to_owned() });
    }
    sniff::check(bytes, kind, limits)?;
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| read(bytes, kind, limits)));
    let parsed = outcome.unwrap_or(Err(ParseError::Panicked { reader: kind.name().to_owned() }))?;
    if parsed.text.len() > limits.text_bytes_max {
        return Err(ParseError::TextTooLarge { bytes: parsed.text.len(), bytes_max: limits.text_bytes_max });
    }
    Ok(parsed)
}

fn read(bytes: &[u8], kind: FileKind, limits: &ParseLimits) -> ParseResult<Parsed> {
    match kind {
        FileKind::Text => Ok(Parsed::prose(encoding::decode(bytes))),
        FileKind::Markdown => Ok(markdown::parse(&encoding::decode(bytes))),
        FileKind::Html => html::parse(&encoding::decode_html(bytes)),
        FileKind::Csv => table::parse_csv(&encoding::decode(bytes), limits),
        FileKind::Xlsx => table::parse_workbook(bytes, table::Workbook::Xlsx, limits),
        FileKind::Xls => table::parse_workbook(bytes, table::Workbook::Xls, limits),
        FileKind::Docx => word::parse_docx(bytes),
        FileKind::Doc => word::parse_doc(bytes),
        FileKind::Pdf => pdf::parse(bytes, limits),
        FileKind::Image => Err(ParseError::Media { media: "picture".to_owned() }),
    }
}

#[cfg(test)]
mod tests;
