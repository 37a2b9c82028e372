//! Sessions and messages: order, history, completion.

use super::tenants_apart::a_message;
use crate::domain::{Role, Session, SummaryParameters, Timestamp};
use crate::error::Error;
use crate::store::testing::{a_session, a_tenant, open};
use crate::store::{Page, SessionPatch};
use std::time::Duration;

#[tokio::test]
async fn history_is_the_newest_turns_in_the_order_in_which_they_were_said() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let session = a_session(store, &scope).await;
    let start = Timestamp::parse("2026-01-01T00:00:00Z").expect("valid");
    for turn in 0..4u64 {
        // The same time for both: the question comes first whatever their ids are.
        for (role, content) in [(Role::Assistant, format!("a{turn}")), (Role::User, format!("q{turn}"))] {
            let mut message = a_message(&session.id, role, &content);
            message.request_id = format!("r{turn}");
            message.created_at = start.plus(Duration::from_secs(turn));
            store.create_message(&scope, &message).await.expect("creates");
        }
    }
    let said = |messages: Vec<crate::domain::Message>| messages.into_iter().map(|message| message.content).collect::<Vec<_>>();
    assert_eq!(said(store.list_recent_messages(&scope, &session.id, 3).await.expect("lists")), ["a2", "q3", "a3"]);
    let before = start.plus(Duration::from_secs(2));
    assert_eq!(said(store.list_messages_before(&scope, &session.id, before, 3).await.expect("lists")), ["a0", "q1", "a1"]);
    assert_eq!(said(store.list_messages(&scope, &session.id, Page::new(2, 3)).await.expect("lists")), ["a1", "q2", "a2"]);
    let first = store.find_first_user_message(&scope, &session.id).await.expect("reads").expect("there");
    assert_eq!(first.content, "q0");
    assert!(store.find_message_by_request(&scope, &session.id, "r9").await.expect("reads").is_none());
}

#[tokio::test]
async fn an_answer_is_completed_with_what_it_cites_even_when_a_model_said_nul() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let session = a_session(store, &scope).await;
    let answer = store.create_message(&scope, &a_message(&session.id, Role::Assistant, "")).await.expect("creates");
    let done = store.complete_message(&scope, &session.id, &answer.id, "yes\0", &[]).await.expect("completes");
    assert_eq!((done.content.as_str(), done.is_completed), ("yes", true));
    assert!(store.delete_message(&scope, &session.id, &answer.id).await.expect("deletes"));
    assert!(!store.delete_message(&scope, &session.id, &answer.id).await.expect("deletes nothing"));
    let late = store.complete_message(&scope, &session.id, &answer.id, "again", &[]).await;
    assert!(matches!(late, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn only_answers_with_a_lapsed_lease_are_closed() {
    let test = open().await;
    let (store, stranger) = (&test.store, a_tenant(&test.store, "bob").await);
    let scope = a_tenant(store, "ann").await;
    let session = a_session(store, &scope).await;
    let long = Duration::from_secs(600);
    let empty = a_message(&session.id, Role::Assistant, "");
    let unpromised = store.create_message(&scope, &empty).await.expect("creates");
    let mine = store.create_answer(&scope, &empty, "me", Duration::ZERO).await.expect("creates");
    let other = store.create_answer(&scope, &empty, "other", long).await.expect("creates");
    let dead = store.create_answer(&scope, &empty, "dead", Duration::ZERO).await.expect("creates");
    assert_eq!(store.extend_answer_leases("me", long).await.expect("extends"), 1);
    let open = async || {
        let messages = store.list_recent_messages(&scope, &session.id, 9).await.expect("lists");
        messages.into_iter().filter(|message| !message.is_completed).map(|message| message.id).collect::<Vec<_>>()
    };
    let later = Timestamp::now().plus(Duration::from_secs(1));
    assert_eq!(store.close_lapsed_answers(later).await.expect("closes"), 1);
    assert!(!open().await.contains(&dead.id) && open().await.len() == 3);
    // A stranger's word ends no lease.
    assert!(store.complete_message(&stranger, &session.id, &other.id, "x", &[]).await.is_err());
    assert_eq!(store.close_answers_of_others("me").await.expect("closes"), 1);
    assert_eq!(store.close_answers_of_others("nobody").await.expect("closes"), 1);
    assert_eq!(open().await, [unpromised.id], "a message that nobody promised is left alone");
    // An answer that was given up for dead may still be told whole, and a deleted one ends its lease all the same.
    assert_eq!(store.complete_message(&scope, &session.id, &mine.id, "all", &[]).await.expect("completes").content, "all");
    let gone = store.create_answer(&scope, &empty, "me", long).await.expect("creates");
    assert!(store.delete_message(&scope, &session.id, &gone.id).await.expect("deletes"));
    assert!(store.complete_message(&scope, &session.id, &gone.id, "x", &[]).await.is_err());
    assert_eq!(store.extend_answer_leases("me", long).await.expect("extends"), 0);
}

#[tokio::test]
async fn bad_texts_are_refused_before_they_reach_the_database() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let session = a_session(store, &scope).await;
    let mut message = a_message(&session.id, Role::User, "a\0b");
    assert!(matches!(store.create_message(&scope, &message).await, Err(Error::BadRequest(_))));
    message.content = "ab".into();
    message.request_id = "r".repeat(37);
    assert!(matches!(store.create_message(&scope, &message).await, Err(Error::Validation { .. })));
    let long = Session { title: "长".repeat(256), ..Session::default() };
    assert!(matches!(store.create_session(&scope, &long).await, Err(Error::Validation { .. })));
    let nul = SummaryParameters { prompt: "a\0".into(), ..SummaryParameters::default() };
    let patch = SessionPatch { summary_parameters: Some(nul), ..SessionPatch::default() };
    assert!(matches!(store.update_session(&scope, &session.id, &patch).await, Err(Error::BadRequest(_))));
}

#[tokio::test]
async fn a_partial_update_keeps_what_it_does_not_name() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let full = Session {
        title: "t".into(),
        description: "d".into(),
        max_rounds: 7,
        enable_rewrite: true,
        vector_threshold: 0.25,
        summary_parameters: SummaryParameters { prompt: "p".into(), temperature: 0.5, ..SummaryParameters::default() },
        ..Session::default()
    };
    let session = store.create_session(&scope, &full).await.expect("creates");
    let patch = SessionPatch { enable_rewrite: Some(false), description: Some(String::new()), ..SessionPatch::default() };
    let after = store.update_session(&scope, &session.id, &patch).await.expect("updates");
    assert_eq!((after.enable_rewrite, after.description.as_str()), (false, ""));
    assert_eq!((after.title.as_str(), after.max_rounds, after.vector_threshold), ("t", 7, 0.25));
    assert_eq!(after.summary_parameters, full.summary_parameters);
    assert!(after.updated_at > session.updated_at && after.created_at == session.created_at);
}
