//! A chat over a real store whose models and searches are played by the test.
//!
//! Not here: the tests; those of `http` use it too.

use super::text::testing::hit;
use super::{Chat, ChatParts, FindQuery, Finder, Hit};
use crate::config::Conversation;
use crate::domain::{KnowledgeBase, Model, ModelParameters, ModelStatus, ModelType, Session, TenantScope, Timestamp};
use crate::error::Result;
use crate::provider::{
    BoxFuture, CallContext, Catalogue, ChatDelta, ChatFinish, ChatModel, ChatRequest, ChatStream, ChatTask, Embedder, ModelRows,
    PluginIdentity, PluginSource, ProviderError, ProviderErrorKind, ProviderResult, Registry, RerankHit, Reranker, Span, TokenizeMode,
    Tokenizer,
};
use crate::store::Store;
use crate::stream::Streams;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

static PLUGIN: LazyLock<PluginIdentity> =
    LazyLock::new(|| PluginIdentity { name: "fake".into(), version: "1.0.0".into(), digest: String::new() });

pub(crate) fn refusal(kind: ProviderErrorKind) -> ProviderError {
    ProviderError::new(kind, "fake 1.0.0", "bad key")
}

/// What the chat model does with its next request.
pub(crate) enum Script {
    /// These pieces, then the end.
    Say(&'static [&'static str]),
    /// These pieces, then a failure.
    Break(&'static [&'static str]),
    Refuse(ProviderErrorKind),
    Panic,
    /// What the test sends, until it drops its end.
    Wait(mpsc::Receiver<&'static str>),
}

#[derive(Default)]
pub(crate) struct FakeChat {
    pub(crate) scripts: Mutex<VecDeque<Script>>,
    pub(crate) requests: Mutex<Vec<ChatRequest>>,
    pub(crate) tasks: Mutex<Vec<ChatTask>>,
}

impl FakeChat {
    pub(crate) fn will(&self, script: Script) {
        self.scripts.lock().expect("free").push_back(script);
    }

    pub(crate) fn last_request(&self) -> ChatRequest {
        self.requests.lock().expect("free").last().cloned().expect("a request")
    }
}

fn end() -> ProviderResult<ChatDelta> {
    Ok(ChatDelta::End { finish: ChatFinish::Stop, usage: None })
}

impl ChatModel for FakeChat {
    fn chat_stream<'a>(&'a self, _context: &'a CallContext, request: ChatRequest) -> BoxFuture<'a, ProviderResult<ChatStream>> {
        self.requests.lock().expect("free").push(request);
        let script = self.scripts.lock().expect("free").pop_front().unwrap_or(Script::Say(&["answer"]));
        let said = |pieces: &'static [&'static str]| pieces.iter().map(|piece| Ok(ChatDelta::Text((*piece).into())));
        Box::pin(async move {
            match script {
                Script::Say(pieces) => Ok(futures_util::stream::iter(said(pieces).chain([end()]).collect::<Vec<_>>()).boxed()),
                Script::Break(pieces) => {
                    let failure = Err(refusal(ProviderErrorKind::Upstream));
                    Ok(futures_util::stream::iter(said(pieces).chain([failure]).collect::<Vec<_>>()).boxed())
                }
                Script::Refuse(kind) => Err(refusal(kind)),
                Script::Panic => panic!("planned"),
                Script::Wait(pieces) => Ok(futures_util::stream::unfold(Some(pieces), |pieces| async {
                    let mut pieces = pieces?;
                    match pieces.recv().await {
                        Some(piece) => Some((Ok(ChatDelta::Text(piece.into())), Some(pieces))),
                        None => Some((end(), None)),
                    }
                })
                .boxed()),
            }
        })
    }

    fn can(&self, task: ChatTask) -> bool {
        task == ChatTask::Answer || self.tasks.lock().expect("free").contains(&task)
    }

    fn plugin(&self) -> &PluginIdentity {
        &PLUGIN
    }

    fn model_id(&self) -> &str {
        "chat-1"
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Judge {
    Score(f32),
    Fail,
    Silent,
}

pub(crate) struct FakeReranker {
    pub(crate) judge: Mutex<Judge>,
    pub(crate) queries: Mutex<Vec<String>>,
}

impl Reranker for FakeReranker {
    fn rerank<'a>(
        &'a self,
        _context: &'a CallContext,
        query: &'a str,
        texts: &'a [String],
        _top: Option<usize>,
    ) -> BoxFuture<'a, ProviderResult<Vec<RerankHit>>> {
        self.queries.lock().expect("free").push(query.to_owned());
        let judge = *self.judge.lock().expect("free");
        Box::pin(async move {
            match judge {
                Judge::Score(score) => {
                    // The last is the best, so that a rerank shows.
                    let judged = |index: usize| RerankHit { index, relevance_score: score - 0.01 * (texts.len() - index) as f32 };
                    Ok((0..texts.len()).rev().map(judged).collect())
                }
                Judge::Fail => Err(refusal(ProviderErrorKind::Upstream)),
                Judge::Silent => Ok(Vec::new()),
            }
        })
    }

    fn plugin(&self) -> &PluginIdentity {
        &PLUGIN
    }

    fn model_id(&self) -> &str {
        "rerank-1"
    }
}

struct Words;

impl Tokenizer for Words {
    fn tokenize<'a>(&'a self, texts: &'a [String], _mode: TokenizeMode) -> BoxFuture<'a, ProviderResult<Vec<Vec<Span>>>> {
        let spans = texts.iter().map(|text| {
            let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
            text.split_whitespace().map(|word| Span { start: start_of(word), end: start_of(word) + word.len() }).collect()
        });
        let spans = spans.collect();
        Box::pin(async move { Ok(spans) })
    }

