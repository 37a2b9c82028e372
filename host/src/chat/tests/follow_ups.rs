//! Rounds after the first: what is searched, cited and shown to the model.
//!
//! Not here: single answers.

use super::super::testing::Script;
use super::*;
use crate::chat::text::testing::hit;
use crate::domain::MatchType;
use crate::provider::{ChatPart, ChatTask, ProviderErrorKind};

fn prompt_texts(talk: &Talk) -> Vec<String> {
    let text = |part: ChatPart| match part {
        ChatPart::Text(text) => text,
        ChatPart::Image { .. } => String::new(),
    };
    talk.test.model.last_request().messages.into_iter().flat_map(|message| message.parts).map(text).collect()
}

#[tokio::test]
async fn without_a_rewriting_model_a_follow_up_is_searched_with_the_terms_before_it() {
    let talk = talk().await;
    talk.events("What is the Aurora subscription?").await;
    assert_eq!(talk.test.finder.texts(), ["What is the Aurora subscription?", "What Aurora subscription"]);
    talk.events("and how much does it cost?").await;
    assert_eq!(talk.test.finder.texts(), ["Aurora subscription and how much does it cost?", "Aurora subscription much does cost"]);
    let tasks: Vec<ChatTask> = talk.test.model.requests.lock().expect("free").iter().map(|request| request.task).collect();
    assert_eq!(tasks, [ChatTask::Answer, ChatTask::Answer]);
    assert_eq!(talk.test.model.last_request().question.as_deref(), Some("Aurora subscription and how much does it cost?"));
}

#[tokio::test]
async fn a_model_that_can_rewrites_and_its_thinking_is_dropped() {
    let talk = talk().await;
    talk.test.model.tasks.lock().expect("free").push(ChatTask::Rewrite);
    talk.events("What is the Aurora subscription?").await;
    talk.test.finder.texts();
    talk.test.model.will(Script::Say(&["<think>hm</think>\n", "What does the Aurora subscription cost?\n"]));
    talk.events("and how much does it cost?").await;
    assert_eq!(talk.test.finder.texts()[0], "What does the Aurora subscription cost?");
    let requests = talk.test.model.requests.lock().expect("free");
    assert_eq!(requests.iter().map(|request| request.task).collect::<Vec<_>>(), [ChatTask::Answer, ChatTask::Rewrite, ChatTask::Answer]);
    assert_eq!(requests[2].question.as_deref(), Some("and how much does it cost?"));
    assert_eq!(requests[1].options.max_completion_tokens, Some(50));
    assert_eq!(requests[1].options.thinking, Some(false));
}

#[tokio::test]
async fn a_rewrite_that_fails_gives_way_to_the_rule() {
    let talk = talk().await;
    talk.test.model.tasks.lock().expect("free").push(ChatTask::Rewrite);
    talk.events("What is the Aurora subscription?").await;
    for script in [Script::Refuse(ProviderErrorKind::Upstream), Script::Say(&["<think>", "</think> "])] {
        talk.test.finder.texts();
        talk.test.model.will(script);
        talk.events("and its price?").await;
        assert_eq!(talk.test.finder.texts()[0], "Aurora subscription and its price?");
    }
}

#[tokio::test]
async fn a_session_without_rewriting_or_rounds_searches_the_question_alone() {
    for change in [|session: &mut Session| session.enable_rewrite = false, |session: &mut Session| session.max_rounds = 0] {
        let talk = talk_with(change).await;
        talk.events("What is the Aurora subscription?").await;
        talk.test.finder.texts();
        talk.events("and its price?").await;
        assert_eq!(talk.test.finder.texts()[0], "and its price?");
    }
}

#[tokio::test]
async fn what_was_cited_before_comes_back_after_direct_hits_and_the_model_sees_the_last_rounds() {
    let talk = talk().await;
    talk.test.model.will(Script::Say(&["<think>x</think>It is", " a plan."]));
    talk.events("What is Aurora?").await;
    *talk.test.finder.hits.lock().expect("free") = vec![hit("c2", 500, "Aurora costs nine francs.", 0.2)];
    assert_eq!(talk.events("and its price?").await[0], "refs:c2,c1");
    let references = talk.last().await.knowledge_references;
    assert_eq!(references.iter().map(|hit| hit.match_type).collect::<Vec<_>>(), [MatchType::Vector, MatchType::History]);
    let texts = prompt_texts(&talk);
    assert_eq!(texts[1..3], ["What is Aurora?".to_owned(), "It is a plan.".to_owned()]);
}

#[tokio::test]
async fn a_template_without_placeholders_still_hands_over_question_and_sources() {
    let french = "Réponds en français, en une ligne.";
    let talk = talk_with(|session| session.summary_parameters.context_template = french.into()).await;
    talk.events("Are the papers apart?").await;
    assert_eq!(prompt_texts(&talk).last().map(String::as_str), Some(french));
    let request = talk.test.model.last_request();
    assert_eq!((request.sources.len(), request.question.as_deref()), (1, Some("Are the papers apart?")));
}

#[tokio::test]
async fn a_stored_template_that_is_broken_does_not_stop_the_answer() {
    let talk = talk_with(|session| session.summary_parameters.context_template = "{{query}}".into()).await;
    assert_eq!(talk.events("Are the papers apart?").await, ["refs:c1", "answer", "done:"]);
    assert!(prompt_texts(&talk).last().is_some_and(|text| text.contains("Each tenant keeps its papers apart.")));
}
