//! Answers from the question to the saved row.
//!
//! Not here: rounds after the first.

use super::super::testing::{Judge, Script};
use super::*;
use crate::chat::text::testing::hit;
use crate::domain::Role;
use crate::error::Error;
use crate::provider::ProviderErrorKind;
use crate::stream::StreamKey;
use tokio::sync::mpsc;

#[tokio::test]
async fn an_answer_streams_its_references_its_pieces_and_its_end_and_is_saved() {
    let talk = talk().await;
    talk.test.model.will(Script::Say(&["Kno", "whost ", "keeps.", ""]));
    assert_eq!(talk.events(" Are the papers apart? ").await, ["refs:c1", "Kno", "whost ", "keeps.", "", "done:"]);
    let messages = talk.messages().await;
    assert_eq!(messages.iter().map(|message| message.role).collect::<Vec<_>>(), [Role::User, Role::Assistant]);
    assert_eq!(messages[0].content, " Are the papers apart? ");
    assert!(messages.iter().all(|message| message.is_completed && message.request_id == "req-0001"));
    assert_eq!(messages[1].content, "Knowhost keeps.");
    assert_eq!(messages[1].knowledge_references[0].id, "c1");
    assert!(messages[0].created_at < messages[1].created_at);
    let request = talk.test.model.last_request();
    assert_eq!(request.question.as_deref(), Some("Are the papers apart?"));
    assert_eq!(request.sources[0].text, "Each tenant keeps its papers apart.");
}

#[tokio::test]
async fn nothing_found_is_the_fallback_without_references() {
    let talk = talk().await;
    talk.test.finder.hits.lock().expect("free").clear();
    assert_eq!(talk.events("Anything?").await, ["done:no idea"]);
    assert_eq!(talk.last().await.content, "no idea");
    assert!(talk.last().await.knowledge_references.is_empty());
    assert!(talk.test.model.requests.lock().expect("free").is_empty());
    let none = talk_with(|session| session.embedding_top_k = 0).await;
    assert_eq!(none.events("Anything?").await, ["done:no idea"]);
}

#[tokio::test]
async fn nothing_above_the_rerank_threshold_is_the_fallback() {
    let talk = talk_with(|session| session.rerank_model_id = "rerank-1".into()).await;
    *talk.test.reranker.judge.lock().expect("free") = Judge::Score(0.4);
    assert_eq!(talk.events("the Papers apart!").await, ["done:no idea"]);
    assert_eq!(*talk.test.reranker.queries.lock().expect("free"), ["the Papers apart!", "Papers apart", "the Papers apart!"]);
}

#[tokio::test]
async fn a_reranker_orders_what_passes() {
    let talk = talk_with(|session| session.rerank_model_id = "rerank-1".into()).await;
    *talk.test.finder.hits.lock().expect("free") = vec![hit("a", 0, "one", 0.9), hit("b", 50, "two", 0.8), hit("c", 90, "three", 0.7)];
    assert_eq!(talk.events("q").await[0], "refs:c,b,a");
    let scores: Vec<f64> = talk.last().await.knowledge_references.iter().map(|hit| (hit.score * 100.0).round()).collect();
    assert_eq!(scores, [89.0, 88.0, 87.0]);
}

#[tokio::test]
async fn a_reranker_that_fails_is_silent_or_is_gone_never_empties_an_answer() {
    for (judge, model_id) in [(Judge::Fail, "rerank-1"), (Judge::Silent, "rerank-1"), (Judge::Score(0.9), "gone")] {
        let talk = talk_with(|session| session.rerank_model_id = model_id.into()).await;
        *talk.test.reranker.judge.lock().expect("free") = judge;
        *talk.test.finder.hits.lock().expect("free") = vec![hit("a", 0, "one", 0.9), hit("b", 50, "two", 0.8)];
        assert_eq!(talk.events("q").await, ["refs:a,b", "answer", "done:"]);
    }
}

