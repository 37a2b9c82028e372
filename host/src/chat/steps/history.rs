//! Loads what was asked and answered before.
//!
//! Not here: how messages pair up (`text::history`).

use crate::chat::ChatParts;
use crate::chat::text::history::{Round, rounds};
use crate::domain::{Session, TenantScope};
use crate::error::Result;
use crate::limits;

/// The newest answered rounds, oldest first, as many as the session keeps.
pub(in crate::chat) async fn history(parts: &ChatParts, scope: &TenantScope, session: &Session) -> Result<Vec<Round>> {
    let rounds_max = usize::try_from(session.max_rounds).unwrap_or(0).min(limits::HISTORY_ROUNDS_MAX);
    if rounds_max == 0 {
        return Ok(Vec::new());
    }
    // The question under way is among the messages, and some rounds may have no answer.
    let messages_max = i64::try_from(rounds_max * 4 + 2).unwrap_or(i64::MAX);
    let messages = parts.store.list_recent_messages(scope, &session.id, messages_max).await?;
    Ok(rounds(&messages, rounds_max))
}
