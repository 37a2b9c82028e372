//! Recovery, search without an answer, titles.
//!
//! Not here: answers.

use super::super::testing::{Judge, Script};
use super::*;
use crate::chat::text::testing::hit;
use crate::domain::{KnowledgeBase, Role};
use crate::error::Error;
use crate::provider::ChatTask;

#[tokio::test]
async fn answers_that_a_dead_process_left_are_closed_at_the_next_start() {
    let talk = talk().await;
    let (speak, pieces) = tokio::sync::mpsc::channel(1);
    talk.test.model.will(Script::Wait(pieces));
    let reader = talk.ask("q").await.expect("opens");
    assert!(!talk.last().await.is_completed);
    // The new process shares nothing with the old one but the store.
    let next = chat_over(talk.test.store.clone());
    assert_eq!(next.chat.keep_promises().await.expect("looks"), 0, "the lease of the old one has not lapsed");
    assert!(!talk.last().await.is_completed);
    assert_eq!(next.chat.recover().await.expect("recovers"), 1);
    assert!(talk.last().await.is_completed);
    assert_eq!(next.chat.recover().await.expect("recovers"), 0);
    drop((speak, reader));
    talk.settle().await;
}

#[tokio::test]
async fn search_without_an_answer_merges_and_cuts() {
    let talk = talk().await;
    *talk.test.finder.hits.lock().expect("free") =
        (0..9).map(|number| hit(&format!("c{number}"), number * 100, "text", 0.9 - 0.05 * number as f64)).collect();
    let kb = &talk.session.knowledge_base_id;
    let found = talk.test.chat.search_knowledge(&talk.scope, "r", "storage quota?", kb).await.expect("searched");
    assert_eq!(found.iter().map(|result| result.id.as_str()).collect::<Vec<_>>(), ["c0", "c1", "c2", "c3", "c4"]);
    assert_eq!(talk.test.finder.texts(), ["storage quota?", "storage quota"]);
    assert!(talk.test.reranker.queries.lock().expect("free").is_empty());
    talk.test.finder.hits.lock().expect("free").clear();
    assert!(talk.test.chat.search_knowledge(&talk.scope, "r", "q", kb).await.expect("searched").is_empty());
}

#[tokio::test]
async fn search_uses_the_reranker_of_the_knowledge_base() {
    let talk = talk().await;
    let kb = KnowledgeBase { name: "kb".into(), rerank_model_id: "rerank-1".into(), ..KnowledgeBase::default() };
    let kb = talk.test.store.create_knowledge_base(&talk.scope, &kb).await.expect("created");
    let search = async || talk.test.chat.search_knowledge(&talk.scope, "r", "quota", &kb.id).await.expect("searched").len();
    assert_eq!(search().await, 1);
    *talk.test.reranker.judge.lock().expect("free") = Judge::Score(0.1);
    assert_eq!(search().await, 0);
}

#[tokio::test]
async fn search_in_a_foreign_knowledge_base_finds_no_such_thing() {
    let talk = talk().await;
    let other = rows::a_tenant(&talk.test.store, "two").await;
    let kb = &talk.session.knowledge_base_id;
    assert!(matches!(talk.test.chat.search_knowledge(&other, "r", "q", kb).await, Err(Error::NotFound { .. })));
    assert!(matches!(talk.test.chat.search_knowledge(&talk.scope, "r", "\u{1}", kb).await, Err(Error::BadRequest(_))));
    assert!(talk.test.finder.texts().is_empty());
}

#[tokio::test]
async fn a_title_comes_from_the_model_that_can_and_is_kept() {
    let talk = talk().await;
    talk.test.model.tasks.lock().expect("free").push(ChatTask::Title);
    talk.test.model.will(Script::Say(&["<think>\n\n</think>", "Storage ", "quota \n"]));
    let title = async |question| talk.test.chat.generate_title(&talk.scope, "r", &talk.session.id, question).await;
    assert_eq!(title(Some("What is the storage quota?")).await.expect("titled"), "Storage quota");
    assert_eq!(title(Some("Something else?")).await.expect("titled"), "Storage quota");
    assert_eq!(talk.test.model.requests.lock().expect("free").len(), 1);
    let stored = talk.test.store.get_session(&talk.scope, &talk.session.id).await.expect("there");
    assert_eq!(stored.title, "Storage quota");
    assert_eq!(stored.fallback_response, "no idea");
}

#[tokio::test]
async fn without_such_a_model_the_oldest_question_is_the_title() {
    let talk = talk().await;
    let title = async || talk.test.chat.generate_title(&talk.scope, "r", &talk.session.id, None).await;
    assert!(matches!(title().await, Err(Error::NotFound { what }) if what == "record not found"));
    talk.events("What is the storage quota?").await;
    talk.events("And now?").await;
    assert_eq!(title().await.expect("titled"), "What is the storage quota?");
    assert_eq!(talk.messages().await.iter().filter(|message| message.role == Role::User).count(), 2);
    let other = rows::a_tenant(&talk.test.store, "two").await;
    assert!(matches!(talk.test.chat.generate_title(&other, "r", &talk.session.id, None).await, Err(Error::NotFound { .. })));
}
