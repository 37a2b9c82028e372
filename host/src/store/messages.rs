//! Turns of conversations. Not here: answers under way (`stream`).
//!
//! A message belongs to its session's tenant, so every statement looks through the session; of a foreign or deleted
//! session there are no messages.

use super::answer_leases::end_answer_lease;
use super::convert::{check_no_nul, check_text, from_json, id_or_new, optional_time, time, to_json, without_nul, word};
use super::fault::fault;
use super::sessions::session_not_found;
use super::{Page, Store, commit};
use crate::domain::{Message, Role, SearchResult, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::{ID_CHARS_MAX, REQUEST_ID_CHARS_MAX};
use sqlx::SqliteConnection;

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: String,
    request_id: String,
    session_id: String,
    role: String,
    content: String,
    knowledge_references: String,
    is_completed: bool,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl TryFrom<MessageRow> for Message {
    type Error = Error;

    fn try_from(row: MessageRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            session_id: row.session_id,
            request_id: row.request_id,
            content: row.content,
            role: word("messages.role", &row.role, Role::parse)?,
            knowledge_references: from_json("messages.knowledge_references", &row.knowledge_references)?,
            is_completed: row.is_completed,
            created_at: time("messages.created_at", &row.created_at)?,
            updated_at: time("messages.updated_at", &row.updated_at)?,
            deleted_at: optional_time("messages.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

type MessageQuery<'q> = sqlx::query::QueryAs<'q, sqlx::Sqlite, MessageRow, sqlx::sqlite::SqliteArguments>;

impl Store {
    /// An empty id gets a fresh one; `created_at` is kept where the caller set it, so that a question stands before its answer.
    pub async fn create_message(&self, scope: &TenantScope, message: &Message) -> Result<Message> {
        let mut transaction = self.begin().await?;
        let message = insert_message(&mut transaction, scope, message).await?;
        commit(transaction).await?;
        Ok(message)
    }

    pub async fn find_message(&self, scope: &TenantScope, session_id: &str, id: &str) -> Result<Option<Message>> {
        self.find_message_by(
            sqlx::query_as(
                "select messages.* from messages join sessions on sessions.id = session_id and sessions.tenant_id = ?1 \
                 and sessions.deleted_at is null where session_id = ?2 and messages.id = ?3 and messages.deleted_at is null",
            )
            .bind(scope.tenant_id().0)
            .bind(session_id)
            .bind(id),
        )
        .await
    }

    pub async fn get_message(&self, scope: &TenantScope, session_id: &str, id: &str) -> Result<Message> {
        self.find_message(scope, session_id, id).await?.ok_or_else(message_not_found)
    }

    /// The first by id with this request id; the question and its answer share one.
    pub async fn find_message_by_request(&self, scope: &TenantScope, session_id: &str, request_id: &str) -> Result<Option<Message>> {
        self.find_message_by(
            sqlx::query_as(
                "select messages.* from messages join sessions on sessions.id = session_id and sessions.tenant_id = ?1 \
                 and sessions.deleted_at is null where session_id = ?2 and request_id = ?3 and messages.deleted_at is null \
                 order by messages.id limit 1",
            )
            .bind(scope.tenant_id().0)
            .bind(session_id)
            .bind(request_id),
        )
        .await
    }

    pub async fn find_first_user_message(&self, scope: &TenantScope, session_id: &str) -> Result<Option<Message>> {
        self.find_message_by(
            sqlx::query_as(
                "select messages.* from messages join sessions on sessions.id = session_id and sessions.tenant_id = ?1 \
                 and sessions.deleted_at is null where session_id = ?2 and role = 'user' and messages.deleted_at is null \
                 order by messages.created_at, messages.id limit 1",
            )
            .bind(scope.tenant_id().0)
            .bind(session_id),
        )
        .await
    }

    /// Oldest first; of equal times the question first.
    pub async fn list_messages(&self, scope: &TenantScope, session_id: &str, page: Page) -> Result<Vec<Message>> {
        self.fetch_messages(
            sqlx::query_as(
                "select messages.* from messages join sessions on sessions.id = session_id and sessions.tenant_id = ?1 \
                 and sessions.deleted_at is null where session_id = ?2 and messages.deleted_at is null \
                 order by messages.created_at, role <> 'user', messages.id limit ?3 offset ?4",
            )
            .bind(scope.tenant_id().0)
            .bind(session_id)
            .bind(page.limit())
            .bind(page.offset()),
        )
        .await
    }

    /// The newest `limit`, in the order in which they were said.
    pub async fn list_recent_messages(&self, scope: &TenantScope, session_id: &str, limit: i64) -> Result<Vec<Message>> {
        let mut messages = self
            .fetch_messages(
                sqlx::query_as(
                    "select messages.* from messages join sessions on sessions.id = session_id and sessions.tenant_id = ?1 \
                     and sessions.deleted_at is null where session_id = ?2 and messages.deleted_at is null \
                     order by messages.created_at desc, role = 'user', messages.id desc limit ?3",
                )
                .bind(scope.tenant_id().0)
                .bind(session_id)
                .bind(limit.max(0)),
            )
            .await?;
        messages.reverse();
        Ok(messages)
    }

    /// The newest `limit` before a time, in the order in which they were said.
    pub async fn list_messages_before(&self, scope: &TenantScope, session_id: &str, before: Timestamp, limit: i64) -> Result<Vec<Message>> {
        let mut messages = self
            .fetch_messages(
                sqlx::query_as(
                    "select messages.* from messages join sessions on sessions.id = session_id and sessions.tenant_id = ?1 \
                     and sessions.deleted_at is null where session_id = ?2 and messages.created_at < ?3 and messages.deleted_at is null \
                     order by messages.created_at desc, role = 'user', messages.id desc limit ?4",
                )
                .bind(scope.tenant_id().0)
                .bind(session_id)
                .bind(before.to_column())
                .bind(limit.max(0)),
            )
            .await?;
        messages.reverse();
        Ok(messages)
    }

    /// Ends an answer with what was said and cited, also in a session that was deleted meanwhile, and its lease. What a model said is kept
    /// as far as a database can hold it.
    pub async fn complete_message(
        &self,
        scope: &TenantScope,
        session_id: &str,
        id: &str,
        content: &str,
        references: &[SearchResult],
    ) -> Result<Message> {
        let mut transaction = self.begin().await?;
        end_answer_lease(&mut transaction, scope, session_id, id).await?;
        let completed = sqlx::query_as::<_, MessageRow>(
            "update messages set content = ?4, knowledge_references = ?5, is_completed = 1, updated_at = ?6 \
             where session_id = ?2 and id = ?3 and deleted_at is null \
             and session_id in (select id from sessions where tenant_id = ?1 and id = ?2) returning *",
        )
        .bind(scope.tenant_id().0)
        .bind(session_id)
        .bind(id)
        .bind(without_nul(content))
        .bind(to_json("knowledge_references", references)?)
        .bind(Timestamp::now().to_column())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(fault("completing a message"))?;
        // Of a message that was deleted meanwhile only the lease was left to end.
        commit(transaction).await?;
        completed.ok_or_else(message_not_found)?.try_into()
    }

    /// Whether there was one.
    pub async fn delete_message(&self, scope: &TenantScope, session_id: &str, id: &str) -> Result<bool> {
        let deleted = sqlx::query(
            "update messages set deleted_at = ?4, updated_at = ?4 where session_id = ?2 and id = ?3 and deleted_at is null \
             and session_id in (select id from sessions where tenant_id = ?1 and id = ?2 and deleted_at is null)",
        )
        .bind(scope.tenant_id().0)
        .bind(session_id)
        .bind(id)
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("deleting a message"))?;
        Ok(deleted.rows_affected() > 0)
    }

    async fn find_message_by(&self, query: MessageQuery<'_>) -> Result<Option<Message>> {
        query.fetch_optional(self.reader()).await.map_err(fault("reading a message"))?.map(Message::try_from).transpose()
    }

    async fn fetch_messages(&self, query: MessageQuery<'_>) -> Result<Vec<Message>> {
        query.fetch_all(self.reader()).await.map_err(fault("reading messages"))?.into_iter().map(Message::try_from).collect()
    }
}

/// Within the caller's transaction.
pub(super) async fn insert_message(connection: &mut SqliteConnection, scope: &TenantScope, message: &Message) -> Result<Message> {
    let id = id_or_new(&message.id);
    check_text("id", &id, ID_CHARS_MAX)?;
    check_text("request_id", &message.request_id, REQUEST_ID_CHARS_MAX)?;
    check_no_nul("content", &message.content)?;
    let now = Timestamp::now();
    let created_at = if message.created_at == Timestamp::zero() { now } else { message.created_at };
    sqlx::query_as::<_, MessageRow>(
        "insert into messages (id, request_id, session_id, role, content, knowledge_references, is_completed, created_at, updated_at) \
         select ?3, ?4, id, ?5, ?6, ?7, ?8, ?9, ?10 from sessions where tenant_id = ?1 and id = ?2 and deleted_at is null returning *",
    )
    .bind(scope.tenant_id().0)
    .bind(&message.session_id)
    .bind(id)
    .bind(&message.request_id)
    .bind(message.role.as_str())
    .bind(&message.content)
    .bind(to_json("knowledge_references", &message.knowledge_references)?)
    .bind(message.is_completed)
    .bind(created_at.to_column())
    .bind(now.to_column())
    .fetch_optional(connection)
    .await
    .map_err(fault("creating a message"))?
    .ok_or_else(session_not_found)?
    .try_into()
}

fn message_not_found() -> Error {
    Error::not_found("message not found")
}
