//! Two tenants who can not see each other, on every route.

use knowhost_tests::matrix::{Ids, OPEN, Row, absent, malformed, rows};
use knowhost_tests::{Answer, Caller, Server, ollama, repository};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn what_belongs_to_one_tenant_does_not_exist_for_another() {
    let models = ollama();
    let builder = Server::builder().env("KNOWHOST_SAMPLE", "false").env("OLLAMA_BASE_URL", models.url());
    let server = builder.env("KNOWHOST_PRIVATE_HOSTS", "127.0.0.1").start();
    let owner = server.stranger("owner");
    let other = server.stranger("other");
    let own = furnish(&owner);
    let (absent, malformed) = (absent(&own), malformed(&own));
    let anonymous = server.caller().anonymous();
    let wrong_key = Caller::new(&server.url(), Some("sk-AAECAwQFBgcICQoLJ_rIRulzEz_6h9F_gR8HLsRgIxFxZsU3"));
    let wrong_token = anonymous.with_bearer("eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMSJ9.x");
    let table = rows(&std::fs::read_to_string(repository("tests/contract/matrix.json")).expect("the matrix"));
    check_complete(&table);
    let mut wrong = Vec::new();
    for row in &table {
        for (who, caller, ids, wanted) in [
            ("another tenant", &other, &own, row.foreign),
            ("an absent id", &other, &absent, row.absent),
            ("a malformed id", &other, &malformed, row.malformed),
            ("nobody", &anonymous, &own, 401),
            ("a wrong key", &wrong_key, &own, 401),
            ("a wrong token", &wrong_token, &own, 401),
        ] {
            let answer = ask(caller, row, ids);
            if answer.status != wanted {
                wrong.push(format!("{} for {who}: {} instead of {wanted}: {}", row.route, answer.status, answer.text));
            }
            if answer.text.contains("walnut") || answer.text.contains("sk-private") {
                wrong.push(format!("{} tells {who}: {}", row.route, answer.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Nothing of it was changed by the attempts.
    let (kb, knowledge, model, session) = (&own["kb"], &own["knowledge"], &own["model"], &own["session"]);
    assert_eq!(owner.get(&format!("/api/v1/knowledge-bases/{kb}")).expect("answered").json["data"]["name"], "Private");
    assert_eq!(owner.get(&format!("/api/v1/models/{model}")).expect("answered").json["data"]["name"], "mine");
    owner.get(&format!("/api/v1/sessions/{session}")).expect("answered").expect_status(200);
    assert!(owner.search(kb, "combination of the safe").iter().any(|hit| hit["knowledge_id"] == knowledge.as_str()));
    for row in &table {
        let answer = ask(&owner, row, &own);
        assert_eq!(answer.status, row.own, "{} for its owner: {}", row.route, answer.text);
    }
}

/// Something of each kind.
fn furnish(owner: &Caller) -> Ids {
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

    let message = owner.get(&format!("/api/v1/messages/{session}/load")).expect("answered").json["data"][1]["id"].clone();
    let chunk = owner.get(&format!("/api/v1/chunks/{knowledge}")).expect("answered").json["data"][0]["id"].clone();
    let task = json!({ "modelName": "127.0.0.1:9/library/none" });
    let task = owner.post("/api/v1/initialization/ollama/models/download", &task).expect("answered").expect_status(200);
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    [
        ("kb", kb),
        ("knowledge", knowledge),
        ("chunk", text(&chunk)),
        ("session", session),
        ("message", text(&message)),
        ("model", model),
        ("evaluation", run),
        ("task", text(&task.json["data"]["taskId"])),
        ("tenant", tenant.to_string()),
        ("plugin", "nothing".to_owned()),
    ]
    .into()
}

/// Every route of the described API has a row, and every row its route.
fn check_complete(table: &[Row]) {
    let document: Value =
        serde_json::from_slice(&std::fs::read(repository("docs/openapi.json")).expect("the document")).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("paths").iter();
    let routes = paths.flat_map(|(path, methods)| {
        methods.as_object().expect("methods").keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let routes: BTreeSet<String> = routes.collect();
    let rows: BTreeSet<String> = table.iter().map(|row| row.route.clone()).chain(OPEN.map(str::to_owned)).collect();
    assert_eq!(rows, routes);
}

fn ask(caller: &Caller, row: &Row, ids: &Ids) -> Answer {
    let (path, body) = row.request(ids);
    let request = caller.request(row.method(), &path);
    let request = if body.is_empty() { request } else { request.header("Content-Type", "application/json").body(body) };
    caller.send(request).expect("answered")
}

#[test]
fn lists_and_uploads_keep_to_their_tenant() {
    let server = Server::empty();
    let (owner, other) = (server.stranger("owner"), server.stranger("other"));
    let kb = owner.a_kb("Private");
    let knowledge = owner.a_knowledge(&kb, "secret.txt", b"The combination of the safe is walnut.");
    owner.a_session(&kb);
    let upload = other.upload(&kb, "mine.txt", b"Let me in.").expect("answered");
    assert!(matches!(upload.status, 403 | 404), "{}", upload.text);
    for path in ["/api/v1/models", "/api/v1/knowledge-bases", "/api/v1/sessions"] {
        assert_eq!(other.get(path).expect("answered").expect_status(200).json["data"], json!([]), "{path}");
    }
    assert_eq!(
        other.get(&format!("/api/v1/knowledge/batch?ids={knowledge}")).expect("answered").expect_status(200).json["data"],
        json!([])
    );
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
