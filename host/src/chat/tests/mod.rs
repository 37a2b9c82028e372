//! The chat room over a real store with played models and searches.
//!
//! Not here: HTTP (`http::tests`) and the pure parts (beside their code).

mod answers;
mod follow_ups;
mod rest;

use super::AskRequest;
use super::testing::{TestChat, a_session, chat_over};
use crate::domain::{Message, Session, TenantScope};
use crate::error::Result;
use crate::store::testing as rows;
use crate::stream::{StreamEvent, StreamReader};

struct Talk {
    test: TestChat,
    scope: TenantScope,
    session: Session,
    _store: rows::TestStore,
}

async fn talk() -> Talk {
    talk_with(|_| {}).await
}

async fn talk_with(change: impl FnOnce(&mut Session)) -> Talk {
    let opened = rows::open().await;
    let scope = rows::a_tenant(&opened.store, "one").await;
    let (_, mut session) = a_session(&opened.store, &scope).await;
    change(&mut session);
    session.id.clear();
    let session = opened.store.create_session(&scope, &session).await.expect("created");
    Talk { test: chat_over(opened.store.clone()), scope, session, _store: opened }
}

impl Talk {
    async fn ask(&self, query: &str) -> Result<StreamReader> {
        let request = AskRequest {
            session_id: self.session.id.clone(),
            query: query.into(),
            request_id: "req-0001".into(),
            stories: None,
            knowledge_base_id: std::sync::Arc::default(),
        };
        self.test.chat.ask(&self.scope, request).await
    }

    /// What a client sees: `refs:<ids>`, `<piece>`, `done:<text>`.
    async fn events(&self, query: &str) -> Vec<String> {
        drain(self.ask(query).await.expect("opens")).await
    }

    /// All tasks of answers have ended after this.
    async fn settle(&self) {
        self.test.tracker.close();
        self.test.tracker.wait().await;
        self.test.tracker.reopen();
    }

    async fn messages(&self) -> Vec<Message> {
        self.test.store.list_recent_messages(&self.scope, &self.session.id, 100).await.expect("listed")
    }

    async fn last(&self) -> Message {
        self.messages().await.pop().expect("a message")
    }
}

async fn drain(mut reader: StreamReader) -> Vec<String> {
    let mut events = Vec::new();
    while let Some(event) = reader.next().await {
        events.push(show(event));
    }
    events
}

fn show(event: StreamEvent) -> String {
    match event {
        StreamEvent::References(hits) => {
            let ids: Vec<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
            format!("refs:{}", ids.join(","))
        }
        StreamEvent::Answer(piece) => piece,
        StreamEvent::Done(text) => format!("done:{text}"),
    }
}
