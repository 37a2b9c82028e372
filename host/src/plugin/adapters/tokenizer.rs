//! The tokenizer socket over plugin calls: batches, spans checked against their texts.
//!
//! Not here: the calls themselves (`plugin::calls`).

use crate::domain::TenantId;
use crate::limits;
use crate::plugin::asks::Secrets;
use crate::plugin::loaded::Plugin;
use crate::plugin::wasm::TokenizeRequest;
use crate::plugin::wasm::wit::tokenizer as wit;
use crate::provider::{
    BoxFuture, CallContext, PluginIdentity, ProviderError, ProviderErrorKind, ProviderResult, Span, TokenizeMode, Tokenizer,
};
use std::sync::Arc;

pub(in crate::plugin) struct PluginTokenizer {
    pub(super) plugin: Arc<Plugin>,
}

impl PluginTokenizer {
    async fn tokenize_all(&self, texts: &[String], mode: TokenizeMode) -> ProviderResult<Vec<Vec<Span>>> {
        let Some(pools) = &self.plugin.tokenizer else {
            return Err(ProviderError::new(ProviderErrorKind::Unsupported, self.plugin.identity.to_string(), "it is no tokenizer"));
        };
        // The socket has no caller: a query is what a person waits for. Words depend on nothing of a tenant.
        let context = match mode {
            TokenizeMode::Query => CallContext::interactive(TenantId(0), "", limits::PLUGIN_TOKENIZE),
            TokenizeMode::Index => CallContext::background(TenantId(0), "", limits::PLUGIN_TOKENIZE),
        };
        let mut all = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(batch_length(rest));
            rest = after;
            let env = self.plugin.env(&context, None, Secrets::default());
            let request = TokenizeRequest {
                texts: batch.to_vec(),
                mode: match mode {
                    TokenizeMode::Index => wit::Mode::Index,
                    TokenizeMode::Query => wit::Mode::Query,
                },
            };
            let tokens = pools.call(env, request).answer().await?;
            let spans = checked(batch, &tokens)
                .map_err(|text| ProviderError::new(ProviderErrorKind::PluginFault, self.plugin.identity.to_string(), text))?;
            all.extend(spans);
        }
        Ok(all)
    }
}

/// As many texts as one turn should take, at least one.
fn batch_length(texts: &[String]) -> usize {
    let mut bytes = 0;
    let fits = texts.iter().take_while(|text| {
        bytes += text.len();
        bytes <= limits::TOKENIZE_BATCH_BYTES
    });
    fits.count().max(1)
}

fn checked(texts: &[String], tokens: &wit::Tokens) -> Result<Vec<Vec<Span>>, String> {
    if tokens.counts.len() != texts.len() {
        return Err(format!("it gave words for {} texts of {}", tokens.counts.len(), texts.len()));
    }
    let words: u64 = tokens.counts.iter().map(|count| u64::from(*count)).sum();
    if words * 2 != tokens.spans.len() as u64 {
        return Err(format!("it gave {} offsets for {words} words", tokens.spans.len()));
    }
    let mut offsets = tokens.spans.chunks_exact(2);
    let text_spans = |(text, count): (&String, &u32)| {
        let mut start_before = 0;
        let span = |pair: &[u32]| {
            let (start, end) = (pair[0] as usize, pair[1] as usize);
            if start >= end || start < start_before || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
                return Err(format!("it gave the word {start}..{end} of a text of {} bytes", text.len()));
            }
            start_before = start;
            Ok(Span { start, end })
        };
        offsets.by_ref().take(*count as usize).map(span).collect()
    };
    texts.iter().zip(&tokens.counts).map(text_spans).collect()
}

impl Tokenizer for PluginTokenizer {
    fn tokenize<'a>(&'a self, texts: &'a [String], mode: TokenizeMode) -> BoxFuture<'a, ProviderResult<Vec<Vec<Span>>>> {
        Box::pin(self.tokenize_all(texts, mode))
    }

    fn plugin(&self) -> &PluginIdentity {
        &self.plugin.identity
    }
}

/// Stands where no tokenizer is loaded, and says so.
pub(in crate::plugin) struct MissingTokenizer(pub(super) PluginIdentity);

impl Tokenizer for MissingTokenizer {
    fn tokenize<'a>(&'a self, _texts: &'a [String], _mode: TokenizeMode) -> BoxFuture<'a, ProviderResult<Vec<Vec<Span>>>> {
        let error = ProviderError::new(ProviderErrorKind::NotFound, self.0.name.clone(), "this tokenizer is not loaded");
        Box::pin(std::future::ready(Err(error)))
    }

    fn plugin(&self) -> &PluginIdentity {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], counts: &[u32], spans: &[u32]) -> Result<Vec<Vec<Span>>, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        checked(&texts, &wit::Tokens { counts: counts.to_vec(), spans: spans.to_vec() })
    }

    #[test]
    fn spans_go_to_their_texts() {
        let spans = check(&["ab cd", "", "知识"], &[2, 0, 1], &[0, 2, 3, 5, 0, 6]).unwrap();
        assert_eq!(spans[0], [Span { start: 0, end: 2 }, Span { start: 3, end: 5 }]);
        assert_eq!((spans[1].len(), spans[2][0]), (0, Span { start: 0, end: 6 }));
    }

    #[test]
    fn wrong_spans_are_refused() {
        assert!(check(&["ab"], &[], &[]).is_err(), "too few texts");
        assert!(check(&["ab"], &[1], &[0]).is_err(), "half a word");
        assert!(check(&["ab"], &[2], &[0, 1]).is_err(), "fewer words than counted");
        assert!(check(&["知"], &[1], &[0, 2]).is_err(), "inside a character");
        assert!(check(&["ab"], &[1], &[0, 3]).is_err(), "beyond the end");
        assert!(check(&["ab"], &[1], &[1, 1]).is_err(), "empty");
        assert!(check(&["abcd"], &[2], &[2, 3, 0, 1]).is_err(), "out of order");
        assert!(check(&["ab"], &[u32::MAX, 1], &[0, 1]).is_err(), "counts that overflow");
    }

    #[test]
    fn batches_are_cut_by_bytes_and_hold_at_least_one_text() {
        let big = "x".repeat(limits::TOKENIZE_BATCH_BYTES);
        assert_eq!(batch_length(&[big.clone() + "y", "z".into()]), 1);
        assert_eq!(batch_length(&[big, "z".into()]), 1);
        assert_eq!(batch_length(&["a".into(), "b".into()]), 2);
    }
}
