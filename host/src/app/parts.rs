//! Builds the rooms' parts in the order of their needs, starts their tasks and ends them.
//!
//! Not here: the first tenant and the sample (`sample`).

use super::LOCAL_KEY_SECRET;
use super::model_calls::RegistryModels;
use super::secrets::Secrets;
use super::upkeep;
use crate::chat::{Chat, ChatParts, FindQuery, Finder, Hit, Story};
use crate::config::{Fusion, Settings, TenantCreation};
use crate::domain::{Model, ModelParameters, ModelType, ScopeOf, Session, TenantId, TenantScope};
use crate::error::Result as HostResult;
use crate::evaluate::datasets::Datasets;
use crate::evaluate::{EvaluationParts, Evaluations};
use crate::files::Files;
use crate::http::AppState;
use crate::index::Follower;
use crate::ingest::parse::ParseChild;
use crate::ingest::{Ingest, IngestParts, Purge};
use crate::jobs::{JobHandler, Jobs, Worker};
use crate::library::access::{self, Access, LocalOwnership, Proof};
use crate::library::downloads::Downloads;
use crate::library::initialization::{Initialization, InitializationSettings};
use crate::library::knowledge::{NewDocument, Taken};
use crate::library::sessions::Strategy;
use crate::library::{Documents, IndexCare, Library, LibrarySettings, tenants};
use crate::limits;
use crate::plugin::{Compiler, ModelCalls, Plugins, PluginsConfig};
use crate::provider::{BUILTIN_CHAT, BUILTIN_EMBED, BUILTIN_EMBED_FULL, BUILTIN_RERANK, BoxFuture, CallContext, ModelRows, Registry};
use crate::search::{Candidate, FusionOrder, HybridQuery, Search};
use crate::store::{BuiltinModel, Store};
use crate::stream::Streams;
use anyhow::{Context, Result};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Length of made secrets: 32 bytes for AES-256, 43 characters of six bits for 258 bits.
const AES_KEY_BYTES: usize = 32;
const JWT_SECRET_CHARS: usize = 43;
const LOCAL_KEY_CHARS: usize = 43;

pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) plugins: Arc<Plugins>,
    /// Held here, because the plugins hold it weakly: it leads back to them.
    _model_calls: Arc<dyn ModelCalls>,
    files: Files,
    scope_of: ScopeOf,
    /// Hosts inside the network that plugins may reach.
    private_hosts: Vec<String>,
    pub(super) library: Library,
    pub(super) chat: Chat,
    documents: Documents,
    initialization: Initialization,
    search: Search,
    follower: Follower,
    jobs: Jobs,
    ingest: Arc<Ingest>,
    evaluations: Evaluations,
    ingest_workers: usize,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Parts {
    pub(super) async fn build(settings: Settings, data_dir: &Path, secrets: &Secrets) -> Result<Self> {
        let access = access(&settings, secrets)?;
        let mut plugins_config = PluginsConfig::in_data_dir(data_dir, settings.private_hosts.clone(), settings.ollama_base_url.clone());
        plugins_config.compiler = Compiler::of_this_binary(data_dir).ok();
        // Opening the database and loading (at first: compiling) the plugins need nothing of each other.
        let plugins = tokio::task::spawn_blocking(move || Plugins::open(plugins_config));
        let store = Store::open(&data_dir.join("knowhost.db")).await.context("the database")?;
        if super::shares_tokens(&settings) {
            store.share_database();
        }
        let files = Files::open(&data_dir.join("files")).context("the folder of files")?;
        let plugins = plugins.await.context("loading the plugins")??;
        store.ensure_builtin_models(&builtin_models()).await.context("the built-in models")?;
        let registry = Registry::new(Arc::new(StoredModels(store.clone())), plugins.clone());
        let owner = store.clone();
        let scope_of: ScopeOf = Arc::new(move |tenant_id| access::scope(Proof::Local(&LocalOwnership::of(&owner), tenant_id)));
        let model_calls: Arc<dyn ModelCalls> = Arc::new(RegistryModels { registry: registry.clone(), scope_of: scope_of.clone() });
        plugins.set_model_calls(&model_calls);
        let follower =
            Follower::open(&data_dir.join("index"), store.clone(), registry.tokenizer(), scope_of.clone()).await.context("the index")?;
        let order = match settings.fusion {
            Fusion::Rank => FusionOrder::ReciprocalRank,
            Fusion::Reference => FusionOrder::Reference,
        };
        let search = Search::new(store.clone(), registry.clone(), Arc::new(follower.index().clone()), order);
        let library = Library::new(
            store.clone(),
            access,
            plugins.clone(),
            LibrarySettings { local_key: Some(secrets.renew(LOCAL_KEY_SECRET, LOCAL_KEY_CHARS)?), ..library_settings(&settings) },
        );
        library.set_plugin_desk(plugins.clone());
        let tasks = TaskTracker::new();
        let chat = Chat::new(ChatParts {
            store: store.clone(),
            registry: registry.clone(),
            finder: Arc::new(SearchFinder(search.clone())),
            streams: Streams::new(),
            spawner: Arc::new(tasks.clone()),
            conversation: settings.conversation.clone(),
        });
        let jobs = Jobs::new(store.clone());
        // The folder's lock is held, so no other process can own a lease or an answer.
        jobs.reclaim_all().await.context("jobs of an earlier process")?;
        chat.recover().await.context("answers of an earlier process")?;
        let downloads = Downloads::new(store.clone(), registry.clone(), settings.ollama_optional);
        downloads.recover().await.context("downloads of an earlier process")?;
        let initialization = Initialization::new(library.clone(), registry.clone(), downloads, initialization_settings(&settings));
        let followers = Arc::new(follower.clone());
        let documents = Documents::new(store.clone(), files.clone(), registry.clone(), followers.clone());
        let ingest = Arc::new(Ingest::new(IngestParts {
            store: store.clone(),
            files: files.clone(),
            registry,
            followers,
            scope_of: scope_of.clone(),
            pages: plugins.pages(),
            parser: ParseChild::of_this_binary().context("the parser's process")?,
            summary_prompt: settings.conversation.generate_summary_prompt.clone(),
        }));
        let evaluations = Evaluations::new(EvaluationParts {
            store: store.clone(),
            chat: chat.clone(),
            ingest: ingest.clone(),
            datasets: Datasets::in_folder(settings.dataset_dir.clone()),
            scope_of: scope_of.clone(),
        });
        let ingest_workers = ingest_workers(&settings);
        Ok(Self {
            store,
            plugins,
            _model_calls: model_calls,
            files,
            scope_of,
            private_hosts: settings.private_hosts.clone(),
            library,
            chat,
            documents,
            initialization,
            search,
            follower,
            jobs,
            ingest,
            evaluations,
            ingest_workers,
            tasks,
            stop: CancellationToken::new(),
        })
    }

    pub(super) fn http_state(&self) -> AppState {
        AppState {
            library: self.library.clone(),
            chat: self.chat.clone(),
            documents: self.documents.clone(),
            initialization: self.initialization.clone(),
            search: self.search.clone(),
            index: IndexCare::new(self.follower.clone()),
            evaluations: self.evaluations.clone(),
        }
    }

    /// An upload as a client would send it; what is there already stays as it is.
    pub(super) async fn upload(&self, scope: &TenantScope, knowledge_base_id: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let kb = self.library.get_knowledge_base(scope, knowledge_base_id).await?;
        let mut upload = self.documents.begin_upload().await?;
        upload.write(bytes).await?;
        let document = NewDocument {
            file_name: name.to_owned(),
            metadata: None,
            enable_multimodal: None,
            upload,
            request_id: "first-start".to_owned(),
        };
        match self.documents.create_from_file(scope, &kb, document).await? {
            Taken::Created(_) | Taken::Duplicate(_) => Ok(()),
        }
    }

    pub(super) async fn new_session(&self, scope: &TenantScope, knowledge_base_id: &str) -> Result<Session> {
        Ok(self.library.create_session(scope, self.chat.conversation(), knowledge_base_id, Strategy::default()).await?)
    }

    pub(super) fn scope_of(&self, tenant_id: TenantId) -> TenantScope {
        (self.scope_of)(tenant_id)
    }

    /// The follower, the job workers and the upkeep.
    pub(super) fn start_tasks(&self) {
        let (follower, stop) = (self.follower.clone(), self.stop.clone());
        self.tasks.spawn(async move { follower.run(stop).await });
        let purge = Purge::new(self.store.clone(), self.files.clone(), self.scope_of.clone());
        let handlers: Vec<Arc<dyn JobHandler>> = vec![self.ingest.clone(), Arc::new(purge)];
        let (jobs, workers, stop) = (self.jobs.clone(), self.ingest_workers, self.stop.clone());
        self.tasks.spawn(async move {
            if let Err(error) = Worker::run(jobs, handlers, workers, stop).await {
                tracing::error!(%error, "the job workers ended");
            }
        });
        // Workers of their own: a download takes hours and must not keep documents waiting.
        let (jobs, stop) = (Jobs::new(self.store.clone()), self.stop.clone());
        let handlers = vec![Arc::new(self.initialization.downloads().clone()) as _];
        self.tasks.spawn(async move {
            if let Err(error) = Worker::run(jobs, handlers, limits::PULLS_AT_ONCE, stop).await {
                tracing::error!(%error, "the workers of downloads ended");
            }
        });
        // A worker of their own: a long run must not keep documents waiting.
        let (jobs, handlers, stop) = (Jobs::new(self.store.clone()), vec![Arc::new(self.evaluations.clone()) as _], self.stop.clone());
        self.tasks.spawn(async move {
            if let Err(error) = Worker::run(jobs, handlers, limits::EVALUATIONS_AT_ONCE, stop).await {
                tracing::error!(%error, "the worker of evaluations ended");
            }
        });
        self.tasks.spawn(upkeep::tell_refused_hosts(self.store.clone(), self.private_hosts.clone(), self.stop.clone()));
        self.tasks.spawn(upkeep::sweep_streams(self.chat.streams().clone(), self.stop.clone()));
        self.tasks.spawn(upkeep::keep_promises(self.chat.clone(), self.stop.clone()));
        self.tasks.spawn(upkeep::run(self.library.clone(), self.store.clone(), self.stop.clone()));
    }

    pub(super) async fn stop(self, time: Duration) {
        self.chat.streams().stop_all();
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(time, self.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time; what they did is taken up at the next start");
        }
        self.store.close().await;
    }
}

