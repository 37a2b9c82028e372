//! A web page on its way to the parser: fetched into a file without a name, its kind told by what the server says and what it sent.
//!
//! Not here: which addresses may be reached and how redirects are followed (`provider::Pages`).

use crate::error::{Error, Result};
use crate::files::{Files, OpenFile};
use crate::limits::{NAME_CHARS_MAX, PAGE_BYTES_MAX, PAGE_TRIES_MAX, PAGE_TRY_WAIT};
use crate::provider::{CallContext, Pages};
use futures_util::StreamExt;

/// A fetched page.
#[derive(Debug)]
pub(super) struct Fetched {
    /// Where it was found in the end.
    pub(super) url: String,
    /// The extension that the parser goes by.
    pub(super) file_type: &'static str,
    pub(super) file: OpenFile,
}

/// What is not there now may be there in a moment; after some tries it is the document that fails, and nobody waits longer.
pub(super) async fn page(pages: &dyn Pages, files: &Files, call: &CallContext, url: &str) -> Result<Fetched> {
    let mut tries = 1;
    loop {
        match fetch(pages, files, call, url).await {
            Err(error @ (Error::Unavailable { .. } | Error::Timeout(_))) if tries >= PAGE_TRIES_MAX => {
                return Err(Error::BadRequest(error.to_string()));
            }
            Err(Error::Unavailable { .. } | Error::Timeout(_)) => {
                tokio::time::sleep(PAGE_TRY_WAIT * tries).await;
                tries += 1;
            }
            Ok(fetched) => return Ok(fetched),
            Err(error) => return Err(error),
        }
    }
}

async fn fetch(pages: &dyn Pages, files: &Files, call: &CallContext, url: &str) -> Result<Fetched> {
    let mut page = pages.open(call, url).await?;
    let mut writer = files.begin(PAGE_BYTES_MAX).await?;
    let mut start = Vec::new();
    while let Some(bytes) = page.body.next().await {
        let bytes = bytes?;
        if start.len() < SNIFFED_BYTES {
            start.extend_from_slice(&bytes[..bytes.len().min(SNIFFED_BYTES - start.len())]);
        }
        writer.write(&bytes).await?;
    }
    let file_type = file_type(&page.content_type, &page.url, &start).ok_or_else(|| {
        let what = if page.content_type.is_empty() { "of no type".to_owned() } else { format!("of type {}", page.content_type) };
        Error::BadRequest(format!("The address answered with content {what}, which can not be read."))
    })?;
    Ok(Fetched { url: page.url, file_type, file: writer.into_nameless().await? })
}

const SNIFFED_BYTES: usize = 1024;

/// By the media type; by the path's ending and the first bytes where that says nothing.
fn file_type(content_type: &str, url: &str, start: &[u8]) -> Option<&'static str> {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let by_media = match media.as_str() {
        "text/html" | "application/xhtml+xml" => Some("html"),
        "application/pdf" | "application/x-pdf" => Some("pdf"),
        "text/markdown" | "text/x-markdown" => Some("md"),
        "text/csv" => Some("csv"),
        "application/msword" => Some("doc"),
        "application/vnd.ms-excel" => Some("xls"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Some("docx"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => Some("xlsx"),
        _ => None,
    };
    if by_media.is_some() {
        return by_media;
    }
    let is_vague = matches!(media.as_str(), "" | "application/octet-stream" | "binary/octet-stream");
    if start.starts_with(b"%PDF-") {
        return Some("pdf");
    }
    if media == "text/plain" || is_vague {
        let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
        let by_ending =
            ["md", "markdown", "csv", "docx", "xlsx", "doc", "xls", "txt", "html", "htm"].into_iter().find(|known| *known == ending);
        if by_ending.is_some() {
            return by_ending;
        }
    }
    let lower = String::from_utf8_lossy(start).to_ascii_lowercase();
    let looks_like_html = lower.contains("<html") || lower.contains("<!doctype html") || lower.contains("<body");
    match media.as_str() {
        _ if is_vague && looks_like_html => Some("html"),
        text if text.starts_with("text/") || matches!(text, "application/json" | "application/xml") => Some("txt"),
        _ => None,
    }
}

/// The page's own title; without one the last part of its address.
pub(super) fn title(own: Option<&str>, url: &str) -> String {
    let own = own.map(|title| {
        title.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    });
    let title = own.filter(|title| !title.is_empty()).unwrap_or_else(|| {
        let bare = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        bare.rsplit('/').next().unwrap_or_default().to_owned()
    });
    title.chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_what_the_server_says_and_else_what_the_bytes_are() {
        for (content_type, url, start, wanted) in [
            ("text/html; charset=gbk", "http://a/x.pdf", "", Some("html")),
            ("application/pdf", "http://a/", "", Some("pdf")),
            ("application/octet-stream", "http://a/b", "%PDF-1.7", Some("pdf")),
            ("", "http://a/", "<!DOCTYPE HTML><p>x", Some("html")),
            ("text/plain", "http://a/README.md?x=1", "# A", Some("md")),
            ("text/plain", "http://a/x", "words", Some("txt")),
            ("application/json", "http://a/x", "{}", Some("txt")),
            ("application/octet-stream", "http://a/x.docx#y", "PK", Some("docx")),
            ("image/png", "http://a/x.md", "\u{89}PNG", None),
            ("application/octet-stream", "http://a/x", "\u{1}", None),
        ] {
            assert_eq!(file_type(content_type, url, start.as_bytes()), wanted, "{content_type} {url}");
        }
    }

    #[test]
    fn a_page_without_title_is_called_after_its_address() {
        assert_eq!(title(Some(" Cold\n store "), "http://a/b"), "Cold store");
        assert_eq!(title(Some(" "), "http://a/b/guide.html?x=/y"), "guide.html");
        assert_eq!(title(None, "http://a.example/"), "a.example");
        assert_eq!(title(Some(&"长".repeat(300)), "").chars().count(), 255);
    }
}
