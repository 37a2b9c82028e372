//! What travels with every call to a provider.

use crate::domain::TenantId;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Who calls, until when, and how to stop it.
#[derive(Clone, Debug)]
pub struct CallContext {
    pub tenant_id: TenantId,
    /// For the log.
    pub request_id: String,
    pub deadline: Instant,
    pub cancel: CancellationToken,
    /// A person waits: goes before ingestion.
    pub interactive: bool,
    /// Names of the plugins that stand above this call, the first caller first: a model that calls a model adds itself.
    pub callers: Vec<String>,
}

impl CallContext {
    pub fn interactive(tenant_id: TenantId, request_id: impl Into<String>, time: Duration) -> Self {
        Self {
            tenant_id,
            request_id: request_id.into(),
            deadline: Instant::now() + time,
            cancel: CancellationToken::new(),
            interactive: true,
            callers: Vec::new(),
        }
    }

    pub fn background(tenant_id: TenantId, request_id: impl Into<String>, time: Duration) -> Self {
        Self { interactive: false, ..Self::interactive(tenant_id, request_id, time) }
    }
}

/// Who answered: shown by `explain`, logs and errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginIdentity {
    pub name: String,
    pub version: String,
    /// SHA-256 of the component, hexadecimal.
    pub digest: String,
}

impl std::fmt::Display for PluginIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Tokens spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input_tokens: u32,
    pub output_tokens: u32,
}
