//! One plugin, ready for calls: its manifest, its grants, and a set of instance pools for each kind it exports.
//!
//! Not here: which plugins there are (`plugins`), and what the sockets see (`adapters`).

use super::asks::{AskRoom, CallEnv, Grants, HttpDoor, Secrets};
use super::binary::{Binary, text_of};
use super::calls::{Cores, Pools, RecordBudget, Use};
use super::code::{Code, Kind};
use super::elsewhere::Elsewhere;
use super::files::PluginFiles;
use super::native::Libraries;
use super::settings::SettingsSchema;
use super::wasm::{self, CatalogueKind, ChatModelKind, CompiledCache, EmbedderKind, Engine, InstanceLimits, RerankerKind, TokenizerKind};
use crate::limits;
use crate::provider::{CallContext, LoadedFrom, PluginForm, PluginGrants, PluginIdentity};
use anyhow::Context;
use knowhost_plugin_sdk::manifest::{Manifest, ManifestModel, ModelKind, Origin, Profile};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// What all plugins are loaded with.
pub(super) struct Workshop {
    pub(super) engine: Engine,
    pub(super) cache: CompiledCache,
    pub(super) libraries: Libraries,
    pub(super) room: Arc<AskRoom>,
    pub(super) cores: Cores,
    pub(super) compiler: Elsewhere,
    /// Files of plugins, in a folder for each.
    pub(super) models_dir: PathBuf,
}

pub(super) struct Plugin {
    pub(super) identity: PluginIdentity,
    pub(super) manifest: Manifest,
    pub(super) form: PluginForm,
    pub(super) third_party: bool,
    pub(super) kinds: Vec<&'static str>,
    pub(super) from: LoadedFrom,
    pub(super) load_time: Duration,
    pub(super) cache_name: String,
    /// Of its model rows; none: the manifest describes no settings.
    pub(super) settings: Option<SettingsSchema>,
    /// Of calls that begin now; an operator may change them.
    grants: RwLock<Arc<Grants>>,
    room: Arc<AskRoom>,
    revoked: CancellationToken,
    pub(super) embedder: Option<Pools<EmbedderKind>>,
    pub(super) reranker: Option<Pools<RerankerKind>>,
    pub(super) chat_model: Option<Pools<ChatModelKind>>,
    pub(super) tokenizer: Option<Pools<TokenizerKind>>,
    pub(super) catalogue: Option<Pools<CatalogueKind>>,
}

pub(super) fn instance_limits(manifest: &Manifest) -> InstanceLimits {
    let turn_max = match manifest.profile {
        Profile::Network => limits::PLUGIN_TURN_NETWORK,
        Profile::Compute => limits::PLUGIN_TURN_COMPUTE,
    };
    let asked = &manifest.limits;
    InstanceLimits {
        memory_bytes_max: asked
            .memory_bytes_max
            .map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
            .min(limits::PLUGIN_MEMORY_BYTES_MAX),
        turn_cpu_max: asked.turn_ms_max.map_or(Duration::MAX, Duration::from_millis).min(turn_max),
    }
}

impl Workshop {
    pub(super) fn files(&self, manifest: &Manifest) -> PluginFiles {
        PluginFiles::of(&self.models_dir, manifest)
    }

    /// Loads a plugin whose digest and whose files' presence the caller has checked, and which may run in its form.
    pub(super) fn load(&self, binary: &Binary, third_party: bool) -> anyhow::Result<Plugin> {
        let manifest = binary.manifest()?;
        let identity = PluginIdentity { name: manifest.name.clone(), version: manifest.version.clone(), digest: binary.digest()? };
        let label = identity.to_string();
        let settings =
            manifest.settings.as_ref().map(SettingsSchema::compile).transpose().with_context(|| format!("the settings of {label}"))?;
        let loaded = self.code(binary, &manifest, &identity, third_party).with_context(|| format!("{label} does not load"))?;
        tracing::info!(
            plugin = label,
            from = ?loaded.from,
            load_us = u64::try_from(loaded.time.as_micros()).unwrap_or(u64::MAX),
            kinds = ?loaded.code.kinds(),
            "plugin loaded"
        );
        let how = Use {
            profile: manifest.profile,
            third_party,
            calls_per_instance: manifest
                .limits
                .calls_per_instance_max
                .map_or(usize::MAX, |calls| usize::try_from(calls).unwrap_or(usize::MAX)),
        };
        let code = &loaded.code;
        let records = Arc::new(RecordBudget::default());
        Ok(Plugin {
            embedder: self.pools(code, how, &records),
            reranker: self.pools(code, how, &records),
            chat_model: self.pools(code, how, &records),
            tokenizer: self.pools(code, how, &records),
            catalogue: self.pools(code, how, &records),
            kinds: code.kinds().to_vec(),
            grants: RwLock::new(Arc::new(Grants::of(&manifest))),
            room: self.room.clone(),
            revoked: CancellationToken::new(),
            form: binary.form(),
            identity,
            manifest,
            third_party,
            from: loaded.from,
            load_time: loaded.time,
            cache_name: loaded.cache_name,
            settings,
        })
    }

