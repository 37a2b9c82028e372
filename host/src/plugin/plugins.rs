//! All plugins of this server: loads the shipped and the allowed ones, and finds the one behind a model row.
//!
//! Not here: how calls run (`calls`), what the sockets check (`adapters`), what the operator does while the server runs (`desk`).

use super::adapters;
use super::asks::{AskRoom, HttpDoor, ModelCalls, PrivateHosts};
use super::binary::Binary;
use super::calls::Cores;
use super::config::PluginsConfig;
use super::elsewhere::Elsewhere;
use super::folder::{self, Found};
use super::incomplete::{Incomplete, Loading};
use super::loaded::{Plugin, Workshop};
use super::lock::{Entry, Lock};
use super::native::Libraries;
use super::settings::SettingsSchema;
use super::wasm::{CompiledCache, Engine};
use crate::domain::{Model, TenantId};
use crate::provider::{
    Catalogue, ChatModel, Embedder, Pages, PluginForm, PluginSource, PluginState, ProviderError, ProviderErrorKind, Reranker, Tokenizer,
};
use anyhow::Context;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use url::Url;

const OLLAMA: &str = "ollama";
const REMOTE: &str = "remote-api";
const TOKENIZER: &str = "tokenizer-jieba";
/// The contract's values of `models.source`, and the plugins that stand behind them.
const SOURCES: [(&str, &str); 3] = [("local", OLLAMA), ("remote", REMOTE), ("aliyun", REMOTE)];

pub struct Plugins {
    pub(super) config: PluginsConfig,
    pub(super) workshop: Workshop,
    pub(super) loaded: RwLock<BTreeMap<String, Arc<Plugin>>>,
    /// Shipped or allowed, and without their files.
    pub(super) incomplete: RwLock<BTreeMap<String, Incomplete>>,
    /// One change of the lock file, and one late loading, at a time.
    pub(super) lock: Mutex<()>,
}

