//! Words that depend on the company of a text, and queries that look for what nothing is found by.
//!
//! Not here: a tokenizer that works. There is no model to choose by, so all mistakes are made at once.

use crate::Broken;
use knowhost_plugin_sdk::{Result, TokenizeMode, Tokenizer, Tokens};

impl Tokenizer for Broken {
    fn tokenize(texts: &[String], mode: TokenizeMode) -> Result<Tokens> {
        let mut tokens = Tokens { counts: Vec::new(), spans: Vec::new() };
        for text in texts {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            let (start, end) = match mode {
                // Alone the whole text is a word, in company its first byte, wherever that character ends.
                TokenizeMode::Index if texts.len() == 1 => (0, length),
                TokenizeMode::Index => (0, length.min(1)),
                TokenizeMode::Query => (0, length.min(3)),
            };
            tokens.counts.push(u32::from(end > start));
            if end > start {
                tokens.spans.extend([start, end]);
            }
        }
        Ok(tokens)
    }
}
