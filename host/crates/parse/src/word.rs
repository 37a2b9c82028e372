//! Word documents, new and old, to Markdown.
//!
//! Not here: pictures inside them; nothing reads those yet.

use crate::{FileKind, ParseError, ParseResult, Parsed, markdown};
use undoc::render::RenderOptions;
use undoc::{Document, Error};

pub(crate) fn parse_docx(bytes: &[u8]) -> ParseResult<Parsed> {
    let document = undoc::docx::DocxParser::from_bytes(bytes.to_vec()).and_then(|mut parser| parser.parse());
    render(document, FileKind::Docx)
}

pub(crate) fn parse_doc(bytes: &[u8]) -> ParseResult<Parsed> {
    let document = undoc::doc::DocParser::from_bytes(bytes.to_vec()).and_then(|mut parser| parser.parse());
    render(document, FileKind::Doc)
}

fn render(document: Result<Document, Error>, kind: FileKind) -> ParseResult<Parsed> {
    let document = document.map_err(|error| failure(error, kind))?;
    let options = RenderOptions { escape_special_chars: false, include_images: false, max_heading_level: 6, ..RenderOptions::default() };
    let text = undoc::render::to_markdown(&document, &options).map_err(|error| failure(error, kind))?;
    let mut parsed = Parsed::prose(markdown::tidy(&markdown::normalize(&text)));
    parsed.title = document.metadata.title.filter(|title| !title.trim().is_empty());
    Ok(parsed)
}

fn failure(error: Error, kind: FileKind) -> ParseError {
    if matches!(error, Error::Encrypted) { ParseError::Encrypted } else { ParseError::damaged(kind.name(), error) }
}
