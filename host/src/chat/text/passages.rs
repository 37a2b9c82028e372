//! Hits as texts for models, with what is known about their images.
//!
//! Not here: the prompt around them.

use super::merge::images;
use crate::domain::{ImageInfo, SearchResult};
use time::{OffsetDateTime, Weekday};

/// The text that a reranker judges.
pub fn for_rerank(result: &SearchResult) -> String {
    let lines: Vec<String> = known_images(result).iter().flat_map(about).collect();
    match (lines.is_empty(), result.content.is_empty()) {
        (true, _) => result.content.clone(),
        (false, true) => lines.join("\n"),
        (false, false) => format!("{}\n\n{}", result.content, lines.join("\n")),
    }
}

/// The text that the prompt shows: each image's description behind its link, those without a link at the end.
pub fn for_prompt(result: &SearchResult) -> String {
    let images = known_images(result);
    if images.is_empty() {
        return result.content.clone();
    }
    let mut text = result.content.clone();
    let mut shown = Vec::new();
    for (link, address) in links(&result.content) {
        let Some(at) = images.iter().position(|image| [&image.url, &image.original_url].into_iter().any(|known| known == address)) else {
            continue;
        };
        let described = std::iter::once(link.to_owned()).chain(about(&images[at])).map(|line| line + "\n").collect::<String>();
        text = text.replacen(link, &described, 1);
        shown.push(at);
    }
    let mut rest = String::new();
    for (_, image) in images.iter().enumerate().filter(|(at, _)| !shown.contains(at)) {
        if !image.caption.is_empty() {
            rest.push_str(&format!("\n图片 {} 的描述信息: {}", image.url, image.caption));
        }
        if !image.ocr_text.is_empty() {
            rest.push_str(&format!("\n图片 {} 的文本: {}", image.url, image.ocr_text));
        }
    }
    if !rest.is_empty() {
        text.push_str("\n\n附加图片信息:");
        text.push_str(&rest);
    }
    text
}

fn known_images(result: &SearchResult) -> Vec<ImageInfo> {
    images(&result.image_info).unwrap_or_default()
}

fn about(image: &ImageInfo) -> Vec<String> {
    let caption = (!image.caption.is_empty()).then(|| format!("图片描述: {}", image.caption));
    let text = (!image.ocr_text.is_empty()).then(|| format!("图片文本: {}", image.ocr_text));
    caption.into_iter().chain(text).collect()
}

/// Markdown images: the whole link and its address.
fn links(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("![").map(|at| from + at) {
        from = start + 2;
        let Some(middle) = text[from..].find(']').map(|at| from + at) else { break };
        if !text[middle..].starts_with("](") {
            continue;
        }
        let Some(end) = text[middle..].find(')').map(|at| middle + at) else { break };
        found.push((&text[start..=end], &text[middle + 2..end]));
        from = end + 1;
    }
    found
}

/// The day's name, as the contract's templates show it.
pub fn weekday(time: OffsetDateTime) -> &'static str {
    match time.weekday() {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::testing::hit;

    fn result(content: &str, image_info: &str) -> SearchResult {
        SearchResult { image_info: image_info.into(), ..hit("a", 0, content, 0.5).result }
    }

    const IMAGES: &str = r#"[{"url":"u1","original_url":"o1","caption":"a cat","ocr_text":"MEOW"},{"url":"u2","caption":"a dog"}]"#;

    #[test]
    fn descriptions_follow_their_links_and_the_rest_comes_last() {
        let result = result("See ![x](o1) and ![y](other).", IMAGES);
        assert_eq!(
            for_prompt(&result),
            "See ![x](o1)\n图片描述: a cat\n图片文本: MEOW\n and ![y](other).\n\n附加图片信息:\n图片 u2 的描述信息: a dog"
        );
        assert_eq!(for_rerank(&result), "See ![x](o1) and ![y](other).\n\n图片描述: a cat\n图片文本: MEOW\n图片描述: a dog");
    }

    #[test]
    fn without_readable_images_the_text_stays() {
        for info in ["", "broken", "[]", r#"[{"url":"u9"}]"#] {
            assert_eq!(for_prompt(&result("text ![a](b", info)), "text ![a](b");
            assert_eq!(for_rerank(&result("text", info)), "text");
        }
        assert_eq!(for_rerank(&result("", r#"[{"caption":"c"}]"#)), "图片描述: c");
    }

    #[test]
    fn links_are_found_in_broken_markdown() {
        assert_eq!(links("![a](b) ![c] (d) ![e](f"), [("![a](b)", "b")]);
        assert_eq!(links("![![x](y)"), [("![![x](y)", "y")]);
        assert_eq!(links("!["), []);
    }
}
