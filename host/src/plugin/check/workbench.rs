//! One plugin file opened in a throwaway folder by the very code of the server, and calls of it.
//!
//! Not here: what a call should give (`rules`), and the operator's plugins (`plugins`).

use super::answer::{self, CallAnswer, Performed};
use super::request::{CallRequest, ChatCall, ModeName, ModelSpec, PluginKind, Purpose, QueryName, RoleName, TaskName};
use super::tape::CheckTape;
use crate::domain::TenantId;
use crate::plugin::adapters::{self, Row};
use crate::plugin::asks::{CallEnv, Secrets, origin_of};
use crate::plugin::binary::{Binary, digest_of, is_native, manifest_of};
use crate::plugin::calls::{Output, Pools};
use crate::plugin::incomplete::Loading;
use crate::plugin::loaded::Plugin;
use crate::plugin::wasm::wit::{catalogue, embedder, io, reranker, tokenizer};
use crate::plugin::wasm::{Kind, TokenizeRequest};
use crate::plugin::{Plugins, PluginsConfig};
use crate::provider::{
    CallContext, ChatMessage, ChatOptions, ChatRequest, ChatRole, ChatSource, ChatTask, ProviderError, ProviderErrorKind, ProviderResult,
};
use anyhow::{Context, anyhow, bail};
use knowhost_plugin_sdk::manifest::{Manifest, ModelKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use url::Url;

/// The tenant whose models may stand on this machine.
pub(super) const LOCAL_TENANT: TenantId = TenantId(1);

/// What the workbench takes over from the server's settings.
#[derive(Clone, Debug, Default)]
pub struct WorkbenchSettings {
    /// Files of plugins; `None`: none are there.
    pub models_dir: Option<PathBuf>,
    pub private_hosts: Vec<String>,
    /// A native library may run, as the one who types the command.
    pub allow_native: bool,
}

pub struct Workbench {
    pub(super) manifest: Manifest,
    pub(super) digest: String,
    pub(super) size_bytes: usize,
    pub(super) plugin: Arc<Plugin>,
    pub(super) tape: Arc<CheckTape>,
    // Held: the engine and what it compiled.
    _plugins: Arc<Plugins>,
    _folder: TempDir,
}

/// How a call is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Tenants have instances of their own, so another one means a fresh instance.
    pub(super) tenant: TenantId,
    pub(super) time: Duration,
    /// Given up after so many turns.
    pub(super) turns_max: Option<u32>,
}

impl How {
    pub(super) fn within(time: Duration) -> Self {
        Self { tenant: LOCAL_TENANT, time, turns_max: None }
    }
}

impl Workbench {
    /// Reads and loads the file; nothing of it is kept.
    pub fn open(file: &Path, settings: &WorkbenchSettings) -> anyhow::Result<Self> {
        let bytes = std::fs::read(file).with_context(|| format!("can not read {}", file.display()))?;
        Self::open_bytes(bytes, settings).with_context(|| file.display().to_string())
    }

    pub fn open_bytes(bytes: Vec<u8>, settings: &WorkbenchSettings) -> anyhow::Result<Self> {
        let manifest = manifest_of(&bytes)?;
        if is_native(&bytes) && !settings.allow_native {
            bail!("it is a native library and would run without a sandbox, as you; if that is wanted, add --native");
        }
        let folder = tempfile::Builder::new().prefix("knowhost-plugin-").tempdir().context("can not make a folder to work in")?;
        let mut config = PluginsConfig::in_data_dir(folder.path(), settings.private_hosts.clone(), String::new());
        config.shipped = Vec::new();
        if let Some(models_dir) = &settings.models_dir {
            config.models_dir.clone_from(models_dir);
        }
        let plugins = Plugins::open(config)?;
        plugins.set_local_tenant(LOCAL_TENANT);
        let tape = CheckTape::new();
        plugins.workshop.room.set_tape(tape.clone());
        let (digest, size_bytes) = (digest_of(&bytes), bytes.len());
        let plugin = match plugins.workshop.load_or_wait(Binary::from(bytes), true)? {
            Loading::Ready(plugin) => Arc::from(plugin),
            Loading::Incomplete(plugin) => bail!("{}", plugin.error().message),
        };
        Ok(Self { manifest, digest, size_bytes, plugin, tape, _plugins: plugins, _folder: folder })
    }

