//! PDF documents to text with paragraphs, by two engines.
//!
//! Not here: text in pictures, and putting lines together (`lines`).

mod lines;

use crate::{ParseError, ParseLimits, ParseResult, Parsed, markdown};
use pdf_oxide::PdfDocument;
use pdf_oxide::converters::{ConversionOptions, ReadingOrderMode};
use std::panic::AssertUnwindSafe;

const NAME: &str = "a PDF document";

/// Reads with the engine that follows the order of the file, then, where that fails, finds nothing or finds garbage, with the one that
/// follows the geometry of the page. Geometry comes second because it takes short Chinese lines for columns and tears rows of tables apart.
pub(crate) fn parse(bytes: &[u8], limits: &ParseLimits) -> ParseResult<Parsed> {
    let first = guarded(|| in_file_order(bytes, limits));
    let first = match first {
        Ok(parsed) if is_good(&parsed.text) => return Ok(parsed),
        Err(error @ (ParseError::TooManyPages { .. } | ParseError::TextTooLarge { .. })) => return Err(error),
        other => other,
    };
    let second = guarded(|| by_geometry(bytes, limits));
    match (first, second) {
        (Ok(first), Ok(second)) if first.text.is_empty() && second.text.is_empty() => Err(ParseError::NoTextLayer),
        (Ok(first), Ok(second)) => Ok(if garbage_share(&second.text) < garbage_share(&first.text) { second } else { first }),
        (Ok(first), Err(error)) => {
            if first.text.is_empty() {
                Err(error)
            } else {
                Ok(first)
            }
        }
        (Err(_), Ok(second)) => {
            if second.text.is_empty() {
                Err(ParseError::NoTextLayer)
            } else {
                Ok(second)
            }
        }
        (Err(_), Err(error)) => Err(error),
    }
}

/// Both engines are large and old formats are odd: a panic in one must not keep the other from trying.
fn guarded(read: impl FnOnce() -> ParseResult<Parsed>) -> ParseResult<Parsed> {
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(ParseError::Panicked { reader: "PDF".to_owned() }))
}

fn in_file_order(bytes: &[u8], limits: &ParseLimits) -> ParseResult<Parsed> {
    let pages = pdf_extract::extract_text_from_mem_by_pages(bytes).map_err(|error| ParseError::damaged(NAME, error))?;
    check_pages(pages.len(), limits)?;
    let mut parsed = Parsed { pages: pages.len(), ..Parsed::default() };
    for (index, page) in pages.iter().enumerate() {
        append_page(&mut parsed.text, &lines::join(page, index + 1), limits)?;
    }
    Ok(parsed)
}

fn by_geometry(bytes: &[u8], limits: &ParseLimits) -> ParseResult<Parsed> {
    let document = PdfDocument::from_bytes(bytes.to_vec()).map_err(|error| ParseError::damaged(NAME, error))?;
    if document.is_encrypted() && !document.is_authenticated() {
        return Err(ParseError::Encrypted);
    }
    let pages = document.page_count().map_err(|error| ParseError::damaged(NAME, error))?;
    check_pages(pages, limits)?;
    let options = ConversionOptions {
        reading_order_mode: ReadingOrderMode::TopToBottomLeftToRight,
        expand_ligatures: true,
        include_artifacts: false,
        ..ConversionOptions::default()
    };
    let mut parsed = Parsed { pages, ..Parsed::default() };
    for page in 0..pages {
        match document.to_markdown(page, &options) {
            Ok(text) => append_page(&mut parsed.text, &text, limits)?,
            Err(error) => parsed.warnings.push(format!("Page {} was left out: {error}.", page + 1)),
        }
    }
    if parsed.text.is_empty() && parsed.warnings.len() == pages && pages > 0 {
        return Err(ParseError::damaged(NAME, parsed.warnings.swap_remove(0)));
    }
    Ok(parsed)
}

fn check_pages(pages: usize, limits: &ParseLimits) -> ParseResult<()> {
    if pages > limits.pages_max { Err(ParseError::TooManyPages { pages, pages_max: limits.pages_max }) } else { Ok(()) }
}

fn append_page(text: &mut String, page: &str, limits: &ParseLimits) -> ParseResult<()> {
    let page = markdown::tidy(&lines::plain_glyphs(page));
    if page.is_empty() {
        return Ok(());
    }
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(&page);
    if text.len() > limits.text_bytes_max {
        return Err(ParseError::TextTooLarge { bytes: text.len(), bytes_max: limits.text_bytes_max });
    }
    Ok(())
}

fn is_good(text: &str) -> bool {
    !text.is_empty() && garbage_share(text) < 0.005
}

/// Share of characters that no font should have: replacements, controls and private ones. Nothing at all counts as all garbage.
fn garbage_share(text: &str) -> f64 {
    let (mut all, mut bad) = (0_u32, 0_u32);
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        all += 1;
        bad += u32::from(c == '\u{fffd}' || c.is_control() || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..));
    }
    if all == 0 { 1.0 } else { f64::from(bad) / f64::from(all) }
}
