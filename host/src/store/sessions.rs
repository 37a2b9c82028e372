//! Conversations. Not here: what their settings mean.

use super::convert::{check_optional, check_text, from_json, id_or_new, optional_time, time, to_json};
use super::fault::fault;
use super::{Page, Paged, Store};
use crate::domain::{Session, SummaryParameters, TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::{ID_CHARS_MAX, MODEL_ID_CHARS_MAX, NAME_CHARS_MAX};

/// `None` keeps what is stored.
#[derive(Clone, Debug, Default)]
pub struct SessionPatch {
    pub title: Option<String>,
    pub description: Option<String>,
    pub knowledge_base_id: Option<String>,
    pub max_rounds: Option<i64>,
    pub enable_rewrite: Option<bool>,
    pub fallback_strategy: Option<String>,
    pub fallback_response: Option<String>,
    pub keyword_threshold: Option<f64>,
    pub vector_threshold: Option<f64>,
    pub rerank_model_id: Option<String>,
    pub embedding_top_k: Option<i64>,
    pub rerank_top_k: Option<i64>,
    pub rerank_threshold: Option<f64>,
    pub summary_model_id: Option<String>,
    pub summary_parameters: Option<SummaryParameters>,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    tenant_id: i64,
    title: Option<String>,
    description: Option<String>,
    knowledge_base_id: Option<String>,
    max_rounds: i64,
    enable_rewrite: bool,
    fallback_strategy: String,
    fallback_response: String,
    keyword_threshold: f64,
    vector_threshold: f64,
    rerank_model_id: Option<String>,
    embedding_top_k: i64,
    rerank_top_k: i64,
    rerank_threshold: f64,
    summary_model_id: Option<String>,
    summary_parameters: String,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Error;

    fn try_from(row: SessionRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            title: row.title.unwrap_or_default(),
            description: row.description.unwrap_or_default(),
            tenant_id: TenantId(row.tenant_id),
            knowledge_base_id: row.knowledge_base_id.unwrap_or_default(),
            max_rounds: row.max_rounds,
            enable_rewrite: row.enable_rewrite,
            fallback_strategy: row.fallback_strategy,
            fallback_response: row.fallback_response,
            embedding_top_k: row.embedding_top_k,
            keyword_threshold: row.keyword_threshold,
            vector_threshold: row.vector_threshold,
            rerank_model_id: row.rerank_model_id.unwrap_or_default(),
            rerank_top_k: row.rerank_top_k,
            rerank_threshold: row.rerank_threshold,
            summary_model_id: row.summary_model_id.unwrap_or_default(),
            summary_parameters: from_json("sessions.summary_parameters", &row.summary_parameters)?,
            created_at: time("sessions.created_at", &row.created_at)?,
            updated_at: time("sessions.updated_at", &row.updated_at)?,
            deleted_at: optional_time("sessions.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

impl Store {
    /// Tenant and times are set here; an empty id gets a fresh one. Whether the knowledge base exists is the caller's question.
    pub async fn create_session(&self, scope: &TenantScope, session: &Session) -> Result<Session> {
        let id = id_or_new(&session.id);
        check_text("id", &id, ID_CHARS_MAX)?;
        check_text("title", &session.title, NAME_CHARS_MAX)?;
        check_text("description", &session.description, usize::MAX)?;
        check_text("knowledge_base_id", &session.knowledge_base_id, ID_CHARS_MAX)?;
        check_text("fallback_strategy", &session.fallback_strategy, NAME_CHARS_MAX)?;
        check_text("fallback_response", &session.fallback_response, usize::MAX)?;
        check_text("rerank_model_id", &session.rerank_model_id, MODEL_ID_CHARS_MAX)?;
        check_text("summary_model_id", &session.summary_model_id, MODEL_ID_CHARS_MAX)?;
        sqlx::query_as::<_, SessionRow>(
            "insert into sessions (id, tenant_id, title, description, knowledge_base_id, max_rounds, enable_rewrite, fallback_strategy, \
             fallback_response, keyword_threshold, vector_threshold, rerank_model_id, embedding_top_k, rerank_top_k, rerank_threshold, \
             summary_model_id, summary_parameters, created_at, updated_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?18) returning *",
        )
        .bind(id)
        .bind(scope.tenant_id().0)
        .bind(&session.title)
        .bind(&session.description)
        .bind(&session.knowledge_base_id)
        .bind(session.max_rounds)
        .bind(session.enable_rewrite)
        .bind(&session.fallback_strategy)
        .bind(&session.fallback_response)
        .bind(session.keyword_threshold)
        .bind(session.vector_threshold)
        .bind(&session.rerank_model_id)
        .bind(session.embedding_top_k)
        .bind(session.rerank_top_k)
        .bind(session.rerank_threshold)
        .bind(&session.summary_model_id)
        .bind(to_json("summary_parameters", &session.summary_parameters)?)
        .bind(Timestamp::now().to_column())
        .fetch_one(self.writer())
        .await
        .map_err(fault("creating a session"))?
        .try_into()
    }

    pub async fn find_session(&self, scope: &TenantScope, id: &str) -> Result<Option<Session>> {
        sqlx::query_as::<_, SessionRow>("select * from sessions where tenant_id = ?1 and id = ?2 and deleted_at is null")
            .bind(scope.tenant_id().0)
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a session"))?
            .map(Session::try_from)
            .transpose()
    }

    pub async fn get_session(&self, scope: &TenantScope, id: &str) -> Result<Session> {
        self.find_session(scope, id).await?.ok_or_else(session_not_found)
    }

    pub async fn list_sessions(&self, scope: &TenantScope, page: Page) -> Result<Paged<Session>> {
        let total = sqlx::query_scalar("select count(*) from sessions where tenant_id = ?1 and deleted_at is null")
            .bind(scope.tenant_id().0)
            .fetch_one(self.reader())
            .await
            .map_err(fault("counting sessions"))?;
        let items = sqlx::query_as::<_, SessionRow>(
            "select * from sessions where tenant_id = ?1 and deleted_at is null order by created_at desc, id limit ?2 offset ?3",
        )
        .bind(scope.tenant_id().0)
        .bind(page.limit())
        .bind(page.offset())
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing sessions"))?
        .into_iter()
        .map(Session::try_from)
        .collect::<Result<_>>()?;
        Ok(Paged { items, total })
    }

    pub async fn update_session(&self, scope: &TenantScope, id: &str, patch: &SessionPatch) -> Result<Session> {
        check_optional("title", patch.title.as_ref(), NAME_CHARS_MAX)?;
        check_optional("description", patch.description.as_ref(), usize::MAX)?;
        check_optional("knowledge_base_id", patch.knowledge_base_id.as_ref(), ID_CHARS_MAX)?;
        check_optional("fallback_strategy", patch.fallback_strategy.as_ref(), NAME_CHARS_MAX)?;
        check_optional("fallback_response", patch.fallback_response.as_ref(), usize::MAX)?;
        check_optional("rerank_model_id", patch.rerank_model_id.as_ref(), MODEL_ID_CHARS_MAX)?;
        check_optional("summary_model_id", patch.summary_model_id.as_ref(), MODEL_ID_CHARS_MAX)?;
        let parameters = patch.summary_parameters.as_ref().map(|parameters| to_json("summary_parameters", parameters)).transpose()?;
        sqlx::query_as::<_, SessionRow>(
            "update sessions set title = coalesce(?3, title), description = coalesce(?4, description), \
             knowledge_base_id = coalesce(?5, knowledge_base_id), max_rounds = coalesce(?6, max_rounds), \
             enable_rewrite = coalesce(?7, enable_rewrite), fallback_strategy = coalesce(?8, fallback_strategy), \
             fallback_response = coalesce(?9, fallback_response), keyword_threshold = coalesce(?10, keyword_threshold), \
             vector_threshold = coalesce(?11, vector_threshold), rerank_model_id = coalesce(?12, rerank_model_id), \
             embedding_top_k = coalesce(?13, embedding_top_k), rerank_top_k = coalesce(?14, rerank_top_k), \
             rerank_threshold = coalesce(?15, rerank_threshold), summary_model_id = coalesce(?16, summary_model_id), \
             summary_parameters = coalesce(?17, summary_parameters), updated_at = ?18 \
             where tenant_id = ?1 and id = ?2 and deleted_at is null returning *",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(&patch.title)
        .bind(&patch.description)
        .bind(&patch.knowledge_base_id)
        .bind(patch.max_rounds)
        .bind(patch.enable_rewrite)
        .bind(&patch.fallback_strategy)
        .bind(&patch.fallback_response)
        .bind(patch.keyword_threshold)
        .bind(patch.vector_threshold)
        .bind(&patch.rerank_model_id)
        .bind(patch.embedding_top_k)
        .bind(patch.rerank_top_k)
        .bind(patch.rerank_threshold)
        .bind(&patch.summary_model_id)
        .bind(parameters)
        .bind(Timestamp::now().to_column())
        .fetch_optional(self.writer())
        .await
        .map_err(fault("updating a session"))?
        .ok_or_else(session_not_found)?
        .try_into()
    }

    /// Whether there was one; its messages are out of reach from then on.
    pub async fn delete_session(&self, scope: &TenantScope, id: &str) -> Result<bool> {
        let deleted =
            sqlx::query("update sessions set deleted_at = ?3, updated_at = ?3 where tenant_id = ?1 and id = ?2 and deleted_at is null")
                .bind(scope.tenant_id().0)
                .bind(id)
                .bind(Timestamp::now().to_column())
                .execute(self.writer())
                .await
                .map_err(fault("deleting a session"))?;
        Ok(deleted.rows_affected() > 0)
    }
}

pub(super) fn session_not_found() -> Error {
    Error::not_found("session not found")
}
