//! Web pages to Markdown, without what only browsers need.
//!
//! Not here: fetching pages.

use crate::{ParseError, ParseResult, Parsed, markdown};
use htmd::HtmlToMarkdown;
use htmd::options::{BulletListMarker, Options};

/// Elements whose text is not the page's own, or no text at all.
const SKIPPED: &[&str] = &[
    "script", "style", "noscript", "template", "nav", "head", "iframe", "object", "embed", "svg", "canvas", "form", "button", "input",
    "select", "textarea", "audio", "video",
];

pub(crate) fn parse(page: &str) -> ParseResult<Parsed> {
    let options = Options { bullet_list_marker: BulletListMarker::Dash, ul_bullet_spacing: 1, ol_number_spacing: 1, ..Options::default() };
    let converter = HtmlToMarkdown::builder().options(options).skip_tags(SKIPPED.to_vec()).build();
    let text = converter.convert(page).map_err(|error| ParseError::damaged("a web page", error))?;
    let mut parsed = Parsed::prose(markdown::tidy(&markdown::normalize(&text)));
    parsed.title = title(page);
    Ok(parsed)
}

fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = page.get(start..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_machinery_goes() {
        let page = "<html><head><title> Cold\n store </title><style>p{}</style></head><body><nav>Home</nav><h1>Cold store</h1>\
            <script>alert(1)</script><p>Keep at <b>4 °C</b>.</p><ul><li>milk</li><li>cheese</li></ul>\
            <table><tr><th>item</th><th>days</th></tr><tr><td>milk</td><td>7</td></tr></table></body></html>";
        let parsed = parse(page).expect("readable");
        assert_eq!(parsed.title.as_deref(), Some("Cold store"));
        assert!(parsed.text.starts_with("# Cold store\n\nKeep at **4 °C**."), "{}", parsed.text);
        assert!(parsed.text.contains("- milk\n- cheese"), "{}", parsed.text);
        assert!(parsed.text.contains("| item | days |\n| --- | --- |\n| milk | 7 |"), "{}", parsed.text);
        assert!(!parsed.text.contains("alert") && !parsed.text.contains("Home") && !parsed.text.contains("p{}"), "{}", parsed.text);
    }

    #[test]
    fn text_that_is_no_page_comes_through() {
        assert_eq!(parse("just words & <unclosed").expect("readable").text, "just words &");
    }
}
