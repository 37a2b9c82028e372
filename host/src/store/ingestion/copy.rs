//! Documents taken over from one knowledge base into another of the same tenant: rows, chunks and vectors, within the database.
//!
//! Not here: which documents, waiting for followers, and vectors that have to be made anew. Files are shared: a file is deleted
//! with the last document that names it.

use super::create::check_knowledge_base;
use super::live_knowledge;
use super::progress::upsert_chunk;
use crate::domain::{Chunk, JobKind, Knowledge, NewJob, ParseStatus, TenantScope, Timestamp};
use crate::error::Result;
use crate::store::chunks::read_chunks_of;
use crate::store::fault::fault;
use crate::store::jobs::insert_job;
use crate::store::knowledge::{KnowledgeRow, knowledge_not_found};
use crate::store::{Store, commit};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// What tells two documents apart when a knowledge base is copied.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DocumentHash {
    pub id: String,
    pub file_hash: String,
    pub is_completed: bool,
}

/// A document in its new place.
#[derive(Clone, Debug)]
pub struct CopiedDocument {
    pub source: Knowledge,
    /// Still in processing until its changes are published and it is completed.
    pub copy: Knowledge,
}

impl Store {
    /// The job of a copy, and the knowledge base that it fills: `target_id`, or one made here with the settings of the source.
    pub async fn create_copy_job(
        &self,
        scope: &TenantScope,
        source_id: &str,
        target_id: Option<&str>,
        request_id: &str,
    ) -> Result<(String, i64)> {
        let mut transaction = self.begin().await?;
        check_knowledge_base(&mut transaction, scope, source_id).await?;
        let target_id = match target_id {
            Some(id) => {
                check_knowledge_base(&mut transaction, scope, id).await?;
                id.to_owned()
            }
            None => insert_twin(&mut transaction, scope, source_id).await?,
        };
        let payload = json!({"source_id": source_id, "request_id": request_id});
        let job = NewJob::new(JobKind::CopyKnowledgeBase, scope.tenant_id(), &target_id).with_payload(payload);
        let job_id = insert_job(&mut transaction, &job).await?;
        commit(transaction).await?;
        self.jobs_ready().notify_one();
        Ok((target_id, job_id))
    }

    /// Every document of a knowledge base, by what is compared.
    pub async fn list_document_hashes(&self, scope: &TenantScope, knowledge_base_id: &str) -> Result<Vec<DocumentHash>> {
        sqlx::query_as(
            "select id, coalesce(file_hash, '') as file_hash, parse_status = 'completed' as is_completed from knowledges \
             where tenant_id = ?1 and knowledge_base_id = ?2 and deleted_at is null order by created_at, id",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_base_id)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing documents to copy"))
    }

    /// Takes a completed document over under `copy_id`, with its chunks and those of its vectors that compare with the target's.
    /// Done twice it changes nothing; `NotFound` when the source, the target or the copy was deleted meanwhile.
    pub async fn copy_document(&self, scope: &TenantScope, source_id: &str, target_kb_id: &str, copy_id: &str) -> Result<CopiedDocument> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let source = live_knowledge(&mut transaction, scope, source_id).await?;
        check_knowledge_base(&mut transaction, scope, target_kb_id).await?;
        if is_known(&mut transaction, copy_id).await? {
            let copy = live_knowledge(&mut transaction, scope, copy_id).await?;
            return Ok(CopiedDocument { source, copy });
        }
        if source.parse_status != ParseStatus::Completed {
            return Err(knowledge_not_found());
        }
        share_embedding(&mut transaction, &source.knowledge_base_id, target_kb_id).await?;
        let copy = insert_copy(&mut transaction, source_id, target_kb_id, copy_id, &now).await?;
        let chunks = read_chunks_of(&mut transaction, scope, source_id).await?;
        let places: HashMap<String, String> = chunks.iter().map(|chunk| (chunk.id.clone(), copied_id(copy_id, &chunk.id))).collect();
        for chunk in chunks {
            upsert_chunk(&mut transaction, &copy, &moved(chunk, &places), &now).await?;
        }
        copy_embeddings(&mut transaction, &copy, &places, &now).await?;
        commit(transaction).await?;
        Ok(CopiedDocument { source, copy })
    }
}

/// The same for every run of the same copy.
fn copied_id(copy_id: &str, chunk_id: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{copy_id}/{chunk_id}").as_bytes()).to_string()
}

/// The chunk with all its links pointing into the copy; a link to what is gone ends.
fn moved(mut chunk: Chunk, places: &HashMap<String, String>) -> Chunk {
    let place = |id: &str| places.get(id).cloned().unwrap_or_default();
    let places_of = |ids: Vec<String>| ids.iter().filter_map(|id| places.get(id).cloned()).collect();
    chunk.pre_chunk_id = place(&chunk.pre_chunk_id);
    chunk.next_chunk_id = place(&chunk.next_chunk_id);
    chunk.parent_chunk_id = place(&chunk.parent_chunk_id);
    chunk.relation_chunks = chunk.relation_chunks.map(places_of);
    chunk.indirect_relation_chunks = chunk.indirect_relation_chunks.map(places_of);
    chunk.id = place(&chunk.id);
    chunk
}

