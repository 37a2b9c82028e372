//! Tenants, users, models, knowledge bases and what is in them: create, change, delete, quota, access.
//!
//! Not here: axum and wire JSON (`http`), SQL (`store`), who answers for a model (`provider`).

pub mod access;
pub mod auth;
pub mod chunks;
pub mod downloads;
mod images;
pub mod index_care;
pub mod initialization;
pub mod knowledge;
pub mod knowledge_bases;
pub mod messages;
pub mod models;
pub mod plugins;
pub mod safe_text;
pub mod sessions;
pub mod tenants;

pub use index_care::{IndexCare, IndexStatus, IndexVerification};
pub use knowledge::Documents;

use crate::domain::RetrieverEngines;
use crate::provider::{PluginDesk, PluginSource};
use crate::store::Store;
use access::Access;
use std::sync::{Arc, OnceLock};

/// What an operator decides about the library.
#[derive(Clone, Debug, Default)]
pub struct LibrarySettings {
    /// `DISABLE_REGISTRATION`.
    pub registration_disabled: bool,
    /// `KNOWHOST_TENANT_CREATION=operator`: only the operator makes tenants beyond registration.
    pub tenant_creation_by_operator: bool,
    /// The key that makes its bearer the operator; none: no operator exists.
    pub operator_key: Option<String>,
    /// Made at each start and kept where only the owner of the data folder can read it, who is an operator too.
    pub local_key: Option<String>,
    /// Engines written into new tenants, from `RETRIEVE_DRIVER`.
    pub retriever_engines: RetrieverEngines,
}

/// The library's parts. Clones share them.
#[derive(Clone)]
pub struct Library {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    access: Access,
    plugins: Arc<dyn PluginSource>,
    settings: LibrarySettings,
    plugin_desk: OnceLock<Arc<dyn PluginDesk>>,
}

impl Library {
    pub fn new(store: Store, access: Access, plugins: Arc<dyn PluginSource>, settings: LibrarySettings) -> Self {
        Self { inner: Arc::new(Inner { store, access, plugins, settings, plugin_desk: OnceLock::new() }) }
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    pub fn settings(&self) -> &LibrarySettings {
        &self.inner.settings
    }

    /// Who answers for model rows; plugins may come and go while the server runs.
    fn plugins(&self) -> &dyn PluginSource {
        &*self.inner.plugins
    }
}
