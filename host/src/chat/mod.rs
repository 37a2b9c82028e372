//! From a question to a streamed, cited answer.
//!
//! Not here: HTTP, how chunks are found, and which plugin answers.

mod ask;
mod budget;
mod pipeline;
mod prompt;
mod search;
mod steps;
pub mod template;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod text;
mod title;

pub use ask::AskRequest;
pub use prompt::check_template;
pub use text::Hit;

use crate::config::Conversation;
use crate::domain::TenantScope;
use crate::error::Result;
use crate::provider::{BoxFuture, CallContext, Registry};
use crate::store::Store;
use crate::stream::Streams;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// Finds chunks; `app` puts the search room behind it.
pub trait Finder: Send + Sync {
    /// Best first: direct hits before expansions. No hits is an empty list.
    fn find<'a>(&'a self, context: &'a CallContext, scope: &'a TenantScope, query: &'a FindQuery) -> BoxFuture<'a, Result<Vec<Hit>>>;
}

#[derive(Clone, Debug, PartialEq)]
pub struct FindQuery {
    pub knowledge_base_id: String,
    pub text: String,
    pub vector_threshold: f64,
    pub keyword_threshold: f64,
    pub match_count: i64,
}

/// Owns the tasks that outlive their request; `app` waits for them when it stops.
pub trait Spawner: Send + Sync {
    fn spawn(&self, work: BoxFuture<'static, ()>);
}

impl Spawner for TaskTracker {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        TaskTracker::spawn(self, work);
    }
}

/// What the chat is made of.
pub struct ChatParts {
    pub store: Store,
    pub registry: Registry,
    pub finder: Arc<dyn Finder>,
    pub streams: Streams,
    pub spawner: Arc<dyn Spawner>,
    pub conversation: Conversation,
}

/// Clones share the parts.
#[derive(Clone)]
pub struct Chat {
    parts: Arc<ChatParts>,
}

impl Chat {
    pub fn new(parts: ChatParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    pub fn streams(&self) -> &Streams {
        &self.parts.streams
    }

    /// What new sessions start with.
    pub fn conversation(&self) -> &Conversation {
        &self.parts.conversation
    }

    /// Ends the answers that a dead process left incomplete; for the start, before any question is taken. Tells how many there were.
    pub async fn recover(&self) -> Result<u64> {
        let recovered = self.parts.store.complete_abandoned_messages(crate::domain::Timestamp::now()).await?;
        if recovered > 0 {
            tracing::warn!(recovered, "answers that an earlier process left incomplete were closed");
        }
        Ok(recovered)
    }
}
