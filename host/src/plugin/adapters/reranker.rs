//! The reranker socket over plugin calls: checked indices and scores, best first.
//!
//! Not here: the calls themselves (`plugin::calls`).

use super::row::Row;
use crate::plugin::wasm::wit::reranker as wit;
use crate::provider::{BoxFuture, CallContext, PluginIdentity, ProviderErrorKind, ProviderResult, RerankHit, Reranker};

pub(in crate::plugin) struct PluginReranker {
    row: Row,
    texts_per_call: usize,
}

impl PluginReranker {
    pub(super) fn new(row: Row) -> Self {
        let asked = row.plugin.manifest.limits.texts_per_call_max.and_then(|texts| usize::try_from(texts).ok());
        Self { row, texts_per_call: asked.unwrap_or(usize::MAX).max(1) }
    }

    async fn rerank_all(&self, context: &CallContext, query: &str, texts: &[String], top: Option<usize>) -> ProviderResult<Vec<RerankHit>> {
        let Some(pools) = &self.row.plugin.reranker else {
            return Err(self.row.error(ProviderErrorKind::Unsupported, "it is no reranker"));
        };
        let env = self.row.env(context);
        let mut all = Vec::with_capacity(texts.len());
        for (number, batch) in texts.chunks(self.texts_per_call).enumerate() {
            let request = wit::Request {
                model: self.row.model.clone(),
                query: query.to_owned(),
                texts: batch.to_vec(),
                top: top.map(|top| u32::try_from(top).unwrap_or(u32::MAX)),
            };
            let ranking = pools.call(env.clone(), request).answer().await?;
            let hits = self.checked(batch.len(), &ranking.hits)?;
            all.extend(hits.into_iter().map(|hit| RerankHit { index: hit.index + number * self.texts_per_call, ..hit }));
        }
        all.sort_by(|a, b| b.relevance_score.total_cmp(&a.relevance_score).then(a.index.cmp(&b.index)));
        all.truncate(top.unwrap_or(usize::MAX));
        Ok(all)
    }

    fn checked(&self, texts: usize, hits: &[wit::Hit]) -> ProviderResult<Vec<RerankHit>> {
        let fault = |text: String| self.row.error(ProviderErrorKind::PluginFault, text);
        let mut seen = vec![false; texts];
        hits.iter()
            .map(|hit| {
                let index = hit.index as usize;
                match seen.get_mut(index) {
                    None => return Err(fault(format!("it ranked text {index} of {texts}"))),
                    Some(true) => return Err(fault(format!("it ranked text {index} twice"))),
                    Some(first) => *first = true,
                }
                if !(0.0..=1.0).contains(&hit.relevance_score) {
                    return Err(fault(format!("its score {} is not between 0 and 1", hit.relevance_score)));
                }
                Ok(RerankHit { index, relevance_score: hit.relevance_score })
            })
            .collect()
    }
}

impl Reranker for PluginReranker {
    fn rerank<'a>(
        &'a self,
        context: &'a CallContext,
        query: &'a str,
        texts: &'a [String],
        top: Option<usize>,
    ) -> BoxFuture<'a, ProviderResult<Vec<RerankHit>>> {
        Box::pin(self.rerank_all(context, query, texts, top))
    }

    fn plugin(&self) -> &PluginIdentity {
        &self.row.plugin.identity
    }

    fn model_id(&self) -> &str {
        &self.row.model_id
    }
}
