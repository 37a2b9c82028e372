//! A question as keywords: addresses and punctuation gone, words split, stop words dropped.
//!
//! Not here: which tokenizer splits.

use crate::error::Result;
use crate::provider::{TokenizeMode, Tokenizer};

/// The contract's list: matched exactly, so that a capitalised "The" stays.
const STOP_WORDS: [&str; 66] = [
    "的",
    "了",
    "和",
    "是",
    "在",
    "我",
    "你",
    "他",
    "她",
    "它",
    "这",
    "那",
    "什么",
    "怎么",
    "如何",
    "为什么",
    "哪里",
    "什么时候",
    "有",
    "无",
    "好",
    "来",
    "去",
    "说",
    "看",
    "想",
    "会",
    "可以",
    "吗",
    "呢",
    "啊",
    "吧",
    "的话",
    "就是",
    "只是",
    "因为",
    "所以",
    "the",
    "is",
    "are",
    "am",
    "I",
    "you",
    "he",
    "she",
    "it",
    "this",
    "that",
    "what",
    "how",
    "a",
    "an",
    "and",
    "or",
    "but",
    "if",
    "of",
    "to",
    "in",
    "on",
    "at",
    "by",
    "for",
    "with",
    "about",
    "from",
];

/// The words that a keyword search looks for, joined by single spaces.
pub async fn keywords(tokenizer: &dyn Tokenizer, query: &str) -> Result<String> {
    Ok(words(tokenizer, query).await?.join(" "))
}

/// The same as a list. When all are stop words, all are kept.
pub async fn words(tokenizer: &dyn Tokenizer, query: &str) -> Result<Vec<String>> {
    let text = clean(query);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let texts = [text];
    let spans = tokenizer.tokenize(&texts, TokenizeMode::Index).await?;
    let [text] = texts;
    let segments: Vec<&str> = spans.into_iter().flatten().filter_map(|span| text.get(span.start..span.end)).collect();
    Ok(without_stop_words(&segments).into_iter().map(str::to_owned).collect())
}

fn without_stop_words<'a>(segments: &[&'a str]) -> Vec<&'a str> {
    let kept: Vec<&str> = segments.iter().copied().filter(|segment| !segment.trim().is_empty() && !STOP_WORDS.contains(segment)).collect();
    if kept.is_empty() { segments.to_vec() } else { kept }
}

/// Letters, numbers and spaces, without addresses of the web or of mail.
fn clean(query: &str) -> String {
    let text = without_mail_addresses(&without_web_addresses(query));
    let mut out = String::with_capacity(text.len());
    let mut after_space = false;
    for character in text.chars() {
        let is_space = is_space(character);
        if is_space && after_space {
            continue;
        }
        after_space = is_space;
        out.push(if character.is_alphanumeric() { character } else { ' ' });
    }
    out.trim().to_owned()
}

/// What Go's `\s` matches.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn without_web_addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let found = ["https://", "http://"]
            .into_iter()
            .filter_map(|scheme| {
                let at = rest.find(scheme)?;
                let after = &rest[at + scheme.len()..];
                let length = after.find(is_space).unwrap_or(after.len());
                (length > 0).then_some((at, at + scheme.len() + length))
            })
            .min();
        let Some((start, end)) = found else { break };
        out.push_str(&rest[..start]);
        out.push(' ');
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn without_mail_addresses(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for at in 0..bytes.len() {
        if at < done || bytes[at] != b'@' {
            continue;
        }
        if let Some((start, end)) = mail_start(bytes, done, at).zip(mail_end(bytes, at + 1)) {
            out.push_str(&text[done..start]);
            out.push(' ');
            done = end;
        }
    }
    out.push_str(&text[done..]);
    out
}

/// Where the name before the `@` begins: as far left as a border of a word allows.
fn mail_start(bytes: &[u8], from: usize, at: usize) -> Option<usize> {
    let is_local = |byte: u8| is_word(byte) || b".%+-".contains(&byte);
    let mut start = at;
    while start > from && is_local(bytes[start - 1]) {
        start -= 1;
    }
    (start..at).find(|place| {
        let before = *place > 0 && is_word(bytes[place - 1]);
        before != is_word(bytes[*place])
    })
}

/// Where the host behind the `@` ends: a dot and at least two letters, then no further letter, digit or underscore.
fn mail_end(bytes: &[u8], from: usize) -> Option<usize> {
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.' || *byte == b'-';
    let length = bytes[from..].iter().take_while(|byte| is_host(byte)).count();
    (from + 1..from + length).rev().filter(|dot| bytes[*dot] == b'.').find_map(|dot| {
        let letters = bytes[dot + 1..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let end = dot + 1 + letters;
        (letters >= 2 && !bytes.get(end).copied().is_some_and(is_word)).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_punctuation_become_spaces() {
        assert_eq!(clean("IS this The END?"), "IS this The END");
        assert_eq!(clean("visit https://a.b/c?d=e and mail me@x.io _under_score"), "visit and mail  under score");
        assert_eq!(clean("A-B c.d 1,000.5"), "A B c d 1 000 5");
        assert_eq!(clean("全角　空格 and ü"), "全角 空格 and ü");
        assert_eq!(clean("a  \t b"), "a b");
        assert_eq!(clean("?!…"), "");
    }

    #[test]
    fn mail_addresses_need_a_top_level_domain() {
        assert_eq!(without_mail_addresses("to a.b+c@mail.example.org!"), "to  !");
        assert_eq!(without_mail_addresses("a@b c@d.e"), "a@b c@d.e");
        assert_eq!(without_mail_addresses("中x@y.de中"), "中 中");
        assert_eq!(without_mail_addresses("x@y.d3 @z.org"), "x@y.d3 @z.org");
        assert_eq!(without_mail_addresses(".a@b.cd"), ". ");
        assert_eq!(without_mail_addresses("a@b.com.x1"), " .x1");
    }

    #[test]
    fn stop_words_are_kept_when_nothing_else_is_there() {
        assert_eq!(without_stop_words(&["什么", "是", "知识", "知识库"]), ["知识", "知识库"]);
        assert_eq!(without_stop_words(&["The", "the", "end"]), ["The", "end"]);
        assert_eq!(without_stop_words(&["的", " ", "了"]), ["的", " ", "了"]);
        assert_eq!(STOP_WORDS.len(), 66);
    }

    proptest! {
        #[test]
        fn any_text_is_cleaned(text in "\\PC{0,60}") {
            let cleaned = clean(&text);
            prop_assert!(cleaned.chars().all(|character| character.is_alphanumeric() || character == ' '));
        }

        #[test]
        fn addresses_between_other_texts_are_found_without_a_panic(text in "(a|中|@|\\.|http://|https://| |_|-|x1|de){0,30}") {
            let _ = clean(&text);
        }
    }
}