#[tokio::test]
async fn overlapping_chunks_are_merged_and_the_best_are_kept() {
    let talk = talk_with(|session| session.rerank_top_k = 2).await;
    *talk.test.finder.hits.lock().expect("free") =
        vec![hit("z", 100, "far", 0.9), hit("b", 3, "defg", 0.8), hit("a", 0, "abcd", 0.7), hit("y", 200, "farther", 0.1)];
    assert_eq!(talk.events("q").await[0], "refs:z,a");
    assert_eq!(talk.test.model.last_request().sources[1].text, "abcdefg");
}

#[tokio::test]
async fn the_marker_its_beginning_and_nothing_become_the_fallback_after_the_references() {
    for pieces in
        [&["<think>\n", "</think>\n", "NO_MATCH"][..], &["<think>\n</think>\nNO_MATCH\n"], &["<thi"], &[], &["NO_MATCH"], &["", " "]]
    {
        let talk = talk().await;
        talk.test.model.will(Script::Say(pieces));
        assert_eq!(talk.events("q").await, ["refs:c1", "done:no idea"], "{pieces:?}");
        assert_eq!(talk.last().await.content, "no idea");
        assert_eq!(talk.last().await.knowledge_references.len(), 1);
    }
}

#[tokio::test]
async fn a_text_like_the_marker_comes_in_one_event() {
    let talk = talk().await;
    talk.test.model.will(Script::Say(&["NO", " way", "!"]));
    assert_eq!(talk.events("q").await, ["refs:c1", "NO way", "!", "done:"]);
    let without_marker = talk_with(|session| session.summary_parameters.no_match_prefix.clear()).await;
    without_marker.test.model.will(Script::Say(&["NO_MATCH"]));
    assert_eq!(without_marker.events("q").await, ["refs:c1", "NO_MATCH", "done:"]);
    without_marker.test.model.will(Script::Say(&[]));
    assert_eq!(without_marker.events("q").await, ["refs:c1", "done:no idea"]);
}

#[tokio::test]
async fn a_stream_that_breaks_keeps_what_was_said() {
    let talk = talk().await;
    talk.test.model.will(Script::Break(&["half an", " ans"]));
    assert_eq!(talk.events("q").await, ["refs:c1", "half an", " ans", "done:"]);
    assert_eq!(talk.last().await.content, "half an ans");
    talk.test.model.will(Script::Break(&[]));
    assert_eq!(talk.events("q").await.last().map(String::as_str), Some("done:no idea"));
}

#[tokio::test]
async fn a_refusal_is_an_error_and_leaves_an_empty_completed_answer() {
    let talk = talk().await;
    talk.test.model.will(Script::Refuse(ProviderErrorKind::Unauthorised));
    let error = talk.ask("q").await.err().expect("refused");
    assert!(matches!(&error, Error::Provider(refusal) if refusal.kind == ProviderErrorKind::Unauthorised));
    let last = talk.last().await;
    assert_eq!((last.role, last.content.as_str(), last.is_completed), (Role::Assistant, "", true));
    let key = StreamKey { session_id: talk.session.id.clone(), message_id: last.id };
    let follower = talk.test.chat.streams().follow(&key).expect("known for a while");
    assert_eq!(drain(follower).await.last().map(String::as_str), Some("done:"));
}

#[tokio::test]
async fn a_panic_ends_its_answer_only() {
    let talk = talk().await;
    talk.test.model.will(Script::Panic);
    assert!(matches!(talk.ask("q").await, Err(Error::Internal(_))));
    assert!(talk.last().await.is_completed);
    assert_eq!(talk.events("q").await, ["refs:c1", "answer", "done:"]);
}

