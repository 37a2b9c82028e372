//! Models played for tests of the work rooms: an embedder and a tokenizer that go by words, and a chat model that can be told what to do.
//!
//! Not here: plugins. The chat room plays models of its own, because its tests script every piece of an answer.

use super::{
    BUILTIN_CHAT, BUILTIN_EMBED, BoxFuture, CallContext, Catalogue, CatalogueEntry, ChatDelta, ChatFinish, ChatModel, ChatRequest,
    ChatStream, ChatTask, EmbedPurpose, Embedder, Embeddings, ModelRows, PluginIdentity, PluginSource, ProviderError, ProviderErrorKind,
    ProviderResult, PullProgress, Registry, RerankHit, Reranker, ScoreMap, Span, TokenizeMode, Tokenizer,
};
use crate::domain::{Model, ModelParameters, ModelStatus, ModelType, TenantId, TenantScope, Timestamp};
use crate::error::Result;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use tokio::sync::mpsc;

static PLUGIN: LazyLock<PluginIdentity> =
    LazyLock::new(|| PluginIdentity { name: "played".into(), version: "1.0.0".into(), digest: "d".into() });

pub(crate) const DIMENSION: usize = 16;

/// Plays everything; what it does can be changed while it is used.
#[derive(Default)]
pub(crate) struct PlayedModels {
    /// Texts embedded so far.
    pub(crate) embedded: AtomicUsize,
    /// Errors that the next calls of the embedder answer with, the last first.
    pub(crate) faults: Mutex<Vec<ProviderErrorKind>>,
    pub(crate) digest: String,
    /// The chat model can sum up and says this.
    pub(crate) summary: Option<String>,
    pub(crate) map: ScoreMap,
    /// What every text is embedded as; `None`: by its words.
    pub(crate) vector: Option<Vec<f32>>,
    /// What each call of the embedder was for.
    pub(crate) purposes: Mutex<Vec<EmbedPurpose>>,
    /// What each call of the tokenizer was for.
    pub(crate) modes: Mutex<Vec<TokenizeMode>>,
    /// The catalogue; `None`: its server is not there.
    pub(crate) installed: Mutex<Option<Vec<String>>>,
    /// What the next pull tells; without it a pull ends at once.
    pub(crate) pull: Mutex<Option<mpsc::Receiver<ProviderResult<PullProgress>>>>,
    /// Requests to the chat model so far.
    pub(crate) asked: Mutex<Vec<ChatRequest>>,
}

impl PlayedModels {
    pub(crate) fn registry(self: &Arc<Self>) -> Registry {
        Registry::new(Arc::new(Rows), Arc::new(Source(self.clone())))
    }
}

impl Embedder for PlayedModels {
    fn embed<'a>(&'a self, _: &'a CallContext, purpose: EmbedPurpose, texts: &'a [String]) -> BoxFuture<'a, ProviderResult<Embeddings>> {
        Box::pin(async move {
            self.purposes.lock().unwrap().push(purpose);
            if let Some(kind) = self.faults.lock().unwrap().pop() {
                return Err(ProviderError::new(kind, "played 1.0.0", "it was told to fail"));
            }
            self.embedded.fetch_add(texts.len(), Ordering::SeqCst);
            let dimension = self.vector.as_ref().map_or(DIMENSION, Vec::len);
            let data = texts.iter().flat_map(|text| self.vector.clone().unwrap_or_else(|| vector(text))).collect();
            Ok(Embeddings { dimension, data, usage: None })
        })
    }

    fn plugin(&self) -> &PluginIdentity {
        &PLUGIN
    }

    fn model_id(&self) -> &str {
        BUILTIN_EMBED
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn score_map(&self) -> &ScoreMap {
        &self.map
    }
}

/// Words fall into slots, so that texts with the same words are alike.
fn vector(text: &str) -> Vec<f32> {
    let mut row = vec![0.01_f32; DIMENSION];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        row[word.bytes().map(usize::from).sum::<usize>() % DIMENSION] += 1.0;
    }
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    row.into_iter().map(|x| x / length).collect()
}

