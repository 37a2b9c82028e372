//! A new document with its job. Not here: the bytes, which are on disk before.

use super::quota;
use crate::domain::{JobKind, Knowledge, KnowledgeKind, NewJob, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::{ID_CHARS_MAX, NAME_CHARS_MAX, SOURCE_CHARS_MAX};
use crate::store::convert::{check_text, id_or_new, to_json};
use crate::store::fault::fault;
use crate::store::jobs::insert_job;
use crate::store::knowledge::KnowledgeRow;
use crate::store::knowledge_bases::knowledge_base_not_found;
use crate::store::{Store, commit};
use serde_json::Value;
use sqlx::SqliteConnection;

#[derive(Clone, Debug)]
pub enum CreatedKnowledge {
    Created {
        knowledge: Knowledge,
        job_id: i64,
    },
    /// The same content is there already; the row, whose times are now.
    Duplicate(Knowledge),
}

impl Store {
    /// Duplicate check, quota check, the row and its job. The job's subject is the knowledge id.
    pub async fn create_knowledge_with_job(&self, scope: &TenantScope, knowledge: &Knowledge, payload: Value) -> Result<CreatedKnowledge> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        check_knowledge_base(&mut transaction, scope, &knowledge.knowledge_base_id).await?;
        if let Some(existing) = touch_duplicate(&mut transaction, scope, knowledge, &now).await? {
            commit(transaction).await?;
            return Ok(CreatedKnowledge::Duplicate(existing));
        }
        let (quota, used) = quota(&mut transaction, scope).await?;
        if quota > 0 && used >= quota {
            return Err(Error::TooLarge("Storage quota exceeded".into()));
        }
        let knowledge = insert_knowledge(&mut transaction, scope, knowledge, &now).await?;
        let job = NewJob::new(JobKind::IngestKnowledge, scope.tenant_id(), &knowledge.id).with_payload(payload);
        let job_id = insert_job(&mut transaction, &job).await?;
        commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        Ok(CreatedKnowledge::Created { knowledge, job_id })
    }

    /// A document without a job, for work that takes it in itself; one of that id which is there already stays as it is.
    pub async fn ensure_knowledge(&self, scope: &TenantScope, knowledge: &Knowledge) -> Result<Knowledge> {
        let mut transaction = self.begin().await?;
        check_knowledge_base(&mut transaction, scope, &knowledge.knowledge_base_id).await?;
        let existing: Option<KnowledgeRow> =
            sqlx::query_as("select * from knowledges where tenant_id = ?1 and id = ?2 and knowledge_base_id = ?3 and deleted_at is null")
                .bind(scope.tenant_id().0)
                .bind(&knowledge.id)
                .bind(&knowledge.knowledge_base_id)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(fault("reading a knowledge"))?;
        let made = match existing {
            Some(row) => row.try_into()?,
            None => insert_knowledge(&mut transaction, scope, knowledge, &Timestamp::now().to_column()).await?,
        };
        commit(transaction).await?;
        Ok(made)
    }
}

pub(super) async fn check_knowledge_base(connection: &mut SqliteConnection, scope: &TenantScope, id: &str) -> Result<()> {
    sqlx::query_scalar::<_, i64>("select 1 from knowledge_bases where tenant_id = ?1 and id = ?2 and deleted_at is null")
        .bind(scope.tenant_id().0)
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(fault("reading a knowledge base"))?
        .map(|_| ())
        .ok_or_else(knowledge_base_not_found)
}

/// The contract's rule: a file clashes with any kind of the same hash, an address only with an address, a passage with nothing.
async fn touch_duplicate(
    connection: &mut SqliteConnection,
    scope: &TenantScope,
    knowledge: &Knowledge,
    now: &str,
) -> Result<Option<Knowledge>> {
    let only_kind = match knowledge.kind {
        KnowledgeKind::File => None,
        KnowledgeKind::Url => Some(KnowledgeKind::Url.as_str()),
        KnowledgeKind::Passage => return Ok(None),
    };
    if knowledge.file_hash.is_empty() {
        return Ok(None);
    }
    sqlx::query_as::<_, KnowledgeRow>(
        "update knowledges set created_at = ?5, updated_at = ?5 where id = (select id from knowledges where tenant_id = ?1 \
         and knowledge_base_id = ?2 and file_hash = ?3 and (?4 is null or type = ?4) and parse_status <> 'failed' \
         and deleted_at is null order by id limit 1) returning *",
    )
    .bind(scope.tenant_id().0)
    .bind(&knowledge.knowledge_base_id)
    .bind(&knowledge.file_hash)
    .bind(only_kind)
    .bind(now)
    .fetch_optional(connection)
    .await
    .map_err(fault("looking for a duplicate"))?
    .map(Knowledge::try_from)
    .transpose()
}

async fn insert_knowledge(connection: &mut SqliteConnection, scope: &TenantScope, knowledge: &Knowledge, now: &str) -> Result<Knowledge> {
    let id = id_or_new(&knowledge.id);
    check_text("id", &id, ID_CHARS_MAX)?;
    check_text("title", &knowledge.title, NAME_CHARS_MAX)?;
    check_text("file_name", &knowledge.file_name, NAME_CHARS_MAX)?;
    check_text("file_type", &knowledge.file_type, 50)?;
    check_text("url", &knowledge.source, SOURCE_CHARS_MAX)?;
    check_text("description", &knowledge.description, usize::MAX)?;
    sqlx::query_as::<_, KnowledgeRow>(
        "insert into knowledges (id, tenant_id, knowledge_base_id, type, title, description, source, parse_status, enable_status, \
         embedding_model_id, file_name, file_type, file_size, file_path, file_hash, storage_size, metadata, created_at, updated_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', 'disabled', ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, ?15, ?15) returning *",
    )
    .bind(id)
    .bind(scope.tenant_id().0)
    .bind(&knowledge.knowledge_base_id)
    .bind(knowledge.kind.as_str())
    .bind(&knowledge.title)
    .bind(&knowledge.description)
    .bind(&knowledge.source)
    .bind(&knowledge.embedding_model_id)
    .bind(&knowledge.file_name)
    .bind(&knowledge.file_type)
    .bind(knowledge.file_size_bytes)
    .bind(&knowledge.file_path)
    .bind(&knowledge.file_hash)
    .bind(knowledge.metadata.as_ref().map(|metadata| to_json("metadata", metadata)).transpose()?)
    .bind(now)
    .fetch_one(connection)
    .await
    .map_err(fault("creating a knowledge"))?
    .try_into()
}
