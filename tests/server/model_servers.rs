//! Real model servers behind the plugins: llama.cpp's HTTP server behind `remote-api`, Ollama behind `ollama`.

use knowhost_tests::{Server, SseEvent, ollama, openai_compatible};
use serde_json::{Value, json};

fn text(events: &[SseEvent]) -> String {
    events.iter().map(SseEvent::content).collect()
}

fn a_question(server: &Server, model: &Value) -> Vec<SseEvent> {
    let caller = server.caller();
    let made = caller.post("/api/v1/models", model).expect("answered").expect_status(201);
    caller.wait_fetched(made.json["data"]["id"].as_str().expect("an id"));
    let kb_id = caller.a_kb("Models");
    caller.a_knowledge(&kb_id, "note.txt", b"The ferry leaves at seven in the morning.");
    let session_id = caller.a_session(&kb_id);
    caller.ask(&session_id, "When does the ferry leave?")
}

/// The model has random weights, so what it says is noise; that it streams, ends and is kept is what counts.
fn check_generated(events: &[SseEvent]) {
    assert_eq!(events[0].kind(), "references");
    assert!(events.last().expect("an event").is_done());
    let pieces = events.iter().filter(|event| event.kind() == "answer" && !event.content().is_empty()).count();
    assert!(pieces >= 2, "the answer did not come in pieces: {:?}", text(events));
    assert!(!text(events).contains("built-in"), "the built-in answerer answered");
}

#[test]
fn an_openai_compatible_server_streams_through_remote_api() {
    let models = openai_compatible();
    let server = Server::empty();
    let model = json!({
        "name": "tiny", "type": "KnowledgeQA", "source": "remote", "is_default": true,
        "parameters": { "base_url": format!("{}/v1", models.url()), "api_key": "" },
    });
    check_generated(&a_question(&server, &model));
}

#[test]
fn a_provider_that_refuses_is_an_error_with_its_own_words() {
    let models = openai_compatible();
    let server = Server::empty();
    let caller = server.caller();
    let model = json!({
        "name": "tiny", "type": "KnowledgeQA", "source": "remote", "is_default": true,
        "parameters": { "base_url": format!("{}/nowhere", models.url()), "api_key": "" },
    });
    caller.post("/api/v1/models", &model).expect("answered").expect_status(201);
    let kb_id = caller.a_kb("Refused");
    caller.a_knowledge(&kb_id, "note.txt", b"The ferry leaves at seven in the morning.");
    let session_id = caller.a_session(&kb_id);
    let request =
        caller.request("POST", &format!("/api/v1/knowledge-chat/{session_id}")).json(&json!({ "query": "When does the ferry leave?" }));
    let answer = caller.send(request).expect("answered");
    assert!(answer.status >= 400, "{}", answer.text);
    let message = answer.json["error"]["message"].as_str().expect("a message");
    assert!(message.contains("remote-api"), "{message}");
}

#[test]
fn ollama_streams_through_its_plugin() {
    let models = ollama();
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("OLLAMA_BASE_URL", models.url()).start();
    let model = json!({ "name": "tiny", "type": "KnowledgeQA", "source": "local", "is_default": true, "parameters": {} });
    check_generated(&a_question(&server, &model));
}

#[test]
fn ollama_embeds_for_a_knowledge_base() {
    let models = ollama();
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("OLLAMA_BASE_URL", models.url()).start();
    let caller = server.caller();
    let model =
        json!({ "name": "tiny", "type": "Embedding", "source": "local", "parameters": { "embedding_parameters": { "dimension": 64 } } });
    let model = caller.post("/api/v1/models", &model).expect("answered").expect_status(201).json["data"]["id"].take();
    caller.wait_fetched(model.as_str().expect("an id"));
    let kb = caller
        .post("/api/v1/knowledge-bases", &json!({ "name": "Embedded", "embedding_model_id": model }))
        .expect("answered")
        .expect_status(201);
    let kb_id = kb.json["data"]["id"].as_str().expect("an id");
    let id = caller.a_knowledge(kb_id, "note.txt", b"Gulls follow the plough.");
    let hits = caller.search(kb_id, "What do gulls follow?");
    assert!(hits.iter().any(|hit| hit["knowledge_id"] == id.as_str()));
}