impl Tokenizer for PlayedModels {
    fn tokenize<'a>(&'a self, texts: &'a [String], mode: TokenizeMode) -> BoxFuture<'a, ProviderResult<Vec<Vec<Span>>>> {
        self.modes.lock().unwrap().push(mode);
        let spans = |text: &String| {
            let mut spans = Vec::new();
            let mut start = None;
            for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
                match (start, c.is_alphanumeric()) {
                    (None, true) => start = Some(at),
                    (Some(from), false) => {
                        spans.push(Span { start: from, end: at });
                        start = None;
                    }
                    (None, false) | (Some(_), true) => {}
                }
            }
            spans
        };
        let all = texts.iter().map(spans).collect();
        Box::pin(async move { Ok(all) })
    }

    fn plugin(&self) -> &PluginIdentity {
        &PLUGIN
    }
}

impl ChatModel for PlayedModels {
    fn chat_stream<'a>(&'a self, _: &'a CallContext, request: ChatRequest) -> BoxFuture<'a, ProviderResult<ChatStream>> {
        self.asked.lock().unwrap().push(request);
        if let Some(kind) = self.faults.lock().unwrap().pop() {
            return Box::pin(async move { Err(ProviderError::new(kind, "played 1.0.0", "it was told to fail with sk-secret-of-a-test")) });
        }
        let said = self.summary.clone().unwrap_or_default();
        let deltas = [Ok(ChatDelta::Text(said)), Ok(ChatDelta::End { finish: ChatFinish::Stop, usage: None })];
        Box::pin(async move { Ok(futures_util::stream::iter(deltas).boxed()) })
    }

    fn can(&self, task: ChatTask) -> bool {
        task == ChatTask::Summary && self.summary.is_some()
    }

    fn plugin(&self) -> &PluginIdentity {
        &PLUGIN
    }

    fn model_id(&self) -> &str {
        BUILTIN_CHAT
    }
}

impl Reranker for PlayedModels {
    fn rerank<'a>(
        &'a self,
        _: &'a CallContext,
        _: &'a str,
        texts: &'a [String],
        _: Option<usize>,
    ) -> BoxFuture<'a, ProviderResult<Vec<RerankHit>>> {
        Box::pin(async move {
            match self.faults.lock().unwrap().pop() {
                Some(kind) => Err(ProviderError::new(kind, "played 1.0.0", "it was told to fail")),
                None => Ok((0..texts.len()).map(|index| RerankHit { index, relevance_score: 0.5 }).collect()),
            }
        })
    }

    fn plugin(&self) -> &PluginIdentity {
        &PLUGIN
    }

    fn model_id(&self) -> &str {
        ""
    }
}

impl PlayedModels {
    fn present(&self) -> ProviderResult<Vec<String>> {
        let gone = || ProviderError::new(ProviderErrorKind::Upstream, "played 1.0.0", "no connection");
        self.installed.lock().unwrap().clone().ok_or_else(gone)
    }
}

impl Catalogue for PlayedModels {
    fn status<'a>(&'a self, _: &'a CallContext) -> BoxFuture<'a, ProviderResult<String>> {
        Box::pin(async move { self.present().map(|_| "0.11.4".to_owned()) })
    }

    fn models<'a>(&'a self, _: &'a CallContext) -> BoxFuture<'a, ProviderResult<Vec<CatalogueEntry>>> {
        let entry = |name| CatalogueEntry { name, size_bytes: 1, digest: String::new(), modified_at: String::new() };
        Box::pin(async move { Ok(self.present()?.into_iter().map(entry).collect()) })
    }

