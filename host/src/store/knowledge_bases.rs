//! Collections that are searched together. Not here: what clearing a deleted one takes (`ingestion`).

use super::Store;
use super::convert::{check_optional, check_text, from_json, id_or_new, optional_time, time, to_json};
use super::embeddings::EmbeddedBy;
use super::fault::fault;
use crate::domain::{
    ChunkingConfig, ExtractConfig, ImageProcessingConfig, KnowledgeBase, StorageConfig, TenantId, TenantScope, Timestamp, VlmConfig,
};
use crate::error::{Error, Result};
use crate::limits::{ID_CHARS_MAX, KEPT_LIST_ROWS_MAX, MODEL_ID_CHARS_MAX, NAME_CHARS_MAX};
use serde_json::Value;
use sqlx::SqliteConnection;

/// `None` keeps what is stored; a configuration replaces as a whole.
#[derive(Clone, Debug, Default)]
pub struct KnowledgeBasePatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub chunking_config: Option<ChunkingConfig>,
    pub image_processing_config: Option<ImageProcessingConfig>,
    pub embedding_model_id: Option<String>,
    pub summary_model_id: Option<String>,
    pub rerank_model_id: Option<String>,
    pub vlm_model_id: Option<String>,
    pub vlm_config: Option<VlmConfig>,
    pub storage_config: Option<StorageConfig>,
    /// `Some(None)` takes it away.
    pub extract_config: Option<Option<ExtractConfig>>,
}