    fn plugin(&self) -> &PluginIdentity {
        &PLUGIN
    }
}

struct FakePlugins {
    chat: Arc<FakeChat>,
    reranker: Arc<FakeReranker>,
}

impl PluginSource for FakePlugins {
    fn embedder(&self, _model: &Model) -> Result<Arc<dyn Embedder>, ProviderError> {
        Err(refusal(ProviderErrorKind::Unsupported))
    }

    fn reranker(&self, _model: &Model) -> Result<Arc<dyn Reranker>, ProviderError> {
        Ok(Arc::clone(&self.reranker) as Arc<dyn Reranker>)
    }

    fn chat_model(&self, _model: &Model) -> Result<Arc<dyn ChatModel>, ProviderError> {
        Ok(Arc::clone(&self.chat) as Arc<dyn ChatModel>)
    }

    fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        Arc::new(Words)
    }

    fn catalogue(&self, _plugin: &str, _base_url: &str) -> Result<Arc<dyn Catalogue>, ProviderError> {
        Err(refusal(ProviderErrorKind::Unsupported))
    }

    fn sources(&self) -> Vec<String> {
        vec!["remote".into()]
    }

    fn check_settings(&self, _model: &Model) -> Result<(), ProviderError> {
        Ok(())
    }
}

/// Knows `chat-1`, `rerank-1`, the built-in chat model, and what is in the store.
struct FakeRows(Store);

impl ModelRows for FakeRows {
    fn find_model<'a>(&'a self, scope: &'a TenantScope, id: &'a str) -> BoxFuture<'a, Result<Option<Model>>> {
        let model_type = match id {
            "chat-1" | crate::provider::BUILTIN_CHAT => Some(ModelType::KnowledgeQA),
            "rerank-1" => Some(ModelType::Rerank),
            _ => None,
        };
        let model = model_type.map(|model_type| Model {
            id: id.into(),
            tenant_id: crate::domain::TenantId(0),
            name: id.into(),
            model_type,
            source: "remote".into(),
            description: String::new(),
            parameters: ModelParameters::default(),
            is_default: false,
            status: ModelStatus::Active,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        });
        Box::pin(async move { if model.is_some() { Ok(model) } else { self.0.find_model(scope, id).await } })
    }

    fn find_default_model<'a>(&'a self, _scope: &'a TenantScope, _model_type: ModelType) -> BoxFuture<'a, Result<Option<Model>>> {
        Box::pin(async { Ok(None) })
    }
}

#[derive(Default)]
pub(crate) struct FakeFinder {
    pub(crate) hits: Mutex<Vec<Hit>>,
    pub(crate) queries: Mutex<Vec<FindQuery>>,
}

impl FakeFinder {
    pub(crate) fn texts(&self) -> Vec<String> {
        self.queries.lock().expect("free").drain(..).map(|query| query.text).collect()
    }
}

impl Finder for FakeFinder {
    fn find<'a>(&'a self, _context: &'a CallContext, _scope: &'a TenantScope, query: &'a FindQuery) -> BoxFuture<'a, Result<Vec<Hit>>> {
        self.queries.lock().expect("free").push(query.clone());
        let hits = self.hits.lock().expect("free").clone();
        Box::pin(async move { Ok(hits) })
    }
}

pub(crate) struct TestChat {
    pub(crate) chat: Chat,
    pub(crate) store: Store,
    pub(crate) model: Arc<FakeChat>,
    pub(crate) reranker: Arc<FakeReranker>,
    pub(crate) finder: Arc<FakeFinder>,
    pub(crate) tracker: TaskTracker,
}

/// Finds one chunk, `c1`, unless the test says otherwise.
pub(crate) fn chat_over(store: Store) -> TestChat {
    let model = Arc::new(FakeChat::default());
    let reranker = Arc::new(FakeReranker { judge: Mutex::new(Judge::Score(0.9)), queries: Mutex::default() });
    let finder = Arc::new(FakeFinder::default());
    *finder.hits.lock().expect("free") = vec![hit("c1", 0, "Each tenant keeps its papers apart.", 0.9)];
    let tracker = TaskTracker::new();
    let plugins = FakePlugins { chat: Arc::clone(&model), reranker: Arc::clone(&reranker) };
    let chat = Chat::new(ChatParts {
        store: store.clone(),
        registry: Registry::new(Arc::new(FakeRows(store.clone())), Arc::new(plugins)),
        finder: Arc::clone(&finder) as Arc<dyn Finder>,
        streams: Streams::new(),
        spawner: Arc::new(tracker.clone()),
        conversation: Conversation::builtin(),
    });
    TestChat { chat, store, model, reranker, finder, tracker }
}

/// A session of the contract's defaults, with `no idea` as its fallback.
pub(crate) async fn a_session(store: &Store, scope: &TenantScope) -> (KnowledgeBase, Session) {
    let kb = KnowledgeBase { name: "kb".into(), ..KnowledgeBase::default() };
    let kb = store.create_knowledge_base(scope, &kb).await.expect("created");
    let session = Session {
        knowledge_base_id: kb.id.clone(),
        max_rounds: 5,
        enable_rewrite: true,
        fallback_response: "no idea".into(),
        embedding_top_k: 10,
        rerank_top_k: 5,
        rerank_threshold: 0.5,
        summary_model_id: "chat-1".into(),
        summary_parameters: Conversation::builtin().summary,
        ..Session::default()
    };
    let session = store.create_session(scope, &session).await.expect("created");
    (kb, session)
}
