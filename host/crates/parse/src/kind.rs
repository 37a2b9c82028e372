//! The kinds of files that a knowledge base takes, by extension.
//!
//! Not here: what the bytes really are (`sniff`).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Text,
    Markdown,
    Html,
    Csv,
    Xlsx,
    Xls,
    Docx,
    Doc,
    Pdf,
    /// Taken, but not read yet.
    Image,
}

impl FileKind {
    /// `None` for an extension that no upload may have. Letter case does not count.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "txt" => Self::Text,
            "md" | "markdown" => Self::Markdown,
            "html" | "htm" => Self::Html,
            "csv" => Self::Csv,
            "xlsx" => Self::Xlsx,
            "xls" => Self::Xls,
            "docx" => Self::Docx,
            "doc" => Self::Doc,
            "pdf" => Self::Pdf,
            "png" | "jpg" | "jpeg" | "gif" => Self::Image,
            _ => return None,
        })
    }

    /// With its article, as sentences need it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "a text file",
            Self::Markdown => "a Markdown file",
            Self::Html => "a web page",
            Self::Csv => "a CSV table",
            Self::Xlsx => "an Excel workbook (XLSX)",
            Self::Xls => "an Excel 97 workbook (XLS)",
            Self::Docx => "a Word document (DOCX)",
            Self::Doc => "a Word 97 document (DOC)",
            Self::Pdf => "a PDF document",
            Self::Image => "a picture",
        }
    }

    pub(crate) fn media(self) -> Option<&'static str> {
        (self == Self::Image).then_some("picture")
    }

    /// Whether the file is plain text of some encoding.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Markdown | Self::Html | Self::Csv)
    }
}
