//! The log from outside: one JSON line for each request with all that is known of it, and nothing that should stay unknown.

use knowhost_tests::{Answer, Caller, Server, wait_for};
use serde_json::{Value, json};

/// The one line of a request.
fn line(server: &Server, request_id: &str) -> Value {
    let lines = || -> Vec<Value> {
        let log = server.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == "request" && line["request_id"] == request_id).collect()
    };
    wait_for("a line of the log", || (!lines().is_empty()).then_some(()));
    let mut lines = lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines.remove(0);
    assert!(line["duration_ms"].is_u64() && line["timestamp"].is_string(), "{line}");
    line
}

fn ask(caller: &Caller, method: &str, path: &str, id: &str, body: Option<&str>) -> Answer {
    let request = caller.request(method, path).header("X-Request-ID", id);
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(body.to_owned()),
        None => request,
    };
    caller.send(request).expect("answered")
}

/// What a line says, without what every line has.
fn check(line: &Value, method: &str, path: &str, status: u16, rest: Value) {
    let mut said = line.clone();
    let fields = said.as_object_mut().expect("an object");
    for name in ["timestamp", "level", "message", "request_id", "duration_ms", "target", "reason"] {
        fields.remove(name);
    }
    let mut wanted = rest;
    let given = json!({ "method": method, "path": path, "status": status });
    wanted.as_object_mut().expect("an object").extend(given.as_object().expect("an object").clone());
    assert_eq!(said, wanted);
}

#[test]
fn each_request_is_one_line_with_all_that_is_known() {
    let server = Server::empty();
    let anonymous = server.caller().anonymous();
    let key = server.stranger("ann");
    let login = json!({ "email": "ann@example.com", "password": "secret12" }).to_string();
    let login = ask(&anonymous, "POST", "/api/v1/auth/login", "login", Some(&login)).expect_status(200).json;
    let text = |pointer: &str| login.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned();
    let (token, user, tenant) = (text("/token"), text("/user/id"), login["tenant"]["id"].clone());
    let person = anonymous.with_bearer(&token);
    check(&line(&server, "login"), "POST", "/api/v1/auth/login", 200, json!({ "route": "/api/v1/auth/login" }));

    let kb = key.a_kb("Notes");
    key.a_knowledge(&kb, "note.txt", b"Gulls follow the plough.");
    let session = key.a_session(&kb);
    let (kb_path, chat_path) = (format!("/api/v1/knowledge-bases/{kb}"), format!("/api/v1/knowledge-chat/{session}"));
    ask(&person, "GET", &kb_path, "kb", None).expect_status(200);
    let known = json!({ "route": "/api/v1/knowledge-bases/{id}", "tenant_id": tenant, "user_id": user, "knowledge_base_id": kb });
    check(&line(&server, "kb"), "GET", &kb_path, 200, known);
    ask(&key, "POST", &chat_path, "stream", Some("{\"query\":\"What do gulls follow?\"}")).expect_status(200);
    let known = json!({ "route": "/api/v1/knowledge-chat/{id}", "tenant_id": tenant, "knowledge_base_id": kb, "session_id": session });
    check(&line(&server, "stream"), "POST", &chat_path, 200, known);

    ask(&anonymous, "GET", "/health", "health", None).expect_status(200);
    check(&line(&server, "health"), "GET", "/health", 200, json!({ "route": "/health" }));
    ask(&anonymous, "GET", "/api/v1/models", "nobody", None).expect_status(401);
    check(&line(&server, "nobody"), "GET", "/api/v1/models", 401, json!({}));
    ask(&key, "GET", "/api/v1/nothing", "nowhere", None).expect_status(404);
    check(&line(&server, "nowhere"), "GET", "/api/v1/nothing", 404, json!({ "tenant_id": tenant }));
    ask(&key, "GET", "/api/v1/models/", "moved", None).expect_status(301);
    check(&line(&server, "moved"), "GET", "/api/v1/models/", 301, json!({}));
    let preflight =
        anonymous.request("OPTIONS", "/api/v1/models").header("Origin", "http://ui.example").header("X-Request-ID", "preflight");
    anonymous.send(preflight).expect("answered").expect_status(204);
    check(&line(&server, "preflight"), "OPTIONS", "/api/v1/models", 204, json!({}));
    ask(&key, "POST", "/api/v1/knowledge-bases", "bad", Some("{x")).expect_status(400);
    let bad = line(&server, "bad");
    check(&bad, "POST", "/api/v1/knowledge-bases", 400, json!({ "route": "/api/v1/knowledge-bases", "tenant_id": tenant }));
    assert!(bad["reason"].as_str().expect("a reason").contains("invalid character 'x'"), "{bad}");
    // A request without a name gets one.
    let named = key.get("/api/v1/models").expect("answered").expect_status(200);
    line(&server, named.header("X-Request-ID").expect("a name"));

    let log = server.log();
    for secret in [token.as_str(), &text("/refresh_token"), &text("/tenant/api_key"), "secret12"] {
        assert!(!log.contains(secret), "the log holds a secret");
    }
}

