//! Takes a question: saves it, opens the stream, and hands the work to a task that outlives the request.
//!
//! Not here: how the answer is found (`pipeline`).

use super::budget::Budget;
use super::pipeline::{self, Answer, Question};
use super::text::{Hit, Story, validate};
use super::{Chat, ChatParts};
use crate::domain::{Message, Role, Session, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits;
use crate::stream::{StreamKey, StreamReader, StreamWriter};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug)]
pub struct AskRequest {
    pub session_id: String,
    pub query: String,
    /// The client's, kept in both messages and in every event.
    pub request_id: String,
    /// The addition `explain`: told before the references are.
    pub stories: Option<Stories>,
    /// Told when the session is read: what a line about this request calls it, even when there is no answer.
    pub knowledge_base_id: Arc<OnceLock<String>>,
}

/// Why each cited chunk stands where it stands. Beside the stream and not in it, so that what is kept and replayed is the contract's.
#[derive(Clone, Debug, Default)]
pub struct Stories(Arc<OnceLock<Vec<Option<Story>>>>);

impl Stories {
    pub(super) fn tell(&self, hits: &[Hit]) {
        // There is one list of references in an answer.
        let _ = self.0.set(hits.iter().map(|hit| hit.story.clone()).collect());
    }

    /// Of the reference in this place.
    pub fn of(&self, place: usize) -> Option<Story> {
        self.0.get()?.get(place)?.clone()
    }
}

impl Chat {
    /// The answer from its first event on. Errors are those before the stream opens; the answer goes on when the reader is dropped.
    pub async fn ask(&self, scope: &TenantScope, request: AskRequest) -> Result<StreamReader> {
        let text = validate::question(&request.query)?.to_owned();
        let session = self.parts.store.get_session(scope, &request.session_id).await?;
        if session.knowledge_base_id.is_empty() {
            return Err(Error::bad_request("session has no knowledge base"));
        }
        let _ = request.knowledge_base_id.set(session.knowledge_base_id.clone());
        let answer = self.save_messages(scope, &request).await?;
        let key = StreamKey { session_id: session.id.clone(), message_id: answer.id };
        let cancel = CancellationToken::new();
        let registered = self.parts.streams.register(key.clone(), &request.request_id, cancel.clone());
        let (writer, reader) = match (registered, self.parts.streams.read(&key)) {
            (Ok(writer), Some(reader)) => (writer, reader),
            (Err(error), _) => {
                save_answer(&self.parts, scope, &key, "", &Answer::default()).await;
                return Err(error);
            }
            (Ok(_), None) => return Err(Error::internal(anyhow::anyhow!("a stream that was just registered is gone"))),
        };
        let budget = Budget::new(scope.tenant_id(), &request.request_id, limits::ANSWER_TIME, cancel);
        let (opened, opening) = oneshot::channel();
        let run = Run { parts: Arc::clone(&self.parts), scope: *scope, session, text, stories: request.stories, key, budget, writer };
        self.parts.spawner.spawn(Box::pin(run.carry_out(opened)));
        match opening.await {
            Ok(Ok(())) => Ok(reader),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::internal(anyhow::anyhow!("the task of an answer ended before it opened"))),
        }
    }

    /// The question, and the empty answer after it.
    async fn save_messages(&self, scope: &TenantScope, request: &AskRequest) -> Result<Message> {
        let now = Timestamp::now();
        let question = Message {
            id: String::new(),
            session_id: request.session_id.clone(),
            request_id: request.request_id.clone(),
            content: request.query.clone(),
            role: Role::User,
            knowledge_references: Vec::new(),
            is_completed: true,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        let answer = Message {
            content: String::new(),
            role: Role::Assistant,
            is_completed: false,
            created_at: now.plus(Duration::from_micros(1)),
            ..question.clone()
        };
        let store = &self.parts.store;
        store.create_message(scope, &question).await?;
        store.create_answer(scope, &answer, &self.owner, limits::ANSWER_LEASE).await
    }
}

/// Whatever happened, the row must not stay incomplete; the answer itself was heard already.
async fn save_answer(parts: &ChatParts, scope: &TenantScope, key: &StreamKey, text: &str, answer: &Answer) {
    let saved = parts.store.complete_message(scope, &key.session_id, &key.message_id, text, &answer.references).await;
    match saved {
        Ok(_) => {}
        Err(Error::NotFound { .. }) => tracing::info!(message_id = key.message_id, "an answer was deleted before it was done"),
        Err(error) => tracing::error!(message_id = key.message_id, %error, "an answer was not saved"),
    }
}

/// One answer under way.
struct Run {
    parts: Arc<ChatParts>,
    scope: TenantScope,
    session: Session,
    text: String,
    stories: Option<Stories>,
    key: StreamKey,
    budget: Budget,
    writer: StreamWriter,
}

impl Run {
    async fn carry_out(self, opened: oneshot::Sender<Result<()>>) {
        let mut opened = Some(opened);
        let question = Question { scope: &self.scope, session: &self.session, text: &self.text, stories: self.stories.as_ref() };
        let open = || {
            if let Some(opened) = opened.take() {
                // Nobody may listen any more; the answer is made all the same.
                let _ = opened.send(Ok(()));
            }
        };
        let work = pipeline::answer(&self.parts, &self.budget, &question, &self.writer, open);
        let done = AssertUnwindSafe(work).catch_unwind().await;
        let result = done.unwrap_or_else(|_| Err(Error::internal(anyhow::anyhow!("a panic ended an answer"))));
        let (answer, refusal) = match result {
            Ok(answer) => (answer, None),
            Err(_) if self.budget.is_cancelled() => (Answer::default(), None),
            Err(error) => (Answer::default(), Some(error)),
        };
        let text = format!("{}{}", self.writer.text(), answer.fallback);
        save_answer(&self.parts, &self.scope, &self.key, &text, &answer).await;
        self.writer.finish(&answer.fallback);
        if let Some(opened) = opened {
            let _ = opened.send(refusal.map_or(Ok(()), Err));
        } else if let Some(error) = refusal {
            tracing::error!(request_id = self.budget.request_id(), %error, "an answer failed after it had opened");
        }
    }
}
