//! What a newcomer sees: an empty folder, a start, questions and answers with the contract's default thresholds.

use knowhost_tests::{Caller, Server, SseEvent, wait_for};
use serde_json::json;

/// A server whose sample is filled, and the sample's id.
fn sample() -> (Server, String) {
    let server = Server::builder().start();
    let caller = server.caller();
    let kb_id = wait_for("the sample knowledge base", || {
        let list = caller.get("/api/v1/knowledge-bases").ok()?.json["data"].take();
        list.as_array()?.first().map(|kb| kb["id"].as_str().expect("an id").to_owned())
    });
    wait_for("the sample's documents", || {
        let answer = caller.get(&format!("/api/v1/knowledge-bases/{kb_id}/knowledge?page_size=100")).ok()?;
        let items = answer.json["data"].as_array()?.clone();
        let open = items.iter().filter(|item| !matches!(item["parse_status"].as_str(), Some("completed" | "failed"))).count();
        (items.len() >= 30 && open == 0).then_some(items)
    })
    .iter()
    .for_each(|item| assert_eq!(item["parse_status"], "completed", "{}: {}", item["file_name"], item["error_message"]));
    (server, kb_id)
}

fn text(events: &[SseEvent]) -> String {
    events.iter().map(SseEvent::content).collect()
}

fn sources(events: &[SseEvent]) -> Vec<String> {
    let references = events.first().map(|event| event.references().to_vec()).unwrap_or_default();
    references.iter().map(|reference| reference["knowledge_title"].as_str().unwrap_or_default().to_owned()).collect()
}

/// References first, then pieces, then the end, all of one request.
fn check_shape(events: &[SseEvent]) {
    assert_eq!(events.first().map(SseEvent::kind), Some("references"));
    assert!(!events[0].is_done());
    let (last, pieces) = events[1..].split_last().expect("an answer");
    assert!(pieces.iter().all(|event| event.kind() == "answer" && !event.is_done()));
    assert!(last.kind() == "answer" && last.is_done());
    assert!(events.iter().all(|event| event.data["id"] == events[0].data["id"]));
}

fn check_answer(caller: &Caller, kb_id: &str, question: &str, source: &str, words: &[&str]) {
    let session_id = caller.a_session(kb_id);
    let events = caller.ask(&session_id, question);
    check_shape(&events);
    assert!(sources(&events).iter().any(|title| title == source), "{question}: {source} is not among {:?}", sources(&events));
    let answer = text(&events);
    assert!(answer.contains("[1]") || answer.contains("[2]") || answer.contains("[3]"), "{question}: no citation in {answer}");
    for word in words {
        assert!(answer.contains(word), "{question}: {word:?} is missing in {answer}");
    }
}

#[test]
fn the_sample_answers_questions_in_both_languages_with_sources() {
    let (server, kb_id) = sample();
    let caller = server.caller();
    check_answer(&caller, &kb_id, "Where may my dog stay on the ferry?", "pets.txt", &["pet lounge"]);
    check_answer(&caller, &kb_id, "How heavy may a piece of luggage be?", "luggage.md", &["twenty-three kilograms"]);
    check_answer(&caller, &kb_id, "绿茶应该怎样保存？", "茶叶保存.txt", &["绿茶"]);
    a_follow_up_is_understood_from_the_history(&caller, &kb_id);
    a_question_without_an_answer_gets_the_fallback(&caller, &kb_id);
    a_template_of_one_french_line_still_cites(&caller, &kb_id);
    answers_are_kept_as_messages(&caller, &kb_id);
}

fn a_follow_up_is_understood_from_the_history(caller: &Caller, kb_id: &str) {
    let session_id = caller.a_session(kb_id);
    caller.ask(&session_id, "Where may my dog stay on the ferry?");
    let events = caller.ask(&session_id, "and how much does it cost?");
    check_shape(&events);
    assert_eq!(sources(&events).first().map(String::as_str), Some("pets.txt"), "{:?}", sources(&events));
    assert!(text(&events).contains("five crowns"), "{}", text(&events));
}

fn a_question_without_an_answer_gets_the_fallback(caller: &Caller, kb_id: &str) {
    let body = json!({ "knowledge_base_id": kb_id });
    let session = caller.post("/api/v1/sessions", &body).expect("answered").expect_status(201).json["data"].take();
    let events = caller.ask(session["id"].as_str().expect("an id"), "Quantum chromodynamics lattice renormalisation?");
    let last = events.last().expect("an event");
    assert_eq!(last.content(), session["fallback_response"].as_str().expect("a text"), "{:?}", sources(&events));
    assert!(last.is_done());
}

fn a_template_of_one_french_line_still_cites(caller: &Caller, kb_id: &str) {
    let strategy = json!({
        "max_rounds": 5, "enable_rewrite": true, "embedding_top_k": 10, "vector_threshold": 0.5, "keyword_threshold": 0.3,
        "rerank_top_k": 5, "rerank_threshold": 0.5, "fallback_response": "rien",
        "summary_parameters": { "context_template": "Répondez à la question: {{.Query}}" },
    });
    let body = json!({ "knowledge_base_id": kb_id, "session_strategy": strategy });
    let session = caller.post("/api/v1/sessions", &body).expect("answered").expect_status(201).json["data"].take();
    let events = caller.ask(session["id"].as_str().expect("an id"), "Where may my dog stay on the ferry?");
    check_shape(&events);
    assert!(text(&events).contains("[1]"), "{}", text(&events));
}

fn answers_are_kept_as_messages(caller: &Caller, kb_id: &str) {
    let session_id = caller.a_session(kb_id);
    let events = caller.ask(&session_id, "How heavy may a piece of luggage be?");
    let messages =
        caller.get(&format!("/api/v1/messages/{session_id}/load?limit=20")).expect("answered").expect_status(200).json["data"].take();
    let messages = messages.as_array().expect("a list");
    assert_eq!(messages.len(), 2);
    assert_eq!((&messages[0]["role"], &messages[1]["role"]), (&json!("user"), &json!("assistant")));
    assert_eq!(messages[1]["content"], text(&events));
    assert_eq!(messages[1]["is_completed"], true);
    assert_eq!(messages[1]["knowledge_references"].as_array().map(Vec::len), Some(events[0].references().len()));
}

#[test]
fn the_second_start_keeps_everything_and_compiles_nothing() {
    let mut server = Server::empty();
    let kb_id = server.caller().a_kb("Kept");
    server.caller().a_knowledge(&kb_id, "note.md", b"# Moss\n\nThe moss garden opens at dawn.");
    let key = server.api_key().to_owned();
    assert!(server.stop().success());
    let compiled = |server: &Server| -> Vec<_> {
        let folder = server.data_dir().join("cache/compiled");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("compiled components")
            .flatten()
            .map(|entry| (entry.file_name(), entry.metadata().expect("a file").modified().expect("a time")))
            .collect();
        files.sort();
        files
    };
    let before = compiled(&server);
    assert!(before.len() >= 6);
    server.start();
    assert_eq!(compiled(&server), before, "the second start compiled a component again");
    assert_eq!(server.api_key(), key);
    let hits = server.caller().search(&kb_id, "When does the moss garden open?");
    assert!(hits.iter().any(|hit| hit["content"].as_str().expect("a text").contains("opens at dawn")));
}