    pub fn label(&self) -> String {
        self.plugin.identity.to_string()
    }

    /// What the component exports, of what this server calls.
    pub fn kinds(&self) -> Vec<PluginKind> {
        PluginKind::ALL.into_iter().filter(|kind| self.plugin.kinds.contains(&kind.name())).collect()
    }

    /// The kind that is meant where none is named.
    pub fn kind(&self, named: Option<&str>) -> anyhow::Result<PluginKind> {
        let kinds = self.kinds();
        let names = || kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        match (named, &kinds[..]) {
            (Some(name), _) => {
                let kind = PluginKind::parse(name).filter(|kind| kinds.contains(kind));
                kind.ok_or_else(|| anyhow!("{} is no {name}; it is: {}", self.label(), names()))
            }
            (None, [one]) => Ok(*one),
            (None, _) => bail!("{} has several kinds; choose one with --kind: {}", self.label(), names()),
        }
    }

    /// The models that the manifest brings for this kind, or one without a name of its own.
    pub(super) fn models(&self, kind: PluginKind) -> Vec<ModelSpec> {
        let brought = match kind {
            PluginKind::Embedder => Some(ModelKind::Embedder),
            PluginKind::Reranker => Some(ModelKind::Reranker),
            PluginKind::ChatModel => Some(ModelKind::ChatModel),
            PluginKind::Tokenizer | PluginKind::Catalogue => None,
        };
        let mut models: Vec<ModelSpec> =
            brought.map(|kind| self.plugin.models(kind).map(|model| ModelSpec::named(&model.name)).collect()).unwrap_or_default();
        if models.is_empty() {
            models.push(ModelSpec::named("check"));
        }
        models
    }

    /// The model that is meant where none is named.
    pub fn first_model(&self, kind: PluginKind) -> ModelSpec {
        self.models(kind).into_iter().next().unwrap_or_default()
    }

    /// Over the real network, under the plugin's grants.
    pub async fn run(&self, model: &ModelSpec, request: &CallRequest, time: Duration) -> Performed {
        self.tape.live();
        self.perform(model, request, How::within(time)).await
    }

    pub(super) async fn perform(&self, model: &ModelSpec, request: &CallRequest, how: How) -> Performed {
        let started = Instant::now();
        let mut turns = 0;
        let result = self.call(model, request, how, &mut turns).await;
        let time = started.elapsed();
        let (instances, memory_bytes) = self.plugin.usage();
        Performed { result, time, turns, instances, memory_bytes }
    }

