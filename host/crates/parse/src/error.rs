//! Why a file could not be read, as a sentence for the person who uploaded it.
//!
//! Not here: deaths of the process that parses; its parent tells those.

use serde::{Deserialize, Serialize};

pub type ParseResult<T> = Result<T, ParseError>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum ParseError {
    #[error("Files of type \"{file_type}\" can not be read; PDF, DOCX, DOC, XLSX, XLS, CSV, HTML, Markdown and plain text can.")]
    Unsupported { file_type: String },
    #[error("This is a {media}: text in pictures can not be read yet. A text file with its description can be uploaded instead.")]
    Media { media: String },
    #[error("The file is named like {expected}, but it holds {found}; give it its true extension and upload it again.")]
    Renamed { expected: String, found: String },
    #[error("The file is named like {expected}, but its content is something else, or the file is damaged.")]
    NotWhatItSays { expected: String },
    #[error("The file is encrypted; remove its password and upload it again.")]
    Encrypted,
    #[error("The file could not be read as {reader}; it is damaged or incomplete ({detail}).")]
    Damaged { reader: String, detail: String },
    #[error("The PDF holds no text: its pages are pictures, and text in pictures can not be read yet.")]
    NoTextLayer,
    #[error("The PDF has {pages} pages, more than the {pages_max} that are read.")]
    TooManyPages { pages: usize, pages_max: usize },
    #[error("The table has more than the {rows_max} rows that are read; split it into several files.")]
    TooManyRows { rows_max: usize },
    #[error("The text of the file has {bytes} bytes, more than the {bytes_max} that are read.")]
    TextTooLarge { bytes: usize, bytes_max: usize },
    #[error("The file would unpack to {bytes} bytes, which no honest document does; it was not opened.")]
    UnpacksTooLarge { bytes: u64 },
    #[error("The {reader} reader failed on this file; the file is damaged or uses something unusual.")]
    Panicked { reader: String },
}

impl ParseError {
    pub(crate) fn damaged(reader: &str, detail: impl std::fmt::Display) -> Self {
        // Some libraries put whole dumps into their errors.
        let detail: String = detail.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
        Self::Damaged { reader: reader.to_owned(), detail }
    }
}
