//! Measures how well a tenant's models find and answer: datasets, metrics, and runs as durable jobs.
//!
//! Not here: HTTP, and how questions are answered (`chat`).

pub mod datasets;
pub mod metrics;
mod runs;
mod start;
#[cfg(test)]
mod tests;

pub use start::StartEvaluation;

use crate::chat::Chat;
use crate::domain::{Evaluation, ScopeOf, TenantScope};
use crate::error::Result;
use crate::ingest::Ingest;
use crate::store::Store;
use datasets::Datasets;
use std::sync::Arc;

/// What evaluations are made of.
pub struct EvaluationParts {
    pub store: Store,
    pub chat: Chat,
    pub ingest: Arc<Ingest>,
    pub datasets: Datasets,
    /// A leased job is the proof that its tenant's data may be worked on; `app` hands in the maker of scopes.
    pub scope_of: ScopeOf,
}

/// Starts runs, tells how far they are, and does their jobs. Clones share the parts.
#[derive(Clone)]
pub struct Evaluations {
    parts: Arc<EvaluationParts>,
}

impl Evaluations {
    pub fn new(parts: EvaluationParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Another tenant's does not exist.
    pub async fn get_evaluation(&self, scope: &TenantScope, id: &str) -> Result<Evaluation> {
        self.parts.store.get_evaluation(scope, id).await
    }
}