    fn check<'a>(&'a self, _: &'a CallContext, name: &'a str) -> BoxFuture<'a, ProviderResult<bool>> {
        Box::pin(async move { Ok(self.present()?.iter().any(|there| there.split(':').next() == Some(name))) })
    }

    fn pull<'a>(
        &'a self,
        context: &'a CallContext,
        _: &'a str,
    ) -> BoxFuture<'a, ProviderResult<BoxStream<'static, ProviderResult<PullProgress>>>> {
        let told = self.pull.lock().unwrap().take();
        let cancel = context.cancel.clone();
        Box::pin(async move {
            self.present()?;
            let Some(told) = told else { return Ok(futures_util::stream::empty().boxed()) };
            let told = futures_util::stream::unfold((told, cancel), |(mut told, cancel)| async move {
                let next = tokio::select! {
                    () = cancel.cancelled() => Some(Err(ProviderError::new(ProviderErrorKind::Cancelled, "played 1.0.0", "cancelled"))),
                    next = told.recv() => next,
                };
                next.map(|next| (next, (told, cancel)))
            });
            Ok(told.boxed())
        })
    }

    fn remove<'a>(&'a self, _: &'a CallContext, _: &'a str) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async { absent() })
    }
}

struct Source(Arc<PlayedModels>);

fn absent<T>() -> Result<T, ProviderError> {
    Err(ProviderError::new(ProviderErrorKind::NotFound, "played", "not played"))
}

impl PluginSource for Source {
    fn embedder(&self, _: &Model) -> Result<Arc<dyn Embedder>, ProviderError> {
        Ok(self.0.clone())
    }
    fn reranker(&self, _: &Model) -> Result<Arc<dyn Reranker>, ProviderError> {
        Ok(self.0.clone())
    }
    fn chat_model(&self, _: &Model) -> Result<Arc<dyn ChatModel>, ProviderError> {
        Ok(self.0.clone())
    }
    fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        self.0.clone()
    }
    fn catalogue(&self, _: &str, _: &str) -> Result<Arc<dyn Catalogue>, ProviderError> {
        Ok(self.0.clone())
    }
    fn sources(&self) -> Vec<String> {
        vec!["embedder-local".into(), "remote".into()]
    }
    fn check_settings(&self, model: &Model) -> Result<(), ProviderError> {
        match model.parameters.settings.get("refused") {
            None => Ok(()),
            Some(value) => Err(ProviderError::new(ProviderErrorKind::Invalid, "played", format!("refused is {value}"))),
        }
    }
}

/// The built-in models and no others.
struct Rows;

impl ModelRows for Rows {
    fn find_model<'a>(&'a self, _: &'a TenantScope, id: &'a str) -> BoxFuture<'a, Result<Option<Model>>> {
        let model_type = match id {
            BUILTIN_EMBED => Some(ModelType::Embedding),
            BUILTIN_CHAT => Some(ModelType::KnowledgeQA),
            _ => None,
        };
        let model = model_type.map(|model_type| Model {
            id: id.into(),
            tenant_id: TenantId(0),
            name: id.into(),
            model_type,
            source: "played".into(),
            description: String::new(),
            parameters: ModelParameters::default(),
            is_default: true,
            status: ModelStatus::Active,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        });
        Box::pin(async move { Ok(model) })
    }

    fn find_default_model<'a>(&'a self, _: &'a TenantScope, _: ModelType) -> BoxFuture<'a, Result<Option<Model>>> {
        Box::pin(async { Ok(None) })
    }
}

/// Plays the web: an address and what stands there, as media type and bytes.
#[derive(Default)]
pub(crate) struct PlayedPages(pub(crate) Mutex<std::collections::HashMap<String, (String, Vec<u8>)>>);

impl super::Pages for PlayedPages {
    fn open<'a>(&'a self, _: &'a CallContext, url: &'a str) -> BoxFuture<'a, Result<super::Page>> {
        let found = self.0.lock().unwrap().get(url).cloned();
        Box::pin(async move {
            let (content_type, bytes) = found.ok_or_else(|| crate::error::Error::bad_request("The address answered with status 404."))?;
            let body = futures_util::stream::iter([Ok(bytes)]).boxed();
            Ok(super::Page { url: url.to_owned(), content_type, body })
        })
    }
}
