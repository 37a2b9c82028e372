//! What the host knows about one call when it carries out its asks, and the room that all calls share.
//!
//! Not here: anything that the plugin can see.

use super::cache::Caches;
use super::grants::Grants;
use super::http::{Failure, HttpDoor, denied};
use super::models::ModelCalls;
use super::secrets::Secrets;
use super::tape::Tape;
use crate::domain::TenantId;
use crate::provider::{CallContext, Pages, PluginIdentity, ProviderError, ProviderErrorKind};
use knowhost_plugin_sdk::manifest::Origin;
use std::sync::{Arc, OnceLock, Weak};
use tokio_util::sync::CancellationToken;

/// Shared by all plugins.
pub(in crate::plugin) struct AskRoom {
    pub(super) http: Arc<HttpDoor>,
    pub(super) caches: Caches,
    pub(super) models: OnceLock<Weak<dyn ModelCalls>>,
    /// Stands in the place of the network; no server sets it.
    pub(super) tape: OnceLock<Arc<dyn Tape>>,
}

impl AskRoom {
    pub(in crate::plugin) fn new(http: HttpDoor) -> Self {
        Self { http: Arc::new(http), caches: Caches::default(), models: OnceLock::new(), tape: OnceLock::new() }
    }

    /// The way out, with its rules of addresses.
    pub(in crate::plugin) fn http(&self) -> &HttpDoor {
        &self.http
    }

    /// Fetches web pages for the host.
    pub(in crate::plugin) fn pages(&self) -> Arc<dyn Pages> {
        self.http.clone()
    }

    /// Once, by `app`: the tenant whose models may stand on this machine.
    pub(in crate::plugin) fn set_local_tenant(&self, tenant_id: TenantId) {
        self.http.set_local_tenant(tenant_id);
    }

    /// Once, by the tools of plugin authors.
    pub(in crate::plugin) fn set_tape(&self, tape: Arc<dyn Tape>) {
        let _ = self.tape.set(tape);
    }

    /// Once, by `app`; without it plugins get `unsupported`. Held weakly, because behind the models stand the plugins again.
    pub(in crate::plugin) fn set_models(&self, models: &Arc<dyn ModelCalls>) {
        let _ = self.models.set(Arc::downgrade(models));
    }
}

/// One call's grants, secrets and limits.
pub(in crate::plugin) struct CallEnv {
    pub(in crate::plugin) room: Arc<AskRoom>,
    pub(in crate::plugin) plugin: PluginIdentity,
    pub(in crate::plugin) grants: Arc<Grants>,
    pub(in crate::plugin) base_url: Option<Origin>,
    pub(in crate::plugin) secrets: Secrets,
    pub(in crate::plugin) context: CallContext,
    /// The operator took the plugin's permission back.
    pub(in crate::plugin) revoked: CancellationToken,
}

impl CallEnv {
    pub(in crate::plugin) fn error(&self, kind: ProviderErrorKind, message: impl Into<String>) -> ProviderError {
        ProviderError::new(kind, self.plugin.to_string(), message)
    }

    /// What was asked for is not granted.
    pub(super) fn refused(&self, text: String) -> Failure {
        if let Some(tape) = self.room.tape.get() {
            tape.refused(&text);
        }
        denied(text)
    }
}
