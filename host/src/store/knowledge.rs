//! Documents and what became of them: reading and small changes. Not here: the transactions of their life (`ingestion`).

use super::convert::{check_optional, from_json, id_list, optional_time, time, to_json, word};
use super::fault::fault;
use super::{Page, Paged, Store};
use crate::domain::{EnableStatus, Knowledge, KnowledgeKind, ParseStatus, TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::NAME_CHARS_MAX;
use std::collections::BTreeMap;

/// `None` keeps what is stored.
#[derive(Clone, Debug, Default)]
pub struct KnowledgePatch {
    pub title: Option<String>,
    pub description: Option<String>,
    pub metadata: Option<BTreeMap<String, String>>,
    pub file_hash: Option<String>,
}

/// `None`: all.
#[derive(Clone, Debug, Default)]
pub struct KnowledgeFilter {
    pub parse_status: Option<ParseStatus>,
}

#[derive(sqlx::FromRow)]
pub(super) struct KnowledgeRow {
    id: String,
    tenant_id: i64,
    knowledge_base_id: String,
    r#type: String,
    title: String,
    description: Option<String>,
    source: String,
    parse_status: String,
    enable_status: String,
    embedding_model_id: Option<String>,
    file_name: Option<String>,
    file_type: Option<String>,
    file_size: Option<i64>,
    file_path: Option<String>,
    file_hash: Option<String>,
    storage_size: i64,
    metadata: Option<String>,
    created_at: String,
    updated_at: String,
    processed_at: Option<String>,
    error_message: Option<String>,
    deleted_at: Option<String>,
}

impl TryFrom<KnowledgeRow> for Knowledge {
    type Error = Error;

    fn try_from(row: KnowledgeRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            tenant_id: TenantId(row.tenant_id),
            knowledge_base_id: row.knowledge_base_id,
            kind: word("knowledges.type", &row.r#type, KnowledgeKind::parse)?,
            title: row.title,
            description: row.description.unwrap_or_default(),
            source: row.source,
            parse_status: word("knowledges.parse_status", &row.parse_status, ParseStatus::parse)?,
            enable_status: word("knowledges.enable_status", &row.enable_status, EnableStatus::parse)?,
            embedding_model_id: row.embedding_model_id.unwrap_or_default(),
            file_name: row.file_name.unwrap_or_default(),
            file_type: row.file_type.unwrap_or_default(),
            file_size_bytes: row.file_size.unwrap_or_default(),
            file_hash: row.file_hash.unwrap_or_default(),
            file_path: row.file_path.unwrap_or_default(),
            storage_size_bytes: row.storage_size,
            metadata: row.metadata.as_deref().map(|text| from_json("knowledges.metadata", text)).transpose()?,
            created_at: time("knowledges.created_at", &row.created_at)?,
            updated_at: time("knowledges.updated_at", &row.updated_at)?,
            processed_at: optional_time("knowledges.processed_at", row.processed_at.as_deref())?,
            error_message: row.error_message.unwrap_or_default(),
            deleted_at: optional_time("knowledges.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

impl Store {
    pub async fn find_knowledge(&self, scope: &TenantScope, id: &str) -> Result<Option<Knowledge>> {
        sqlx::query_as::<_, KnowledgeRow>("select * from knowledges where tenant_id = ?1 and id = ?2 and deleted_at is null")
            .bind(scope.tenant_id().0)
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a knowledge"))?
            .map(Knowledge::try_from)
            .transpose()
    }

    pub async fn get_knowledge(&self, scope: &TenantScope, id: &str) -> Result<Knowledge> {
        self.find_knowledge(scope, id).await?.ok_or_else(knowledge_not_found)
    }

    /// Those of `ids` that exist, in the order of `ids`, each once.
    pub async fn find_knowledge_batch<S: AsRef<str>>(&self, scope: &TenantScope, ids: &[S]) -> Result<Vec<Knowledge>> {
        sqlx::query_as::<_, KnowledgeRow>(
            "select knowledges.* from (select value, min(key) as place from json_each(?2) group by value) as wanted \
             join knowledges on knowledges.id = wanted.value \
             where knowledges.tenant_id = ?1 and knowledges.deleted_at is null order by wanted.place",
        )
        .bind(scope.tenant_id().0)
        .bind(id_list(ids))
        .fetch_all(self.reader())
        .await
        .map_err(fault("reading several knowledge"))?
        .into_iter()
        .map(Knowledge::try_from)
        .collect()
    }

    /// The documents of a knowledge base; empty for one that does not exist, which the caller checks first.
    pub async fn list_knowledge(
        &self,
        scope: &TenantScope,
        knowledge_base_id: &str,
        filter: &KnowledgeFilter,
        page: Page,
    ) -> Result<Paged<Knowledge>> {
        let status = filter.parse_status.map(ParseStatus::as_str);
        let total = sqlx::query_scalar(
            "select count(*) from knowledges where tenant_id = ?1 and knowledge_base_id = ?2 and deleted_at is null \
             and (?3 is null or parse_status = ?3)",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_base_id)
        .bind(status)
        .fetch_one(self.reader())
        .await
        .map_err(fault("counting knowledge"))?;
        let items = sqlx::query_as::<_, KnowledgeRow>(
            "select * from knowledges where tenant_id = ?1 and knowledge_base_id = ?2 and deleted_at is null \
             and (?3 is null or parse_status = ?3) order by created_at desc, id limit ?4 offset ?5",
        )
        .bind(scope.tenant_id().0)
        .bind(knowledge_base_id)
        .bind(status)
        .bind(page.limit())
        .bind(page.offset())
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing knowledge"))?
        .into_iter()
        .map(Knowledge::try_from)
        .collect::<Result<_>>()?;
        Ok(Paged { items, total })
    }

    pub async fn update_knowledge(&self, scope: &TenantScope, id: &str, patch: &KnowledgePatch) -> Result<Knowledge> {
        check_optional("title", patch.title.as_ref(), NAME_CHARS_MAX)?;
        check_optional("description", patch.description.as_ref(), usize::MAX)?;
        check_optional("file_hash", patch.file_hash.as_ref(), 64)?;
        sqlx::query_as::<_, KnowledgeRow>(
            "update knowledges set title = coalesce(?3, title), description = coalesce(?4, description), \
             metadata = coalesce(?5, metadata), file_hash = coalesce(?6, file_hash), updated_at = ?7 \
             where tenant_id = ?1 and id = ?2 and deleted_at is null returning *",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(&patch.title)
        .bind(&patch.description)
        .bind(patch.metadata.as_ref().map(|metadata| to_json("metadata", metadata)).transpose()?)
        .bind(&patch.file_hash)
        .bind(Timestamp::now().to_column())
        .fetch_optional(self.writer())
        .await
        .map_err(fault("updating a knowledge"))?
        .ok_or_else(knowledge_not_found)?
        .try_into()
    }

    /// `pending` becomes `processing`; one that ended already is left as it is and answered as it is.
    pub async fn start_knowledge(&self, scope: &TenantScope, id: &str) -> Result<Knowledge> {
        sqlx::query(
            "update knowledges set parse_status = 'processing', updated_at = ?3 \
             where tenant_id = ?1 and id = ?2 and deleted_at is null and parse_status in ('pending', 'unprocessed')",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("starting a knowledge"))?;
        self.get_knowledge(scope, id).await
    }
}

pub(super) fn knowledge_not_found() -> Error {
    Error::not_found("knowledge not found")
}
