//! POST /knowledge-chat/{id}: an answer as a stream of events, its sources first.

use super::{BROKEN, a_session, check_refusals};
use crate::knowledge::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;
use knowhost_tests::read_events;
use serde_json::json;

#[test]
fn sources_come_first_and_done_comes_last() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let answer =
        scene.key().send(&format!("POST /knowledge-chat/{id}"), Some(json!({ "query": "When does the ferry leave?" }).to_string()));
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.header("cache-control")),
        (200, Some("text/event-stream;charset=utf-8"), Some("no-cache"))
    );
    let data: Vec<serde_json::Value> =
        answer.text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| serde_json::from_str(data).expect("JSON")).collect();
    assert!(answer.text.lines().all(|line| line.is_empty() || line == "event:message" || line.starts_with("data:{")), "{}", answer.text);
    assert_eq!(data[0]["response_type"], "references");
    assert!(data[1..].iter().all(|event| event["response_type"] == "answer" && event["knowledge_references"].is_null()));
    assert_eq!(data.iter().position(|event| event["done"] == true), Some(data.len() - 1));
    let names: Vec<&String> = data[0].as_object().expect("an event").keys().collect();
    assert_eq!(names, ["id", "response_type", "content", "done", "knowledge_references"]);
    let text: String = data.iter().filter_map(|event| event["content"].as_str()).collect();
    assert!(text.contains("seven in the morning"), "{text}");
}

#[test]
fn nothing_found_is_the_fallback_without_sources() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Empty" }));
    let strategy = json!({ "fallback_response": "I do not know.", "embedding_top_k": 10, "rerank_top_k": 5, "vector_threshold": 0.5 });
    let id = scene.key().make("POST /sessions", json!({ "knowledge_base_id": kb_id, "session_strategy": strategy }));
    let answer =
        scene.key().send(&format!("POST /knowledge-chat/{id}"), Some(json!({ "query": "When does the ferry leave?" }).to_string()));
    let shown = scene.filtered(&answer.text);
    assert_snapshot!(shown, @r#"
    event:message
    data:{"id":"<id1>","response_type":"answer","content":"I do not know.","done":true,"knowledge_references":null}
    "#);
}

#[test]
fn mistakes_are_told_before_the_stream_begins() {
    let scene = Scene::new();
    let id = a_session(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("POST /knowledge-chat/{id}"), json!({})), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'CreateKnowledgeQARequest.Query' Error:Field validation for 'Query' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&format!("POST /knowledge-chat/{id}"), json!({ "query": "" })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'CreateKnowledgeQARequest.Query' Error:Field validation for 'Query' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /knowledge-chat/x", json!({ "query": "When?" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "session not found"
      },
      "success": false
    }
    "#);
}