#[test]
fn what_only_a_body_or_a_session_names_is_in_the_line() {
    let server = Server::empty();
    let key = server.stranger("ann");
    let kb = key.a_kb("Notes");
    key.a_knowledge(&kb, "note.txt", b"Gulls follow the plough.");
    let tenant = key.get(&format!("/api/v1/knowledge-bases/{kb}")).expect("answered").expect_status(200).json["data"]["tenant_id"].clone();
    let body = |more: Value| {
        let mut body = json!({ "knowledge_base_id": kb });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body.to_string()
    };
    let known = |route: &str, more: Value| {
        let mut known = json!({ "route": route, "tenant_id": tenant, "knowledge_base_id": kb });
        known.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        known
    };

    let made = ask(&key, "POST", "/api/v1/sessions", "session", Some(&body(json!({})))).expect_status(201).json;
    let session = &made["data"]["id"];
    check(&line(&server, "session"), "POST", "/api/v1/sessions", 201, known("/api/v1/sessions", json!({ "session_id": session })));
    let path = format!("/api/v1/sessions/{}", session.as_str().expect("an id"));
    ask(&key, "GET", &path, "read", None).expect_status(200);
    check(&line(&server, "read"), "GET", &path, 200, known("/api/v1/sessions/{id}", json!({ "session_id": session })));

    ask(&key, "POST", "/api/v1/knowledge-search", "found", Some(&body(json!({ "query": "gulls" })))).expect_status(200);
    check(&line(&server, "found"), "POST", "/api/v1/knowledge-search", 200, known("/api/v1/knowledge-search", json!({})));
    let path = format!("/api/v1/knowledge-bases/{kb}/hybrid-search");
    ask(&key, "GET", &path, "hybrid", Some("{\"query_text\":\"gulls\"}")).expect_status(200);
    check(&line(&server, "hybrid"), "GET", &path, 200, known("/api/v1/knowledge-bases/{id}/hybrid-search", json!({})));
    ask(&key, "POST", "/api/v1/evaluation/", "run", Some(&body(json!({})))).expect_status(200);
    check(&line(&server, "run"), "POST", "/api/v1/evaluation/", 200, known("/api/v1/evaluation/", json!({})));

    // A base that is not there is what somebody will look for; a text of any length is cut.
    let long = json!({ "knowledge_base_id": "x".repeat(10_000) }).to_string();
    ask(&key, "POST", "/api/v1/sessions", "nothing", Some(&long)).expect_status(404);
    let said = line(&server, "nothing");
    let named = said["knowledge_base_id"].as_str().expect("a text");
    assert!((1..=100).contains(&named.len()) && named.bytes().all(|byte| byte == b'x'), "{named}");
    ask(&key, "POST", "/api/v1/evaluation/", "unnamed", Some("{}"));
    assert!(line(&server, "unnamed").get("knowledge_base_id").is_none());
}

#[test]
fn a_fault_of_ours_is_found_by_its_request_id_and_keeps_its_cause_inside() {
    let server = Server::empty();
    let caller = server.caller();
    server.run_sql("alter table sessions rename to elsewhere");
    let answer = ask(&caller, "GET", "/api/v1/sessions", "fault-1", None).expect_status(500);
    assert_eq!(answer.header("X-Request-ID"), Some("fault-1"));
    let error = json!({ "code": 1007, "message": "Internal server error", "request_id": "fault-1" });
    assert_eq!(answer.json, json!({ "error": error, "success": false }));
    let line = line(&server, "fault-1");
    assert_eq!((&line["level"], &line["status"]), (&json!("ERROR"), &json!(500)), "{line}");
    assert!(line["reason"].as_str().expect("a reason").contains("sessions"), "{line}");
    caller.get("/api/v1/models").expect("answered").expect_status(200);
}