    fn code(&self, binary: &Binary, manifest: &Manifest, identity: &PluginIdentity, third_party: bool) -> anyhow::Result<Loaded> {
        let files = self.files(manifest);
        let started = Instant::now();
        let native =
            |library| Loaded { code: Code::Native(library), from: LoadedFrom::Library, time: started.elapsed(), cache_name: String::new() };
        match (binary, binary.form()) {
            (Binary::Linked(table), _) => self.libraries.linked(table, &identity.digest, &|| files.read()).map(native),
            (Binary::File(bytes), PluginForm::Native) => {
                self.libraries.load(bytes, &identity.digest, text_of(bytes)?, &|| files.read()).map(native)
            }
            (Binary::File(bytes), PluginForm::Component | PluginForm::Linked) => {
                let (label, limits) = (identity.to_string(), instance_limits(manifest));
                let source = wasm::Source { bytes, digest: &identity.digest, label: &label, limits, files: &|| files.read() };
                let elsewhere = || if third_party { false } else { self.compiler.compile() };
                let loaded = wasm::load(&self.engine, &self.cache, source, elsewhere)?;
                let wasm::Loaded { component, from, time, cache_name } = loaded;
                Ok(Loaded { code: Code::Component(component), from, time, cache_name })
            }
        }
    }

    fn pools<K: Kind>(&self, code: &Code, how: Use, records: &Arc<RecordBudget>) -> Option<Pools<K>> {
        code.has::<K>().then(|| Pools::new(code.clone(), how, self.cores.clone(), records.clone()))
    }
}

/// Code that is ready, and how it came to be.
struct Loaded {
    code: Code,
    from: LoadedFrom,
    time: Duration,
    /// Name in the cache of compiled components; empty for what is not compiled.
    cache_name: String,
}

impl Plugin {
    /// What the host knows about one call.
    pub(super) fn env(&self, context: &CallContext, base_url: Option<Origin>, secrets: Secrets) -> Arc<CallEnv> {
        Arc::new(CallEnv {
            room: self.room.clone(),
            plugin: self.identity.clone(),
            grants: self.grants.read().unwrap_or_else(PoisonError::into_inner).clone(),
            base_url,
            secrets,
            context: context.clone(),
            revoked: self.revoked.clone(),
        })
    }

    /// The way out, for what the host checks itself.
    pub(super) fn http(&self) -> &HttpDoor {
        self.room.http()
    }

    /// Calls that begin afterwards have these grants.
    pub(super) fn set_granted(&self, granted: &PluginGrants) {
        *self.grants.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Grants::of(&self.manifest).within(granted));
    }

    /// The operator took the permission back: calls under way end.
    pub(super) fn revoke(&self) {
        self.revoked.cancel();
    }

    pub(super) fn models(&self, kind: ModelKind) -> impl Iterator<Item = &ManifestModel> {
        self.manifest.models.iter().filter(move |model| model.kind == kind)
    }

    /// Why calls to it are refused at the moment, if they are.
    pub(super) fn paused(&self) -> Option<String> {
        [
            self.embedder.as_ref().and_then(Pools::paused),
            self.reranker.as_ref().and_then(Pools::paused),
            self.chat_model.as_ref().and_then(Pools::paused),
            self.tokenizer.as_ref().and_then(Pools::paused),
            self.catalogue.as_ref().and_then(Pools::paused),
        ]
        .into_iter()
        .flatten()
        .next()
    }

    /// Instances of all kinds since the start.
    pub(super) fn instances_made(&self) -> u64 {
        [
            self.embedder.as_ref().map(Pools::made),
            self.reranker.as_ref().map(Pools::made),
            self.chat_model.as_ref().map(Pools::made),
            self.tokenizer.as_ref().map(Pools::made),
            self.catalogue.as_ref().map(Pools::made),
        ]
        .into_iter()
        .flatten()
        .sum()
    }

    /// Live instances and their linear memory in bytes.
    pub(super) fn usage(&self) -> (usize, usize) {
        [
            self.embedder.as_ref().map(Pools::usage),
            self.reranker.as_ref().map(Pools::usage),
            self.chat_model.as_ref().map(Pools::usage),
            self.tokenizer.as_ref().map(Pools::usage),
            self.catalogue.as_ref().map(Pools::usage),
        ]
        .into_iter()
        .flatten()
        .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}
