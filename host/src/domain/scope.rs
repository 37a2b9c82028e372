//! Whose data a call may touch.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Number of a tenant; the first one created is 10000, and 0 stands for what every tenant may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct TenantId(pub i64);

impl std::fmt::Display for TenantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Proof that a caller may act for one tenant. Every store and retriever call demands it.
///
/// Only `library::access::scope` may call [`TenantScope::mint`]; `tests/tidy.rs` fails on any other place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantScope(TenantId);

/// Makes scopes for parts that work for all tenants: followers and job workers. `app` hands it to them.
pub type ScopeOf = Arc<dyn Fn(TenantId) -> TenantScope + Send + Sync>;

impl TenantScope {
    /// Makes the proof. Not a constructor for everybody: see the type.
    pub fn mint(tenant_id: TenantId) -> Self {
        Self(tenant_id)
    }

    pub fn tenant_id(&self) -> TenantId {
        self.0
    }
}
