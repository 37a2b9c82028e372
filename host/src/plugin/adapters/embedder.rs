//! The embedder socket over plugin calls: batches, checked rows of unit length.
//!
//! Not here: the calls themselves (`plugin::calls`).

use super::row::Row;
use crate::limits;
use crate::plugin::binary::digest_of;
use crate::plugin::wasm::wit::embedder as wit;
use crate::provider::{
    BoxFuture, CallContext, EmbedPurpose, Embedder, Embeddings, PluginIdentity, ProviderErrorKind, ProviderResult, ScoreMap, Usage,
};

pub(in crate::plugin) struct PluginEmbedder {
    row: Row,
    dimensions: Option<u32>,
    digest: String,
    score_map: ScoreMap,
    texts_per_call: usize,
}

impl PluginEmbedder {
    pub(super) fn new(row: Row, dimension: i64) -> Self {
        let dimensions = u32::try_from(dimension).ok().filter(|dimension| *dimension > 0);
        let brought = row.manifest_model.as_ref();
        let score_map = ScoreMap { points: brought.map(|model| model.score_map.clone()).unwrap_or_default() };
        let digest = match brought.and_then(|model| model.digest.clone()) {
            Some(digest) => digest,
            None => digest_of(format!("{}\n{dimensions:?}", row.fingerprint()).as_bytes()),
        };
        let asked = row.plugin.manifest.limits.texts_per_call_max.and_then(|texts| usize::try_from(texts).ok());
        let texts_per_call = asked.unwrap_or(usize::MAX).clamp(1, limits::EMBED_BATCH_TEXTS);
        Self { row, dimensions, digest, score_map, texts_per_call }
    }

    async fn embed_all(&self, context: &CallContext, purpose: EmbedPurpose, texts: &[String]) -> ProviderResult<Embeddings> {
        let Some(pools) = &self.row.plugin.embedder else {
            return Err(self.row.error(ProviderErrorKind::Unsupported, "it is no embedder"));
        };
        let env = self.row.env(context);
        let mut all = Embeddings { dimension: 0, data: Vec::new(), usage: None };
        for batch in texts.chunks(self.texts_per_call) {
            let request = wit::Request {
                model: self.row.model.clone(),
                purpose: match purpose {
                    EmbedPurpose::Chunk => wit::Purpose::Chunk,
                    EmbedPurpose::Query => wit::Purpose::Query,
                },
                texts: batch.to_vec(),
                dimensions: self.dimensions,
            };
            let answer = pools.call(env.clone(), request).answer().await?;
            self.take(&mut all, batch.len(), answer)?;
        }
        Ok(all)
    }

    /// Checks a batch, brings its rows to unit length and appends them.
    fn take(&self, all: &mut Embeddings, texts: usize, answer: wit::Embeddings) -> ProviderResult<()> {
        let fault = |text: String| Err(self.row.error(ProviderErrorKind::PluginFault, text));
        let dimension = answer.dimension as usize;
        if dimension == 0 || dimension.checked_mul(texts) != Some(answer.data.len()) {
            return fault(format!("it gave {} numbers for {texts} texts of dimension {dimension}", answer.data.len()));
        }
        if all.dimension != 0 && all.dimension != dimension {
            return fault(format!("its dimension changed from {} to {dimension} between two batches", all.dimension));
        }
        if !answer.data.iter().all(|number| number.is_finite()) {
            return fault("it gave a number that is not finite".into());
        }
        all.dimension = dimension;
        all.data.reserve(answer.data.len());
        for row in answer.data.chunks_exact(dimension) {
            let length = row.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
            // A row of zeros (a text without any known word) stays: it is similar to nothing.
            let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
            all.data.extend(row.iter().map(|number| (f64::from(*number) * scale) as f32));
        }
        if let Some(usage) = answer.usage {
            let sum = all.usage.get_or_insert_with(Usage::default);
            sum.input_tokens = sum.input_tokens.saturating_add(usage.input_tokens);
            sum.output_tokens = sum.output_tokens.saturating_add(usage.output_tokens);
        }
        Ok(())
    }
}

impl Embedder for PluginEmbedder {
    fn embed<'a>(
        &'a self,
        context: &'a CallContext,
        purpose: EmbedPurpose,
        texts: &'a [String],
    ) -> BoxFuture<'a, ProviderResult<Embeddings>> {
        Box::pin(self.embed_all(context, purpose, texts))
    }

    fn plugin(&self) -> &PluginIdentity {
        &self.row.plugin.identity
    }

    fn model_id(&self) -> &str {
        &self.row.model_id
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn score_map(&self) -> &ScoreMap {
        &self.score_map
    }
}
