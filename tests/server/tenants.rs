//! Two tenants who can not see each other, on every route.

use knowhost_tests::Server;
use serde_json::json;

#[test]
fn what_belongs_to_one_tenant_does_not_exist_for_another() {
    let server = Server::empty();
    let owner = server.stranger("owner");
    let other = server.stranger("other");
    let kb = owner.a_kb("Private");
    let knowledge = owner.a_knowledge(&kb, "secret.txt", b"The combination of the safe is walnut.");
    let session = owner.a_session(&kb);
    owner.ask(&session, "What is the combination of the safe?");
    let model = json!({ "name": "mine", "type": "KnowledgeQA", "source": "remote", "parameters": { "base_url": "http://127.0.0.1:9", "api_key": "sk-private" } });
    let model =
        owner.post("/api/v1/models", &model).expect("answered").expect_status(201).json["data"]["id"].as_str().expect("an id").to_owned();
    let settings = json!({
        "llm": { "source": "remote", "modelName": "mine", "baseUrl": "http://127.0.0.1:9", "apiKey": "sk-private" },
        "embedding": { "source": "remote", "modelName": "mine", "baseUrl": "http://127.0.0.1:9", "apiKey": "sk-private" },
        "documentSplitting": { "chunkSize": 300, "chunkOverlap": 30, "separators": ["\n"] },
    });
    let other_kb = owner.a_kb("Set up");
    owner.post(&format!("/api/v1/initialization/initialize/{other_kb}"), &settings).expect("answered").expect_status(200);
    let run = owner.post("/api/v1/evaluation/", &json!({ "knowledge_base_id": kb })).expect("answered").expect_status(200);
    let run = run.json["data"]["task"]["id"].as_str().expect("an id").to_owned();
    let tenant = owner.get("/api/v1/knowledge-bases").expect("answered").json["data"][0]["tenant_id"].clone();

    let routes = [
        ("GET", format!("/api/v1/tenants/{tenant}"), json!(null)),
        ("GET", format!("/api/v1/models/{model}"), json!(null)),
        ("PUT", format!("/api/v1/models/{model}"), json!({ "name": "stolen" })),
        ("DELETE", format!("/api/v1/models/{model}"), json!(null)),
        ("GET", format!("/api/v1/knowledge-bases/{kb}"), json!(null)),
        ("PUT", format!("/api/v1/knowledge-bases/{kb}"), json!({ "name": "stolen", "config": {} })),
        ("DELETE", format!("/api/v1/knowledge-bases/{kb}"), json!(null)),
        ("GET", format!("/api/v1/knowledge-bases/{kb}/hybrid-search"), json!({ "query_text": "safe" })),
        ("GET", format!("/api/v1/knowledge-bases/{kb}/knowledge"), json!(null)),
        ("GET", format!("/api/v1/knowledge/{knowledge}"), json!(null)),
        ("DELETE", format!("/api/v1/knowledge/{knowledge}"), json!(null)),
        ("GET", format!("/api/v1/knowledge/{knowledge}/download"), json!(null)),
        ("GET", format!("/api/v1/chunks/{knowledge}"), json!(null)),
        ("GET", format!("/api/v1/sessions/{session}"), json!(null)),
        ("PUT", format!("/api/v1/sessions/{session}"), json!({ "title": "stolen" })),
        ("POST", format!("/api/v1/knowledge-chat/{session}"), json!({ "query": "safe" })),
        ("POST", "/api/v1/knowledge-search".to_owned(), json!({ "query": "safe", "knowledge_base_id": kb })),
        ("GET", format!("/api/v1/messages/{session}/load"), json!(null)),
        ("GET", format!("/api/v1/evaluation/?task_id={run}"), json!(null)),
        ("POST", "/api/v1/evaluation/".to_owned(), json!({ "knowledge_base_id": kb })),
        ("POST", "/api/v1/evaluation/".to_owned(), json!({ "chat_id": model })),
        ("POST", "/api/v1/sessions".to_owned(), json!({ "knowledge_base_id": kb })),
        ("GET", format!("/api/v1/initialization/config/{other_kb}"), json!(null)),
        ("POST", format!("/api/v1/initialization/initialize/{other_kb}"), settings),
        ("GET", "/api/v1/initialization/config".to_owned(), json!(null)),
        ("GET", "/api/v1/test-data".to_owned(), json!(null)),
        ("POST", "/api/v1/knowledge-bases/copy".to_owned(), json!({ "source_id": kb })),
        ("POST", format!("/api/v1/knowledge-bases/{kb}/knowledge/url"), json!({ "url": "http://example.com/" })),
        ("PUT", format!("/api/v1/knowledge/image/{knowledge}/x"), json!({ "image_info": "[{}]" })),
    ];
    for (method, path, body) in &routes {
        let request = other.request(method, path);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = other.send(request).expect("answered");
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
        assert!(!answer.text.contains("walnut") && !answer.text.contains("sk-private"), "{method} {path}: {}", answer.text);
    }
    let upload = other.upload(&kb, "mine.txt", b"Let me in.").expect("answered");
    assert!(matches!(upload.status, 403 | 404), "{}", upload.text);
    other.delete(&format!("/api/v1/sessions/{session}")).expect("answered").expect_status(200);

    for path in ["/api/v1/models", "/api/v1/knowledge-bases", "/api/v1/sessions"] {
        assert_eq!(other.get(path).expect("answered").expect_status(200).json["data"], json!([]), "{path}");
    }
    assert_eq!(
        other.get(&format!("/api/v1/knowledge/batch?ids={knowledge}")).expect("answered").expect_status(200).json["data"],
        json!([])
    );

    // What belongs to nobody but the operator.
    for (method, path) in [("GET", "index"), ("POST", "index/verify"), ("POST", "index/rebuild")] {
        let answer = other.send(other.request(method, &format!("/api/v1/system/{path}"))).expect("answered");
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
    }

    // Nothing of it was changed by the attempts.
    assert_eq!(owner.get(&format!("/api/v1/knowledge-bases/{kb}")).expect("answered").json["data"]["name"], "Private");
    assert_eq!(owner.get(&format!("/api/v1/models/{model}")).expect("answered").json["data"]["name"], "mine");
    owner.get(&format!("/api/v1/sessions/{session}")).expect("answered").expect_status(200);
    assert!(owner.search(&kb, "combination of the safe").iter().any(|hit| hit["knowledge_id"] == knowledge.as_str()));
}

#[test]
fn nobody_gets_in_without_a_key() {
    let server = Server::empty();
    let anonymous = server.caller().anonymous();
    for path in ["/api/v1/models", "/api/v1/knowledge-bases", "/api/v1/sessions", "/api/v1/nothing"] {
        let answer = anonymous.get(path).expect("answered").expect_status(401);
        assert_eq!(answer.json, json!({ "error": "Unauthorized: missing authentication" }));
    }
    let forged = anonymous.with_bearer("eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMSJ9.x");
    forged.get("/api/v1/models").expect("answered").expect_status(401);
    server.caller().get("/api/v1/nothing").expect("answered").expect_status(404);
}