#[tokio::test]
async fn an_answer_goes_on_when_its_reader_leaves_and_others_may_follow() {
    let talk = talk().await;
    let (speak, pieces) = mpsc::channel(8);
    talk.test.model.will(Script::Wait(pieces));
    let mut reader = talk.ask("q").await.expect("opens");
    speak.send("one ").await.expect("heard");
    assert_eq!(reader.next().await.map(show).as_deref(), Some("refs:c1"));
    assert_eq!(reader.next().await.map(show).as_deref(), Some("one "));
    drop(reader);
    let message = talk.last().await;
    assert_eq!((message.content.as_str(), message.is_completed), ("", false));
    let key = StreamKey { session_id: talk.session.id.clone(), message_id: message.id };
    let followers = [0, 1].map(|_| talk.test.chat.streams().follow(&key).expect("under way"));
    speak.send("two").await.expect("heard");
    drop(speak);
    for follower in followers {
        assert_eq!(follower.request_id(), "req-0001");
        let events = drain(follower).await;
        assert_eq!(events[0], "refs:c1");
        assert_eq!(events[1..events.len() - 1].concat(), "one two");
        assert_eq!(events.last().map(String::as_str), Some("done:"));
    }
    talk.settle().await;
    let message = talk.last().await;
    assert_eq!((message.content.as_str(), message.is_completed, message.knowledge_references.len()), ("one two", true, 1));
}

#[tokio::test]
async fn stop_ends_an_answer_with_what_was_said() {
    let talk = talk().await;
    let (speak, pieces) = mpsc::channel(8);
    talk.test.model.will(Script::Wait(pieces));
    let mut reader = talk.ask("q").await.expect("opens");
    speak.send("one ").await.expect("heard");
    reader.next().await;
    reader.next().await;
    assert_eq!(talk.test.chat.streams().stop(&talk.session.id, None), 1);
    assert_eq!(drain(reader).await, ["done:"]);
    talk.settle().await;
    assert_eq!(talk.last().await.content, "one ");
    assert!(speak.is_closed(), "the model's call is dropped");
}

#[tokio::test]
async fn a_session_deleted_meanwhile_does_not_disturb_its_answer() {
    let talk = talk().await;
    let (speak, pieces) = mpsc::channel(8);
    talk.test.model.will(Script::Wait(pieces));
    let reader = talk.ask("q").await.expect("opens");
    assert!(talk.test.store.delete_session(&talk.scope, &talk.session.id).await.expect("deleted"));
    speak.send("said").await.expect("heard");
    drop(speak);
    assert_eq!(drain(reader).await, ["refs:c1", "said", "done:"]);
    talk.settle().await;
    // Nothing was left for the next start to close.
    assert_eq!(talk.test.chat.recover().await.expect("recovers"), 0);
}

#[tokio::test]
async fn bad_questions_and_foreign_sessions_leave_no_rows() {
    let talk = talk().await;
    assert!(matches!(talk.ask("a\u{7}b").await, Err(Error::BadRequest(text)) if text == "用户查询包含非法内容"));
    assert!(matches!(talk.ask(&"x".repeat(10_001)).await, Err(Error::BadRequest(_))));
    let other = rows::a_tenant(&talk.test.store, "two").await;
    let session_id = talk.session.id.clone();
    let request =
        AskRequest { session_id, query: "q".into(), request_id: "r".into(), stories: None, knowledge_base_id: std::sync::Arc::default() };
    assert!(matches!(talk.test.chat.ask(&other, request).await, Err(Error::NotFound { .. })));
    assert!(talk.messages().await.is_empty());
    let homeless = talk_with(|session| session.knowledge_base_id.clear()).await;
    assert!(matches!(homeless.ask("q").await, Err(Error::BadRequest(text)) if text == "session has no knowledge base"));
}

#[tokio::test]
async fn an_unknown_model_is_told_before_the_stream_opens() {
    let talk = talk_with(|session| session.summary_model_id = "gone".into()).await;
    assert!(matches!(talk.ask("q").await, Err(Error::NotFound { what }) if what == "model not found"));
    let builtin = talk_with(|session| session.summary_model_id.clear()).await;
    assert_eq!(builtin.events("q").await, ["refs:c1", "answer", "done:"]);
}