/// A deleted copy counts: what somebody removed does not come back with a second run.
async fn is_known(connection: &mut SqliteConnection, id: &str) -> Result<bool> {
    sqlx::query_scalar("select exists (select 1 from knowledges where id = ?1)")
        .bind(id)
        .fetch_one(connection)
        .await
        .map_err(fault("looking for a copied document"))
}

/// A new knowledge base as the contract copies one: its vision model and its example of an extraction stay behind.
async fn insert_twin(connection: &mut SqliteConnection, scope: &TenantScope, source_id: &str) -> Result<String> {
    let id = Uuid::new_v4().to_string();
    sqlx::query(
        "insert into knowledge_bases (id, name, description, tenant_id, chunking_config, image_processing_config, embedding_model_id, \
         summary_model_id, rerank_model_id, vlm_model_id, cos_config, created_at, updated_at) \
         select ?3, name, description, tenant_id, chunking_config, image_processing_config, embedding_model_id, \
         summary_model_id, rerank_model_id, vlm_model_id, cos_config, ?4, ?4 from knowledge_bases where tenant_id = ?1 and id = ?2",
    )
    .bind(scope.tenant_id().0)
    .bind(source_id)
    .bind(&id)
    .bind(Timestamp::now().to_column())
    .execute(connection)
    .await
    .map_err(fault("copying a knowledge base"))?;
    Ok(id)
}

/// A target without vectors whose model is the source's goes on with what the source's vectors were made with.
async fn share_embedding(connection: &mut SqliteConnection, source_kb_id: &str, target_kb_id: &str) -> Result<()> {
    sqlx::query(
        "update knowledge_bases set fixed_embedding_model_id = source.fixed_embedding_model_id, \
         fixed_embedding_dimension = source.fixed_embedding_dimension, fixed_embedding_digest = source.fixed_embedding_digest \
         from knowledge_bases as source where source.id = ?1 and knowledge_bases.id = ?2 \
         and knowledge_bases.embedding_model_id = source.embedding_model_id \
         and knowledge_bases.fixed_embedding_model_id is null and source.fixed_embedding_model_id is not null",
    )
    .bind(source_kb_id)
    .bind(target_kb_id)
    .execute(connection)
    .await
    .map_err(fault("fixing the embedding of a copy"))?;
    Ok(())
}

async fn insert_copy(
    connection: &mut SqliteConnection,
    source_id: &str,
    target_kb_id: &str,
    copy_id: &str,
    now: &str,
) -> Result<Knowledge> {
    sqlx::query_as::<_, KnowledgeRow>(
        "insert into knowledges (id, tenant_id, knowledge_base_id, type, title, description, source, parse_status, enable_status, \
         embedding_model_id, file_name, file_type, file_size, file_path, file_hash, storage_size, metadata, created_at, updated_at) \
         select ?3, tenant_id, ?2, type, title, description, source, 'processing', 'disabled', \
         (select embedding_model_id from knowledge_bases where id = ?2), file_name, file_type, file_size, file_path, file_hash, 0, \
         metadata, ?4, ?4 from knowledges where id = ?1 returning *",
    )
    .bind(source_id)
    .bind(target_kb_id)
    .bind(copy_id)
    .bind(now)
    .fetch_one(connection)
    .await
    .map_err(fault("copying a document"))?
    .try_into()
}

/// Vectors of another model would not compare with the target's; those are left out and made anew by the caller.
async fn copy_embeddings(connection: &mut SqliteConnection, copy: &Knowledge, places: &HashMap<String, String>, now: &str) -> Result<()> {
    let pairs: Value = places.iter().map(|(from, to)| json!([from, to])).collect();
    sqlx::query(
        "insert into embeddings (created_at, updated_at, source_id, source_type, chunk_id, knowledge_id, knowledge_base_id, dimension, \
         embedding, tenant_id, model_id, digest) \
         select ?4, ?4, place.value ->> 1, 0, place.value ->> 1, ?1, ?2, dimension, embedding, embeddings.tenant_id, model_id, digest \
         from json_each(?3) as place join embeddings on embeddings.source_id = place.value ->> 0 and embeddings.source_type = 0 \
         join knowledge_bases on knowledge_bases.id = ?2 where model_id = fixed_embedding_model_id \
         and dimension = fixed_embedding_dimension and coalesce(digest, '') = coalesce(fixed_embedding_digest, '')",
    )
    .bind(&copy.id)
    .bind(&copy.knowledge_base_id)
    .bind(pairs.to_string())
    .bind(now)
    .execute(connection)
    .await
    .map_err(fault("copying the vectors of a document"))?;
    Ok(())
}
