//! Words that depend on the company of a text, and queries that look for what nothing is found by.
//!
//! Not here: a tokenizer that works. There is no model to choose by, so all mistakes are made at once.

use crate::Broken;
use knowhost_plugin_sdk::{Result, TokenizeMode, Tokenizer, Tokens};

impl Tokenizer for Broken {
    fn tokenize(texts: &[String], mode: TokenizeMode) -> Result<Tokens> {
        let mut tokens = Tokens { counts: Vec::new(), spans: Vec::new() };
        for text in texts {
            let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
            let first = text.chars().next().map_or(0, |letter| letter.len_utf8() as u32);
            let (start, end) = match mode {
                // Cuts a letter of four bytes in two.
                _ if text.contains('𠮷') => (0, length(text).saturating_sub(1)),
                // Alone the whole text is a word, in company its first letter.
                TokenizeMode::Index if texts.len() == 1 => (0, length(text)),
                TokenizeMode::Index => (0, first),
                TokenizeMode::Query => (0, length(text)),
            };
            tokens.counts.push(u32::from(end > start));
            if end > start {
                tokens.spans.extend([start, end]);
            }
        }
        Ok(tokens)
    }
}
