//! Words for keyword search: jieba's dictionary for Chinese, spaces for most other scripts, pairs of characters where neither helps.
//!
//! Not here: lower case, stemming and stop words; the host does those. The dictionary is data with a licence of its own, see `data/NOTICE`.

mod spans;

use jieba_rs::Jieba;
use knowhost_plugin_sdk::{Error, Result, TokenizeMode, Tokenizer, Tokens, Warm, export_plugin};
use std::sync::OnceLock;

struct TokenizerJieba;

/// Parsed once, by `warm`, and then part of the image of every instance.
static JIEBA: OnceLock<Option<Jieba>> = OnceLock::new();
static DICTIONARY: &[u8] = include_bytes!("../data/dict.txt");

fn jieba() -> Result<&'static Jieba> {
    let loaded = JIEBA.get_or_init(|| Jieba::with_dict(&mut &*DICTIONARY).ok());
    loaded.as_ref().ok_or_else(|| Error::upstream("the dictionary of the tokenizer can not be read"))
}

impl Warm for TokenizerJieba {
    fn warm() {
        // The first cut fills tables of its own, which belong into the image too.
        let _ = Self::tokenize(&["预热 warm up".to_owned()], TokenizeMode::Index);
    }
}

impl Tokenizer for TokenizerJieba {
    fn tokenize(texts: &[String], mode: TokenizeMode) -> Result<Tokens> {
        // A query is cut like a chunk: the shorter words inside a long one find chunks where they stand alone.
        match mode {
            TokenizeMode::Index | TokenizeMode::Query => {}
        }
        let jieba = jieba()?;
        let mut tokens = Tokens { counts: Vec::with_capacity(texts.len()), spans: Vec::new() };
        let mut words = Vec::new();
        for text in texts {
            words.clear();
            spans::words(jieba, text, &mut words);
            tokens.counts.push(to_u32(words.len())?);
            for (start, end) in &words {
                tokens.spans.push(to_u32(*start)?);
                tokens.spans.push(to_u32(*end)?);
            }
        }
        Ok(tokens)
    }
}

fn to_u32(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::too_long("a text of more than 4 GB can not be cut into words"))
}

export_plugin!(TokenizerJieba: tokenizer, warm);

#[cfg(test)]
mod tests;