    async fn call(&self, model: &ModelSpec, request: &CallRequest, how: How, turns: &mut u32) -> ProviderResult<CallAnswer> {
        let context = CallContext::interactive(how.tenant, "check", how.time);
        let plugin = &self.plugin;
        let bind = |kind, model_kind| {
            let row = model.row(kind, &self.manifest.name, how.tenant);
            let dimensions = u32::try_from(model.dimension).ok().filter(|dimension| *dimension > 0);
            Row::bind(plugin.clone(), &row, model_kind, "").map(|row| (row.env(&context), row.model, dimensions))
        };
        match request {
            CallRequest::Embedder(call) => {
                let (env, model, dimensions) = bind(PluginKind::Embedder, ModelKind::Embedder)?;
                let purpose = match call.purpose {
                    Purpose::Chunk => embedder::Purpose::Chunk,
                    Purpose::Query => embedder::Purpose::Query,
                };
                let request = embedder::Request { model, purpose, texts: call.texts.clone(), dimensions };
                self.drive(plugin.embedder.as_ref(), env, request, how, turns).await.map(|(_, answer)| answer::embeddings(answer))
            }
            CallRequest::Reranker(call) => {
                let (env, model, _) = bind(PluginKind::Reranker, ModelKind::Reranker)?;
                let request = reranker::Request { model, query: call.query.clone(), texts: call.texts.clone(), top: call.top };
                self.drive(plugin.reranker.as_ref(), env, request, how, turns).await.map(|(_, answer)| answer::ranking(answer))
            }
            CallRequest::ChatModel(call) => {
                let (env, model, _) = bind(PluginKind::ChatModel, ModelKind::ChatModel)?;
                let request = adapters::chat_to_wit(model, chat_request(call));
                let said = self.drive(plugin.chat_model.as_ref(), env, request, how, turns).await;
                said.map(|(deltas, answer)| answer::said(deltas, answer))
            }
            CallRequest::Tokenizer(call) => {
                let mode = match call.mode {
                    ModeName::Index => tokenizer::Mode::Index,
                    ModeName::Query => tokenizer::Mode::Query,
                };
                let env = plugin.env(&context, None, Secrets::default());
                let request = TokenizeRequest { texts: call.texts.clone(), mode };
                self.drive(plugin.tokenizer.as_ref(), env, request, how, turns).await.map(|(_, answer)| answer::words(answer))
            }
            CallRequest::Catalogue(call) => {
                let origin = Url::parse(&model.base_url).ok().and_then(|url| origin_of(&url));
                let env = plugin.env(&context, origin, Secrets::default());
                let query = match call.query {
                    QueryName::Status => catalogue::Query::Status,
                    QueryName::Models => catalogue::Query::Models,
                    QueryName::Check => catalogue::Query::Check,
                    QueryName::Pull => catalogue::Query::Pull,
                    QueryName::Remove => catalogue::Query::Remove,
                };
                let model = io::Model { name: model.name.clone(), base_url: model.base_url.clone(), settings: Vec::new() };
                let request = catalogue::Request { model, query };
                let replied = self.drive(plugin.catalogue.as_ref(), env, request, how, turns).await;
                replied.map(|(progress, reply)| answer::reply(progress, reply))
            }
        }
    }

    async fn drive<K: Kind>(
        &self,
        pools: Option<&Pools<K>>,
        env: Arc<CallEnv>,
        request: K::Request,
        how: How,
        turns: &mut u32,
    ) -> ProviderResult<(Vec<K::Delta>, K::Answer)> {
        let error = |kind, text: String| ProviderError::new(kind, self.label(), text);
        let pools = pools.ok_or_else(|| error(ProviderErrorKind::Unsupported, format!("it is no {}", K::NAME)))?;
        let mut call = pools.call(env, request);
        if let Some(turns_max) = how.turns_max
            && call.go(turns_max).await?
        {
            *turns = call.turns();
            // Dropped here, as when a client goes away.
            return Err(error(ProviderErrorKind::Cancelled, "given up by the check".into()));
        }
        let mut deltas = Vec::new();
        while let Some(output) = call.next().await {
            *turns = call.turns();
            match output? {
                Output::Delta(delta) => deltas.push(delta),
                Output::End(answer) => return Ok((deltas, answer)),
            }
        }
        Err(error(ProviderErrorKind::PluginFault, "it ended without an answer".into()))
    }
}

fn chat_request(call: &ChatCall) -> ChatRequest {
    let role = |role| match role {
        RoleName::System => ChatRole::System,
        RoleName::User => ChatRole::User,
        RoleName::Assistant => ChatRole::Assistant,
    };
    ChatRequest {
        task: match call.task {
            TaskName::Answer => ChatTask::Answer,
            TaskName::Rewrite => ChatTask::Rewrite,
            TaskName::Summary => ChatTask::Summary,
            TaskName::Title => ChatTask::Title,
            TaskName::Extract => ChatTask::Extract,
        },
        messages: call.messages.iter().map(|turn| ChatMessage::text(role(turn.role), turn.text.clone())).collect(),
        tools: Vec::new(),
        tool_choice: None,
        options: ChatOptions { max_tokens: call.max_tokens, temperature: call.temperature, seed: call.seed, ..ChatOptions::default() },
        question: call.question.clone(),
        sources: call
            .sources
            .iter()
            .map(|source| ChatSource { id: source.id.clone(), title: source.title.clone(), text: source.text.clone() })
            .collect(),
    }
}