/// Keys and tokens under the secrets that were set, else under those of the data folder.
fn access(settings: &Settings, secrets: &Secrets) -> Result<Access> {
    let aes_key = match settings.tenant_aes_key.clone() {
        Some(key) => key,
        None => secrets.get_or_create("tenant-aes-key", AES_KEY_BYTES)?,
    };
    let jwt_secret = match settings.jwt_secret.clone() {
        Some(secret) => secret,
        None => secrets.get_or_create("jwt-secret", JWT_SECRET_CHARS)?,
    };
    Ok(Access::new(aes_key.as_bytes(), jwt_secret.as_bytes())?)
}

/// As many as cores, at least two: while one document waits for the disk or the index, another is embedded. Their models give way to questions.
fn ingest_workers(settings: &Settings) -> usize {
    match settings.ingest_workers {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2),
        workers => workers,
    }
}

fn initialization_settings(settings: &Settings) -> InitializationSettings {
    InitializationSettings {
        ollama_base_url: settings.ollama_base_url.clone(),
        ollama_optional: settings.ollama_optional,
        graph_enabled: settings.graph_enabled,
        minio_configured: settings.minio_configured,
    }
}

fn library_settings(settings: &Settings) -> LibrarySettings {
    LibrarySettings {
        registration_disabled: settings.disable_registration,
        tenant_creation_by_operator: settings.tenant_creation == TenantCreation::Operator,
        operator_key: settings.operator_key.clone(),
        local_key: None,
        retriever_engines: tenants::retriever_engines_of("postgres"),
    }
}

fn builtin_models() -> [BuiltinModel; 4] {
    let model = |id: &str, name: &str, model_type, source: &str, description: &str| BuiltinModel {
        id: id.to_owned(),
        name: name.to_owned(),
        model_type,
        source: source.to_owned(),
        description: description.to_owned(),
        parameters: ModelParameters::default(),
    };
    [
        model(BUILTIN_EMBED, "knowhost-embed", ModelType::Embedding, "embedder-local", "Multilingual, built in, needs no network"),
        model(
            BUILTIN_EMBED_FULL,
            "knowhost-embed-full",
            ModelType::Embedding,
            "embedder-full",
            "Multilingual, the whole network; its files are fetched once by `knowhost models get knowhost-embed-full`",
        ),
        model(BUILTIN_RERANK, "knowhost-rerank", ModelType::Rerank, "reranker-local", "Words and their order, built in"),
        model(BUILTIN_CHAT, "knowhost-extract", ModelType::KnowledgeQA, "chat-extractive", "Quotes the best sentences, built in"),
    ]
}

struct StoredModels(Store);

impl ModelRows for StoredModels {
    fn find_model<'a>(&'a self, scope: &'a TenantScope, id: &'a str) -> BoxFuture<'a, HostResult<Option<Model>>> {
        Box::pin(self.0.find_model(scope, id))
    }

    fn find_default_model<'a>(&'a self, scope: &'a TenantScope, model_type: ModelType) -> BoxFuture<'a, HostResult<Option<Model>>> {
        Box::pin(self.0.find_default_model(scope, model_type))
    }
}

/// Lets the chat find chunks through the search room.
struct SearchFinder(Search);

impl Finder for SearchFinder {
    fn find<'a>(&'a self, context: &'a CallContext, scope: &'a TenantScope, query: &'a FindQuery) -> BoxFuture<'a, HostResult<Vec<Hit>>> {
        Box::pin(async move {
            let query = HybridQuery {
                knowledge_base_id: query.knowledge_base_id.clone(),
                text: query.text.clone(),
                vector_threshold: query.vector_threshold,
                match_count: query.match_count,
                explain: query.explain,
                ..HybridQuery::default()
            };
            let candidates = self.0.hybrid_search(context, scope, &query).await?;
            let hit = |candidate: Candidate| Hit {
                story: query.explain.then(|| Story { search: candidate.explain, ..Story::default() }),
                result: candidate.result,
                rank: candidate.rank_score,
            };
            Ok(candidates.into_iter().map(hit).collect())
        })
    }
}
