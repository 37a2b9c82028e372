//! Who writes which answer, and until when that is believed. Not here: the messages themselves (`messages`).
//!
//! Leases are system rows: a process keeps all of its own alive with one statement. A message without a lease was never promised by a
//! Knowhost, or its lease has ended; nobody touches it.

use super::fault::fault;
use super::messages::insert_message;
use super::{Store, commit};
use crate::domain::{Message, TenantScope, Timestamp};
use crate::error::Result;
use sqlx::SqliteConnection;
use std::time::Duration;

impl Store {
    /// The empty row of an answer, promised by `owner`.
    pub async fn create_answer(&self, scope: &TenantScope, message: &Message, owner: &str, lease: Duration) -> Result<Message> {
        let mut transaction = self.begin().await?;
        let message = insert_message(&mut transaction, scope, message).await?;
        sqlx::query("insert into answer_leases (message_id, lease_owner, lease_until) values (?1, ?2, ?3)")
            .bind(&message.id)
            .bind(owner)
            .bind(Timestamp::now().plus(lease).to_column())
            .execute(&mut *transaction)
            .await
            .map_err(fault("leasing an answer"))?;
        commit(transaction).await?;
        Ok(message)
    }

    /// Extends all leases of `owner`; tells how many it has.
    pub async fn extend_answer_leases(&self, owner: &str, lease: Duration) -> Result<u64> {
        let extended = sqlx::query("update answer_leases set lease_until = ?2 where lease_owner = ?1")
            .bind(owner)
            .bind(Timestamp::now().plus(lease).to_column())
            .execute(self.writer())
            .await
            .map_err(fault("extending the leases of answers"))?;
        Ok(extended.rows_affected())
    }

    /// Ends, as they are, the answers whose lease lapsed before `now`; tells how many were still open. Safe while other processes answer.
    pub async fn close_lapsed_answers(&self, now: Timestamp) -> Result<u64> {
        self.close_answers(Some(now.to_column()), None).await
    }

    /// The same for all leases but those of `owner`: only for who holds the exclusive lock of the data folder, so that nobody else can live.
    pub async fn close_answers_of_others(&self, owner: &str) -> Result<u64> {
        self.close_answers(None, Some(owner)).await
    }

    /// An absent bound compares as neither true nor false, so it chooses nothing.
    async fn close_answers(&self, lapsed_before: Option<String>, not_of: Option<&str>) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let closed = sqlx::query(
            "update messages set is_completed = 1, updated_at = ?3 where is_completed = 0 \
             and id in (select message_id from answer_leases where lease_until < ?1 or lease_owner <> ?2)",
        )
        .bind(&lapsed_before)
        .bind(not_of)
        .bind(Timestamp::now().to_column())
        .execute(&mut *transaction)
        .await
        .map_err(fault("closing answers"))?;
        sqlx::query("delete from answer_leases where lease_until < ?1 or lease_owner <> ?2")
            .bind(&lapsed_before)
            .bind(not_of)
            .execute(&mut *transaction)
            .await
            .map_err(fault("ending the leases of answers"))?;
        commit(transaction).await?;
        Ok(closed.rows_affected())
    }
}

/// Within the caller's transaction.
pub(super) async fn end_answer_lease(
    connection: &mut SqliteConnection,
    scope: &TenantScope,
    session_id: &str,
    message_id: &str,
) -> Result<()> {
    sqlx::query(
        "delete from answer_leases where message_id = ?3 and message_id in (select messages.id from messages \
         join sessions on sessions.id = messages.session_id where messages.id = ?3 and session_id = ?2 and sessions.tenant_id = ?1)",
    )
    .bind(scope.tenant_id().0)
    .bind(session_id)
    .bind(message_id)
    .execute(connection)
    .await
    .map_err(fault("ending the lease of an answer"))?;
    Ok(())
}
