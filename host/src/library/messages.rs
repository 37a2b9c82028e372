//! What was said in a session.
//!
//! Not here: saying it (`chat`).

use super::Library;
use crate::domain::{Message, TenantScope, Timestamp};
use crate::error::Result;

impl Library {
    /// The newest `limit` before a time, or of all, oldest first.
    pub async fn load_messages(
        &self,
        scope: &TenantScope,
        session_id: &str,
        before: Option<Timestamp>,
        limit: i64,
    ) -> Result<Vec<Message>> {
        self.store().get_session(scope, session_id).await?;
        match before {
            Some(before) => self.store().list_messages_before(scope, session_id, before, limit).await,
            None => self.store().list_recent_messages(scope, session_id, limit).await,
        }
    }

    pub async fn get_message(&self, scope: &TenantScope, session_id: &str, id: &str) -> Result<Message> {
        self.store().get_session(scope, session_id).await?;
        self.store().get_message(scope, session_id, id).await
    }

    /// Deleting what is not there is no mistake; the session must be.
    pub async fn delete_message(&self, scope: &TenantScope, session_id: &str, id: &str) -> Result<()> {
        self.store().get_session(scope, session_id).await?;
        self.store().delete_message(scope, session_id, id).await?;
        Ok(())
    }
}
