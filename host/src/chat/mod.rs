//! From a question to a streamed, cited answer.
//!
//! Not here: HTTP, how chunks are found, and which plugin answers.

mod answer_once;
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

pub use answer_once::AnswerOnce;
pub use ask::{AskRequest, Stories};
pub use prompt::check_template;
pub use text::{Hit, Story};

use crate::config::Conversation;
use crate::domain::{TenantScope, Timestamp};
use crate::error::Result;
use crate::limits;
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
    /// Whether hits come with their story.
    pub explain: bool,
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
    /// In whose name this process promises its answers.
    owner: Arc<str>,
}

impl Chat {
    pub fn new(parts: ChatParts) -> Self {
        // Process ids come again, so the name carries something that does not.
        let owner = format!("{}-{}", std::process::id(), uuid::Uuid::new_v4());
        Self { parts: Arc::new(parts), owner: owner.into() }
    }

    pub fn streams(&self) -> &Streams {
        &self.parts.streams
    }

    /// What new sessions start with.
    pub fn conversation(&self) -> &Conversation {
        &self.parts.conversation
    }

    /// Ends the answers of all other processes as far as they came; tells how many there were. Only for who holds the exclusive lock of the
    /// data folder, before any question is taken.
    pub async fn recover(&self) -> Result<u64> {
        told(self.parts.store.close_answers_of_others(&self.owner).await?)
    }

    /// Keeps the promises of this process alive, and ends the answers of processes that fell silent. To be called well within
    /// [`limits::ANSWER_LEASE`], again and again.
    pub async fn keep_promises(&self) -> Result<u64> {
        self.parts.store.extend_answer_leases(&self.owner, limits::ANSWER_LEASE).await?;
        told(self.parts.store.close_lapsed_answers(Timestamp::now()).await?)
    }
}

fn told(closed: u64) -> Result<u64> {
    if closed > 0 {
        tracing::warn!(closed, "answers that a process left incomplete were closed");
    }
    Ok(closed)
}