#[derive(sqlx::FromRow)]
struct KnowledgeBaseRow {
    id: String,
    name: String,
    description: Option<String>,
    tenant_id: i64,
    chunking_config: String,
    image_processing_config: String,
    embedding_model_id: String,
    summary_model_id: String,
    rerank_model_id: String,
    vlm_model_id: String,
    cos_config: String,
    vlm_config: String,
    extract_config: Option<String>,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl TryFrom<KnowledgeBaseRow> for KnowledgeBase {
    type Error = Error;

    fn try_from(row: KnowledgeBaseRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            name: row.name,
            description: row.description.unwrap_or_default(),
            tenant_id: TenantId(row.tenant_id),
            chunking_config: chunking_config(&row.chunking_config)?,
            image_processing_config: from_json("knowledge_bases.image_processing_config", &row.image_processing_config)?,
            embedding_model_id: row.embedding_model_id,
            summary_model_id: row.summary_model_id,
            rerank_model_id: row.rerank_model_id,
            vlm_model_id: row.vlm_model_id,
            vlm_config: from_json("knowledge_bases.vlm_config", &row.vlm_config)?,
            storage_config: from_json("knowledge_bases.cos_config", &row.cos_config)?,
            extract_config: row.extract_config.as_deref().map(|text| from_json("knowledge_bases.extract_config", text)).transpose()?,
            created_at: time("knowledge_bases.created_at", &row.created_at)?,
            updated_at: time("knowledge_bases.updated_at", &row.updated_at)?,
            deleted_at: optional_time("knowledge_bases.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

/// Rows made by hand carry the separators under the name of the reference's column default.
fn chunking_config(text: &str) -> Result<ChunkingConfig> {
    let mut value: Value = from_json("knowledge_bases.chunking_config", text)?;
    if let Some(map) = value.as_object_mut()
        && !map.contains_key("separators")
        && let Some(markers) = map.remove("split_markers")
    {
        map.insert("separators".into(), markers);
    }
    serde_json::from_value(value).map_err(|error| Error::Internal(anyhow::Error::new(error).context("knowledge_bases.chunking_config")))
}

impl Store {
    /// Tenant and times are set here; an empty id gets a fresh one.
    pub async fn create_knowledge_base(&self, scope: &TenantScope, kb: &KnowledgeBase) -> Result<KnowledgeBase> {
        let mut connection = self.writer().acquire().await.map_err(fault("creating a knowledge base"))?;
        insert_knowledge_base(&mut connection, scope, kb).await
    }

    pub async fn find_knowledge_base(&self, scope: &TenantScope, id: &str) -> Result<Option<KnowledgeBase>> {
        let read = self.read_knowledge_base(scope, id);
        self.kept().knowledge_bases.get_or_read(scope.tenant_id(), id, Option::is_some, read).await
    }

    async fn read_knowledge_base(&self, scope: &TenantScope, id: &str) -> Result<Option<KnowledgeBase>> {
        sqlx::query_as::<_, KnowledgeBaseRow>("select * from knowledge_bases where tenant_id = ?1 and id = ?2 and deleted_at is null")
            .bind(scope.tenant_id().0)
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a knowledge base"))?
            .map(KnowledgeBase::try_from)
            .transpose()
    }

    pub async fn get_knowledge_base(&self, scope: &TenantScope, id: &str) -> Result<KnowledgeBase> {
        self.find_knowledge_base(scope, id).await?.ok_or_else(knowledge_base_not_found)
    }

    pub async fn list_knowledge_bases(&self, scope: &TenantScope) -> Result<Vec<KnowledgeBase>> {
        let is_short = |list: &Vec<KnowledgeBase>| list.len() <= KEPT_LIST_ROWS_MAX;
        self.kept().knowledge_base_lists.get_or_read(scope.tenant_id(), "", is_short, self.read_knowledge_bases(scope)).await
    }

    async fn read_knowledge_bases(&self, scope: &TenantScope) -> Result<Vec<KnowledgeBase>> {
        sqlx::query_as::<_, KnowledgeBaseRow>(
            "select * from knowledge_bases where tenant_id = ?1 and deleted_at is null order by created_at desc, id",
        )
        .bind(scope.tenant_id().0)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing knowledge bases"))?
        .into_iter()
        .map(KnowledgeBase::try_from)
        .collect()
    }

    pub async fn update_knowledge_base(&self, scope: &TenantScope, id: &str, patch: &KnowledgeBasePatch) -> Result<KnowledgeBase> {
        let mut connection = self.writer().acquire().await.map_err(fault("updating a knowledge base"))?;
        patch_knowledge_base(&mut connection, scope, id, patch).await
    }

    /// What the vectors of a knowledge base were made with; `None` until something was embedded.
    pub async fn find_fixed_embedding(&self, scope: &TenantScope, id: &str) -> Result<Option<EmbeddedBy>> {
        self.kept().fixed_embeddings.get_or_read(scope.tenant_id(), id, |_| true, self.read_fixed_embedding(scope, id)).await
    }

    async fn read_fixed_embedding(&self, scope: &TenantScope, id: &str) -> Result<Option<EmbeddedBy>> {
        let row: Option<FixedEmbedding> = sqlx::query_as(
            "select fixed_embedding_model_id, fixed_embedding_dimension, fixed_embedding_digest from knowledge_bases \
             where tenant_id = ?1 and id = ?2 and deleted_at is null",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .fetch_optional(self.reader())
        .await
        .map_err(fault("reading the embedding of a knowledge base"))?;
        Ok(row.ok_or_else(knowledge_base_not_found)?.into())
    }

    /// Fixes the embedding of a knowledge base if none is fixed yet, and answers with the one that holds.
    pub async fn fix_embedding(&self, scope: &TenantScope, id: &str, embedded_by: &EmbeddedBy) -> Result<EmbeddedBy> {
        self.write_fixed_embedding(
            "update knowledge_bases set fixed_embedding_model_id = coalesce(fixed_embedding_model_id, ?3), \
             fixed_embedding_dimension = coalesce(fixed_embedding_dimension, ?4), \
             fixed_embedding_digest = coalesce(fixed_embedding_digest, ?5) \
             where tenant_id = ?1 and id = ?2 and deleted_at is null \
             returning fixed_embedding_model_id, fixed_embedding_dimension, fixed_embedding_digest",
            scope,
            id,
            embedded_by,
        )
        .await
    }

    /// Replaces the fixed embedding, when all documents are about to be embedded anew.
    pub async fn replace_fixed_embedding(&self, scope: &TenantScope, id: &str, embedded_by: &EmbeddedBy) -> Result<EmbeddedBy> {
        self.write_fixed_embedding(
            "update knowledge_bases set fixed_embedding_model_id = ?3, fixed_embedding_dimension = ?4, fixed_embedding_digest = ?5 \
             where tenant_id = ?1 and id = ?2 and deleted_at is null \
             returning fixed_embedding_model_id, fixed_embedding_dimension, fixed_embedding_digest",
            scope,
            id,
            embedded_by,
        )
        .await
    }

    async fn write_fixed_embedding(
        &self,
        sql: &'static str,
        scope: &TenantScope,
        id: &str,
        embedded_by: &EmbeddedBy,
    ) -> Result<EmbeddedBy> {
        let row: Option<FixedEmbedding> = sqlx::query_as(sql)
            .bind(scope.tenant_id().0)
            .bind(id)
            .bind(&embedded_by.model_id)
            .bind(embedded_by.dimension)
            .bind(&embedded_by.digest)
            .fetch_optional(self.writer())
            .await
            .map_err(fault("fixing the embedding of a knowledge base"))?;
        let fixed: Option<EmbeddedBy> = row.ok_or_else(knowledge_base_not_found)?.into();
        Ok(fixed.unwrap_or_else(|| embedded_by.clone()))
    }
}

/// Within the caller's transaction.
pub(super) async fn insert_knowledge_base(
    connection: &mut SqliteConnection,
    scope: &TenantScope,
    kb: &KnowledgeBase,
) -> Result<KnowledgeBase> {
    let id = id_or_new(&kb.id);
    check_text("id", &id, ID_CHARS_MAX)?;
    check_text("name", &kb.name, NAME_CHARS_MAX)?;
    check_text("description", &kb.description, usize::MAX)?;
    for model_id in [&kb.embedding_model_id, &kb.summary_model_id, &kb.rerank_model_id, &kb.vlm_model_id] {
        check_text("model id", model_id, MODEL_ID_CHARS_MAX)?;
    }
    sqlx::query_as::<_, KnowledgeBaseRow>(
        "insert into knowledge_bases (id, name, description, tenant_id, chunking_config, image_processing_config, \
         embedding_model_id, summary_model_id, rerank_model_id, vlm_model_id, cos_config, vlm_config, extract_config, \
         created_at, updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14) returning *",
    )
    .bind(id)
    .bind(&kb.name)
    .bind(&kb.description)
    .bind(scope.tenant_id().0)
    .bind(to_json("chunking_config", &kb.chunking_config)?)
    .bind(to_json("image_processing_config", &kb.image_processing_config)?)
    .bind(&kb.embedding_model_id)
    .bind(&kb.summary_model_id)
    .bind(&kb.rerank_model_id)
    .bind(&kb.vlm_model_id)
    .bind(to_json("cos_config", &kb.storage_config)?)
    .bind(to_json("vlm_config", &kb.vlm_config)?)
    .bind(kb.extract_config.as_ref().map(|config| to_json("extract_config", config)).transpose()?)
    .bind(Timestamp::now().to_column())
    .fetch_one(connection)
    .await
    .map_err(fault("creating a knowledge base"))?
    .try_into()
}

/// Within the caller's transaction.
pub(super) async fn patch_knowledge_base(
    connection: &mut SqliteConnection,
    scope: &TenantScope,
    id: &str,
    patch: &KnowledgeBasePatch,
) -> Result<KnowledgeBase> {
    check_optional("name", patch.name.as_ref(), NAME_CHARS_MAX)?;
    check_optional("description", patch.description.as_ref(), usize::MAX)?;
    for model_id in [&patch.embedding_model_id, &patch.summary_model_id, &patch.rerank_model_id, &patch.vlm_model_id] {
        check_optional("model id", model_id.as_ref(), MODEL_ID_CHARS_MAX)?;
    }
    let extract_config = patch.extract_config.as_ref().and_then(Option::as_ref);
    let extract_config = extract_config.map(|config| to_json("extract_config", config)).transpose()?;
    sqlx::query_as::<_, KnowledgeBaseRow>(
        "update knowledge_bases set name = coalesce(?3, name), description = coalesce(?4, description), \
         chunking_config = coalesce(?5, chunking_config), image_processing_config = coalesce(?6, image_processing_config), \
         embedding_model_id = coalesce(?7, embedding_model_id), summary_model_id = coalesce(?8, summary_model_id), \
         rerank_model_id = coalesce(?9, rerank_model_id), vlm_model_id = coalesce(?10, vlm_model_id), \
         vlm_config = coalesce(?11, vlm_config), cos_config = coalesce(?12, cos_config), \
         extract_config = case when ?14 then ?13 else extract_config end, updated_at = ?15 \
         where tenant_id = ?1 and id = ?2 and deleted_at is null returning *",
    )
    .bind(scope.tenant_id().0)
    .bind(id)
    .bind(&patch.name)
    .bind(&patch.description)
    .bind(patch.chunking_config.as_ref().map(|config| to_json("chunking_config", config)).transpose()?)
    .bind(patch.image_processing_config.as_ref().map(|config| to_json("image_processing_config", config)).transpose()?)
    .bind(&patch.embedding_model_id)
    .bind(&patch.summary_model_id)
    .bind(&patch.rerank_model_id)
    .bind(&patch.vlm_model_id)
    .bind(patch.vlm_config.as_ref().map(|config| to_json("vlm_config", config)).transpose()?)
    .bind(patch.storage_config.as_ref().map(|config| to_json("cos_config", config)).transpose()?)
    .bind(extract_config)
    .bind(patch.extract_config.is_some())
    .bind(Timestamp::now().to_column())
    .fetch_optional(connection)
    .await
    .map_err(fault("updating a knowledge base"))?
    .ok_or_else(knowledge_base_not_found)?
    .try_into()
}

#[derive(sqlx::FromRow)]
struct FixedEmbedding {
    fixed_embedding_model_id: Option<String>,
    fixed_embedding_dimension: Option<i64>,
    fixed_embedding_digest: Option<String>,
}

impl From<FixedEmbedding> for Option<EmbeddedBy> {
    fn from(row: FixedEmbedding) -> Self {
        Some(EmbeddedBy {
            model_id: row.fixed_embedding_model_id?,
            dimension: row.fixed_embedding_dimension?,
            digest: row.fixed_embedding_digest.unwrap_or_default(),
        })
    }
}

pub(super) fn knowledge_base_not_found() -> Error {
    Error::not_found("knowledge base not found")
}
