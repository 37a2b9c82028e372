//! The life of a document, one transaction a method: created, saved in pieces, published, completed, failed, deleted.
//!
//! Not here: parsing, embedding and waiting for followers. Every method may be run twice; one that meets a document that
//! was deleted meanwhile answers `NotFound` and writes nothing, so that a job can not revive it.

mod copy;
mod create;
mod delete;
mod progress;

pub use copy::{CopiedDocument, DocumentHash};
pub use create::CreatedKnowledge;
pub use delete::{DeletedKnowledge, PurgeStep};
pub(super) use progress::upsert_chunk;
pub use progress::{Completion, CompletionOutcome};

use super::fault::fault;
use super::knowledge::{KnowledgeRow, knowledge_not_found};
use super::tenants::tenant_not_found;
use crate::domain::{Knowledge, TenantScope};
use crate::error::Result;
use sqlx::SqliteConnection;

/// The document, if it is the tenant's and not deleted; within the caller's transaction nobody can delete it.
pub(super) async fn live_knowledge(connection: &mut SqliteConnection, scope: &TenantScope, id: &str) -> Result<Knowledge> {
    sqlx::query_as::<_, KnowledgeRow>("select * from knowledges where tenant_id = ?1 and id = ?2 and deleted_at is null")
        .bind(scope.tenant_id().0)
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(fault("reading a knowledge"))?
        .ok_or_else(knowledge_not_found)?
        .try_into()
}

/// Quota and used storage in bytes.
async fn quota(connection: &mut SqliteConnection, scope: &TenantScope) -> Result<(i64, i64)> {
    sqlx::query_as("select storage_quota, storage_used from tenants where id = ?1 and deleted_at is null")
        .bind(scope.tenant_id().0)
        .fetch_optional(connection)
        .await
        .map_err(fault("reading the quota"))?
        .ok_or_else(tenant_not_found)
}

async fn delete_embeddings(connection: &mut SqliteConnection, knowledge_id: &str) -> Result<()> {
    sqlx::query("delete from embeddings where knowledge_id = ?1")
        .bind(knowledge_id)
        .execute(connection)
        .await
        .map_err(fault("deleting the embeddings of a document"))?;
    Ok(())
}
