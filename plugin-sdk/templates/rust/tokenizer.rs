//! Cuts texts into words: runs of letters and digits, and each ideograph for itself.

use knowhost_plugin_sdk::{Result, TokenizeMode, Tokenizer, Tokens, export_plugin};

struct Plugin;

impl Tokenizer for Plugin {
    /// A text is found by the same words that a query looks for, so the mode makes no difference here.
    fn tokenize(texts: &[String], _mode: TokenizeMode) -> Result<Tokens> {
        let mut tokens = Tokens { counts: Vec::new(), spans: Vec::new() };
        for text in texts {
            let words = words(text);
            tokens.counts.push(words.len() as u32);
            tokens.spans.extend(words.into_iter().flatten());
        }
        Ok(tokens)
    }
}

/// First and last byte of each word.
fn words(text: &str) -> Vec<[u32; 2]> {
    let mut words: Vec<[u32; 2]> = Vec::new();
    let mut open = false;
    for (start, letter) in text.char_indices() {
        let end = (start + letter.len_utf8()) as u32;
        let stands_alone = matches!(u32::from(letter), 0x3400..=0x9fff | 0x2_0000..=0x3_ffff);
        match words.last_mut() {
            Some(word) if open && letter.is_alphanumeric() && !stands_alone => word[1] = end,
            _ if letter.is_alphanumeric() => words.push([start as u32, end]),
            _ => {}
        }
        open = letter.is_alphanumeric() && !stands_alone;
    }
    words
}

export_plugin!(Plugin: tokenizer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_ideographs_are_found() {
        let text = "Tea, 80 度!";
        let found: Vec<&str> = words(text).iter().map(|[start, end]| &text[*start as usize..*end as usize]).collect();
        assert_eq!(found, ["Tea", "80", "度"]);
    }
}