#[test]
fn bodies_that_do_not_fit_are_told_in_the_contracts_words() {
    let scene = Scene::new();
    let route = "POST /knowledge-chat/x";
    check_refusals(scene.key(), route, &BROKEN);
    let required = "Key: 'CreateKnowledgeQARequest.Query' Error:Field validation for 'Query' failed on the 'required' tag";
    let wrong = "json: cannot unmarshal number into Go struct field CreateKnowledgeQARequest.query of type string";
    let root = "json: cannot unmarshal string into Go value of type handler.CreateKnowledgeQARequest";
    check_refusals(scene.key(), route, &[("null", required), (r#"{"query":null}"#, required), (r#"{"query":1}"#, wrong), (r#""x""#, root)]);
}

#[test]
fn a_refused_question_leaves_no_messages() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let long = format!(r#"{{"query":"{}"}}"#, "x".repeat(10_001));
    let refusals = [(long.as_str(), "用户查询包含非法内容"), (r#"{"query":"a\u0007b"}"#, "用户查询包含非法内容")];
    check_refusals(scene.key(), &format!("POST /knowledge-chat/{id}"), &refusals);
    let kb_less = a_session(&scene);
    scene.key().send(&format!("PUT /sessions/{kb_less}"), Some(json!({ "knowledge_base_id": "" }).to_string())).expect_status(200);
    check_refusals(scene.key(), &format!("POST /knowledge-chat/{kb_less}"), &[(r#"{"query":"x"}"#, "session has no knowledge base")]);
    for id in [id, kb_less] {
        assert_eq!(scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"], json!([]));
    }
}

#[test]
fn a_model_that_is_missing_is_told_and_leaves_an_empty_answer() {
    let scene = Scene::new();
    let (kb_id, _) = a_document(&scene);
    let id =
        scene.key().make("POST /sessions", json!({ "knowledge_base_id": kb_id, "session_strategy": { "summary_model_id": "nobody" } }));
    assert_snapshot!(scene.key().ask_with(&format!("POST /knowledge-chat/{id}"), json!({ "query": "When does the ferry leave?" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "model not found"
      },
      "success": false
    }
    "#);
    let messages = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].take();
    let shown = |at: usize, name: &str| messages[at][name].clone();
    assert_eq!((shown(0, "role"), shown(0, "content")), (json!("user"), json!("When does the ferry leave?")));
    assert_eq!((shown(1, "role"), shown(1, "content"), shown(1, "is_completed")), (json!("assistant"), json!(""), json!(true)));
    assert_eq!(shown(1, "knowledge_references"), json!([]));
}

#[test]
fn the_clients_request_id_names_answer_events_and_messages() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let name = "中".repeat(36);
    let request = scene.caller().request("POST", &format!("/api/v1/knowledge-chat/{id}")).header("X-Request-ID", name.as_bytes());
    let answer = scene.caller().send(request.body(r#"{"query":"When does the ferry leave?"}"#)).expect("answered").expect_status(200);
    assert_eq!(answer.header("x-request-id"), Some(name.as_str()));
    let events = read_events(&answer.text).expect("events");
    assert!(events.iter().all(|event| event.data["id"] == name), "{}", answer.text);
    let messages = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].take();
    assert!(messages[0]["request_id"] == name && messages[1]["request_id"] == name, "{messages}");
    assert_eq!(messages[1]["knowledge_references"], json!(events[0].references()));
}

#[test]
fn a_question_about_html_is_a_question_and_its_signs_are_escaped_on_the_wire() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Web" }));
    scene.caller().a_knowledge(&kb_id, "web.txt", "The tag <script> & the attribute \"onclick=\" run code.".as_bytes());
    let id = scene.caller().a_session(&kb_id);
    let route = format!("POST /knowledge-chat/{id}");
    let answer = scene.key().send(&route, Some(json!({ "query": "What does <script> or onclick= do?" }).to_string())).expect_status(200);
    assert!(
        answer.text.contains(r#""content":"The tag \u003cscript\u003e \u0026 the attribute \"onclick=\" run code.""#),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains(['<', '>', '&']), "{}", answer.text);
}

#[test]
fn blanks_alone_are_taken_and_find_nothing() {
    let scene = Scene::new();
    let (kb_id, _) = a_document(&scene);
    let id = scene.key().make("POST /sessions", json!({ "knowledge_base_id": kb_id, "session_strategy": { "fallback_response": "" } }));
    let events = scene.caller().ask(&id, " \n ");
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].kind(), events[0].content(), events[0].is_done()), ("answer", "", true));
}

#[test]
fn questions_may_come_at_the_same_time() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let (caller, session) = (scene.caller().clone(), id.clone());
    let asked: Vec<_> = (0..3)
        .map(|_| {
            let (caller, session) = (caller.clone(), session.clone());
            std::thread::spawn(move || caller.ask(&session, "When does the ferry leave?"))
        })
        .collect();
    for events in asked {
        assert!(events.join().expect("answered").last().is_some_and(|event| event.is_done()));
    }
    assert_eq!(scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].as_array().map(Vec::len), Some(6));
}

#[test]
fn explain_tells_the_story_of_every_chunk_that_was_joined() {
    let scene = Scene::new();
    let chunking = json!({ "chunk_size": 60, "chunk_overlap": 20, "separators": ["\n"] });
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour", "chunking_config": chunking }));
    let text = "The ferry to the island leaves at seven in the morning.\nThe ferry comes back from the island at noon.\nIn winter the ferry does not sail.\n";
    scene.caller().a_knowledge(&kb_id, "ferry.txt", text.as_bytes());
    let id = scene.caller().a_session(&kb_id);
    let ask = |body: serde_json::Value| {
        let answer = scene.key().send(&format!("POST /knowledge-chat/{id}"), Some(body.to_string())).expect_status(200);
        read_events(&answer.text).expect("events")[0].references().to_vec()
    };
    let told = ask(json!({ "query": "When does the ferry leave the island?", "explain": true }));
    let passage = told.iter().find(|reference| reference["sub_chunk_id"].is_array()).expect("a joined passage");
    let joined: Vec<&serde_json::Value> =
        passage["explain"]["merged"].as_array().expect("stories").iter().map(|story| &story["chunk_id"]).collect();
    assert_eq!(json!(joined), passage["sub_chunk_id"], "{passage}");
    assert!(passage["explain"]["merged"][0]["retriever"].is_string(), "{passage}");
    assert!(ask(json!({ "query": "When does the ferry leave the island?" })).iter().all(|reference| reference.get("explain").is_none()));
}