impl Plugins {
    /// Loads every shipped and allowed plugin. A third-party plugin that does not load is reported and left out; a shipped one stops the start.
    pub fn open(config: PluginsConfig) -> anyhow::Result<Arc<Self>> {
        let ollama_host = Url::parse(&config.ollama_base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let private = PrivateHosts::parse(config.private_hosts.iter().map(String::as_str).chain(ollama_host.as_deref()))
            .context("KNOWHOST_PRIVATE_HOSTS")?;
        let listed = PrivateHosts::parse(config.private_hosts.iter().map(String::as_str)).context("KNOWHOST_PRIVATE_HOSTS")?;
        let workshop = Workshop {
            engine: Engine::new()?,
            cache: CompiledCache::open(&config.compiled_dir, &config.key_file)?,
            libraries: Libraries::default(),
            room: Arc::new(AskRoom::new(HttpDoor::new(private, listed)?)),
            cores: Cores::of_this_machine(),
            compiler: Elsewhere::new(config.compiler.clone()),
            models_dir: config.models_dir.clone(),
        };
        let plugins = Self { config, workshop, loaded: RwLock::default(), incomplete: RwLock::default(), lock: Mutex::default() };
        plugins.load_shipped()?;
        plugins.load_linked()?;
        plugins.load_allowed()?;
        plugins.drop_unused_compiled();
        Ok(Arc::new(plugins))
    }

    /// Opens loopback for one tenant, whose models may stand on this machine; once, by `app`.
    pub fn set_local_tenant(&self, tenant_id: TenantId) {
        self.workshop.room.set_local_tenant(tenant_id);
    }

    /// Fetches web pages under the same rules of addresses.
    pub fn pages(&self) -> Arc<dyn Pages> {
        self.workshop.room.pages()
    }

    /// Lets plugins call other models, for as long as `app` holds these; once.
    pub fn set_model_calls(&self, models: &Arc<dyn ModelCalls>) {
        self.workshop.room.set_models(models);
    }

    /// On all cores, because the first start compiles everything.
    fn load_shipped(&self) -> anyhow::Result<()> {
        let workshop = &self.workshop;
        let results: Vec<anyhow::Result<Loading>> = std::thread::scope(|scope| {
            let load = |bytes| scope.spawn(move || workshop.load_or_wait(Binary::File(bytes), false));
            let threads: Vec<_> = self.config.shipped.iter().map(|component| load(component.bytes.clone())).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("loading it panicked")))
            };
            threads.into_iter().map(join).collect()
        });
        for (component, result) in self.config.shipped.iter().zip(results) {
            self.insert(result.with_context(|| format!("the shipped plugin {}", component.name))?);
        }
        Ok(())
    }

    fn load_linked(&self) -> anyhow::Result<()> {
        for table in &self.config.linked {
            self.insert(self.workshop.load_or_wait(Binary::Linked(table), false).context("a plugin that is linked in")?);
        }
        Ok(())
    }

    fn load_allowed(&self) -> anyhow::Result<()> {
        let lock = Lock::read(&self.config.lock_file)?;
        for found in folder::scan(&self.config.plugins_dir) {
            match self.state(&lock, &found) {
                PluginState::Allowed => match self.workshop.load_or_wait(Binary::from(found.bytes), true) {
                    Ok(plugin) => self.insert(plugin),
                    Err(error) => tracing::error!(file = found.file, "an allowed plugin does not load: {error:#}"),
                },
                PluginState::Changed { .. } => {
                    tracing::error!(
                        file = found.file,
                        "not loaded: the file is not the one that was allowed; look at `knowhost plugin list`"
                    );
                }
                PluginState::Broken { reason } => tracing::error!(file = found.file, "not a plugin: {reason}"),
                PluginState::NativeRefused => {
                    tracing::warn!(file = found.file, "a native plugin is not loaded without `knowhost plugin allow --native`");
                }
                PluginState::Waiting | PluginState::Shipped | PluginState::NeedsFiles { .. } => {
                    tracing::info!(file = found.file, "a plugin waits for `knowhost plugin allow`");
                }
            }
        }
        Ok(())
    }

    /// Calls under way in one that is replaced finish there.
    pub(super) fn insert(&self, loading: Loading) {
        self.hold_to_grants(&loading);
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        let mut incomplete = self.incomplete.write().unwrap_or_else(PoisonError::into_inner);
        match loading {
            Loading::Ready(plugin) => {
                incomplete.remove(&plugin.identity.name);
                loaded.insert(plugin.identity.name.clone(), Arc::from(plugin));
            }
            Loading::Incomplete(plugin) => {
                loaded.remove(plugin.name());
                incomplete.insert(plugin.name().to_owned(), *plugin);
            }
        }
    }

    /// A third-party plugin gets what stands in the lock file; one that can not be read grants nothing.
    fn hold_to_grants(&self, loading: &Loading) {
        if let Loading::Ready(plugin) = loading
            && plugin.third_party
        {
            let lock = Lock::read(&self.config.lock_file).inspect_err(|error| tracing::error!("{error:#}")).unwrap_or_default();
            plugin.set_granted(&lock.find(&plugin.identity.name).map(Entry::granted).unwrap_or_default());
        }
    }

    fn drop_unused_compiled(&self) {
        let names: Vec<String> =
            self.loaded.read().unwrap_or_else(PoisonError::into_inner).values().map(|plugin| plugin.cache_name.clone()).collect();
        self.workshop.cache.keep_only(&names);
    }

    pub(super) fn is_shipped(&self, name: &str) -> bool {
        let is_linked = |table: &&'static _| Binary::Linked(table).manifest().is_ok_and(|manifest| manifest.name == name);
        self.config.shipped.iter().any(|component| component.name == name) || self.config.linked.iter().any(is_linked)
    }

    /// How a file of the folder stands.
    pub(super) fn state(&self, lock: &Lock, found: &Found) -> PluginState {
        let manifest = match &found.manifest {
            Ok(manifest) => manifest,
            Err(error) => return PluginState::Broken { reason: format!("{error:#}") },
        };
        if self.is_shipped(&manifest.name) {
            return PluginState::Broken { reason: format!("the name {} belongs to a plugin of this server", manifest.name) };
        }
        match lock.find(&manifest.name) {
            Some(entry) if entry.allows(&found.digest, found.form) => PluginState::Allowed,
            None if found.form == PluginForm::Native => PluginState::NativeRefused,
            Some(entry) if entry.digest == found.digest => PluginState::NativeRefused,
            None => PluginState::Waiting,
            Some(entry) => PluginState::Changed { allowed_digest: entry.digest.clone() },
        }
    }

    pub(super) fn plugin(&self, name: &str) -> Result<Arc<Plugin>, ProviderError> {
        if let Some(plugin) = self.find_loaded(name) {
            return Ok(plugin);
        }
        if self.incomplete.read().unwrap_or_else(PoisonError::into_inner).contains_key(name) {
            return self.take_up(name);
        }
        let text = format!("no plugin of this name is loaded; sources are {}", self.sources().join(", "));
        Err(ProviderError::new(ProviderErrorKind::NotFound, name, text))
    }

    fn find_loaded(&self, name: &str) -> Option<Arc<Plugin>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Loads a plugin whose files have come since the start. `models get` has compiled it by then, so this takes a fraction of a second, once.
    fn take_up(&self, name: &str) -> Result<Arc<Plugin>, ProviderError> {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plugin) = self.find_loaded(name) {
            return Ok(plugin);
        }
        let (again, error) = match self.incomplete.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            Some(plugin) => (plugin.try_again(&self.workshop), plugin.error()),
            None => (None, ProviderError::new(ProviderErrorKind::NotFound, name, "its permission was taken back")),
        };
        match again {
            Some(Ok(loading)) => self.insert(loading),
            Some(Err(error)) => tracing::error!(plugin = name, "it does not load: {error:#}"),
            None => return Err(error),
        }
        // What was just tried may have been the wrong files, and then it says so.
        match self.find_loaded(name) {
            Some(plugin) => Ok(plugin),
            None => Err(self.incomplete.read().unwrap_or_else(PoisonError::into_inner).get(name).map_or(error, Incomplete::error)),
        }
    }

    /// The plugin of a row's source, and the address for rows that name none.
    fn of_row(&self, model: &Model) -> Result<(Arc<Plugin>, &str), ProviderError> {
        let source = model.source.to_lowercase();
        let name = SOURCES.iter().find(|(word, _)| *word == source).map_or(source.as_str(), |(_, plugin)| plugin);
        Ok((self.plugin(name)?, self.base_url_default(name)))
    }

    fn base_url_default(&self, plugin: &str) -> &str {
        if plugin == OLLAMA { &self.config.ollama_base_url } else { "" }
    }
}

impl PluginSource for Plugins {
    fn embedder(&self, model: &Model) -> Result<Arc<dyn Embedder>, ProviderError> {
        let (plugin, base_url) = self.of_row(model)?;
        adapters::embedder(plugin, model, base_url)
    }

    fn reranker(&self, model: &Model) -> Result<Arc<dyn Reranker>, ProviderError> {
        let (plugin, base_url) = self.of_row(model)?;
        adapters::reranker(plugin, model, base_url)
    }

    fn chat_model(&self, model: &Model) -> Result<Arc<dyn ChatModel>, ProviderError> {
        let (plugin, base_url) = self.of_row(model)?;
        adapters::chat_model(plugin, model, base_url)
    }

    fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        self.plugin(TOKENIZER).map_or_else(|_| adapters::missing_tokenizer(TOKENIZER), adapters::tokenizer)
    }

    fn catalogue(&self, plugin: &str, base_url: &str) -> Result<Arc<dyn Catalogue>, ProviderError> {
        let base_url = if base_url.is_empty() { self.base_url_default(plugin) } else { base_url };
        Ok(adapters::catalogue(self.plugin(plugin)?, base_url))
    }

    fn check_settings(&self, model: &Model) -> Result<(), ProviderError> {
        // One that waits for its files has not been looked at; its row is checked when it is saved the next time.
        let Some(plugin) = self.find_loaded(&model.source) else { return Ok(()) };
        let secrets: Vec<&str> = plugin.manifest.secrets.iter().map(|secret| secret.name.as_str()).collect();
        let check = |schema: &SettingsSchema| schema.check(&model.parameters.settings, &secrets);
        plugin
            .settings
            .as_ref()
            .map_or(Ok(()), check)
            .map_err(|text| ProviderError::new(ProviderErrorKind::Invalid, plugin.identity.to_string(), text))
    }

    fn sources(&self) -> Vec<String> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let is_model = |plugin: &Plugin| plugin.embedder.is_some() || plugin.reranker.is_some() || plugin.chat_model.is_some();
        let names = loaded.iter().filter(|(_, plugin)| is_model(plugin)).map(|(name, _)| name.clone());
        let incomplete = self.incomplete.read().unwrap_or_else(PoisonError::into_inner);
        let waiting = incomplete.values().filter(|plugin| plugin.brings_models()).map(|plugin| plugin.name().to_owned());
        SOURCES.iter().map(|(word, _)| (*word).to_owned()).chain(names).chain(waiting).collect()
    }
}
