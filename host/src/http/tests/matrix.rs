//! Every route as seen by its owner, by another tenant, for ids that nobody has or could have, without and with wrong credentials.
//!
//! Made from the route table: a route without a row fails here. Not here: what good answers hold.

use super::TestApp;
use super::knowledge::{a_document, a_kb};
use super::support::Tester;
use crate::http::routes_listed;
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Statuses for the owner, another tenant, an id that nobody has, and one that nobody could have.
type Statuses = [u16; 4];

/// Whoever it is, the answer is the same.
const SAME: Statuses = [200, 200, 200, 200];
/// No tenant may.
const OPERATORS: Statuses = [403, 403, 403, 403];
const FOUND: Statuses = [200, 404, 404, 404];

/// Method, pattern, body and statuses. `<name>` in a body stands for an id as in a path; parameters of a pattern go by their
/// place. Deletions stand last: rows are asked of the owner in this order.
const ROWS: &[(&str, &str, &str, Statuses)] = &[
    ("GET", "/api/v1/auth/validate", "", [400, 400, 400, 400]),
    ("GET", "/api/v1/auth/me", "", [401, 401, 401, 401]),
    ("POST", "/api/v1/auth/change-password", r#"{"old_password":"a","new_password":"secret12"}"#, [401, 401, 401, 401]),
    ("POST", "/api/v1/auth/logout", "", [400, 400, 400, 400]),
    ("POST", "/api/v1/tenants", r#"{"name":"t"}"#, [201, 201, 201, 201]),
    ("GET", "/api/v1/tenants", "", SAME),
    ("GET", "/api/v1/tenants/{id}", "", [200, 404, 404, 400]),
    ("PUT", "/api/v1/tenants/{id}", r#"{"description":"mine"}"#, [200, 404, 404, 400]),
    ("POST", "/api/v1/knowledge-bases", r#"{"name":"kb"}"#, [201, 201, 201, 201]),
    ("GET", "/api/v1/knowledge-bases", "", SAME),
    ("GET", "/api/v1/knowledge-bases/{id}", "", FOUND),
    ("PUT", "/api/v1/knowledge-bases/{id}", r#"{"name":"mine","config":{}}"#, FOUND),
    ("GET", "/api/v1/knowledge-bases/{id}/hybrid-search", r#"{"query_text":"keeper"}"#, FOUND),
    ("POST", "/api/v1/knowledge-bases/copy", r#"{"source_id":"<kb>"}"#, FOUND),
    ("POST", "/api/v1/knowledge-bases/{id}/knowledge/file", "", [400, 404, 404, 404]),
    ("POST", "/api/v1/knowledge-bases/{id}/knowledge/url", r#"{"url":"http://a.example/"}"#, [201, 404, 404, 404]),
    ("GET", "/api/v1/knowledge-bases/{id}/knowledge", "", FOUND),
    ("GET", "/api/v1/knowledge/batch", "?ids=<knowledge>", SAME),
    ("GET", "/api/v1/knowledge/{id}", "", FOUND),
    ("PUT", "/api/v1/knowledge/{id}", r#"{"title":"mine"}"#, FOUND),
    ("GET", "/api/v1/knowledge/{id}/download", "", FOUND),
    ("PUT", "/api/v1/knowledge/image/{id}/{chunk_id}", r#"{"image_info":"[{\"url\":\"a\"}]"}"#, FOUND),
    ("GET", "/api/v1/chunks/{knowledge_id}", "", FOUND),
    ("PUT", "/api/v1/chunks/{knowledge_id}/{id}", r#"{"content":"mine"}"#, FOUND),
    ("POST", "/api/v1/sessions", r#"{"knowledge_base_id":"<kb>"}"#, [201, 404, 404, 404]),
    ("GET", "/api/v1/sessions", "", SAME),
    ("GET", "/api/v1/sessions/{id}", "", FOUND),
    ("PUT", "/api/v1/sessions/{id}", r#"{"title":"mine"}"#, FOUND),
    ("POST", "/api/v1/sessions/{id}/generate_title", r#"{"messages":[{"role":"user","content":"x"}]}"#, FOUND),
    ("POST", "/api/v1/sessions/{id}/stop", "", FOUND),
    ("GET", "/api/v1/sessions/continue-stream/{id}", "?message_id=<message>", FOUND),
    ("POST", "/api/v1/knowledge-chat/{id}", r#"{"query":"q"}"#, FOUND),
    ("POST", "/api/v1/knowledge-search", r#"{"query":"q","knowledge_base_id":"<kb>"}"#, FOUND),
    ("GET", "/api/v1/messages/{session_id}/load", "", FOUND),
    ("POST", "/api/v1/models", r#"{"name":"m","type":"Embedding","source":"remote"}"#, [201, 201, 201, 201]),
    ("GET", "/api/v1/models", "", SAME),
    ("GET", "/api/v1/models/{id}", "", FOUND),
    ("PUT", "/api/v1/models/{id}", r#"{"name":"mine"}"#, FOUND),
    ("POST", "/api/v1/evaluation/", r#"{"knowledge_base_id":"<kb>"}"#, FOUND),
    ("GET", "/api/v1/evaluation/", "?task_id=<evaluation>", FOUND),
    ("GET", "/api/v1/system/info", "", SAME),
    ("GET", "/api/v1/system/index", "", OPERATORS),
    ("POST", "/api/v1/system/index/verify", "", OPERATORS),
    ("POST", "/api/v1/system/index/rebuild", "", OPERATORS),
    ("GET", "/api/v1/plugins", "", OPERATORS),
    ("POST", "/api/v1/plugins/{name}/allow", "", OPERATORS),
    ("POST", "/api/v1/plugins/{name}/deny", "", OPERATORS),
    // A message that is not there is deleted already; a session that is not there has none.
    ("DELETE", "/api/v1/messages/{session_id}/{id}", "", FOUND),
    ("DELETE", "/api/v1/sessions/{id}", "", SAME),
    ("DELETE", "/api/v1/models/{id}", "", FOUND),
    ("DELETE", "/api/v1/chunks/{knowledge_id}/{id}", "", FOUND),
    ("DELETE", "/api/v1/chunks/{knowledge_id}", "", FOUND),
    ("DELETE", "/api/v1/knowledge/{id}", "", FOUND),
    ("DELETE", "/api/v1/knowledge-bases/{id}", "", FOUND),
    ("DELETE", "/api/v1/tenants/{id}", "", [200, 404, 404, 400]),
];

/// Passed without a look at credentials.
const OPEN: [(&str, &str); 6] = [
    ("GET", "/health"),
    ("GET", "/docs"),
    ("GET", "/api/v1/openapi.json"),
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
];

/// Routes that ask model servers: their answers are looked at in `initialization`, here only who gets in.
const ELSEWHERE: [&str; 2] = ["/api/v1/initialization/", "/api/v1/test-data"];

fn is_elsewhere(pattern: &str) -> bool {
    ELSEWHERE.iter().any(|start| pattern.starts_with(start))
}

type Ids = BTreeMap<&'static str, String>;

/// What a parameter of a pattern names.
fn named(pattern: &str, parameter: &str) -> &'static str {
    match (parameter, pattern.split('/').nth(3).unwrap_or_default()) {
        ("session_id", _) | (_, "sessions" | "knowledge-chat") => "session",
        ("knowledge_id", _) | (_, "knowledge") if parameter != "chunk_id" => "knowledge",
        ("chunk_id", _) | (_, "chunks") => "chunk",
        (_, "messages") => "message",
        (_, "tenants") => "tenant",
        (_, "models") => "model",
        (_, "plugins") => "plugin",
        (_, "knowledge-bases" | "initialization") => "kb",
        (parameter, _) => panic!("what does {parameter} of {pattern} name?"),
    }
}

fn filled(pattern: &str, body: &str, ids: &Ids) -> (String, String) {
    let segment = |segment: &str| match segment.strip_prefix('{') {
        Some(parameter) => ids[named(pattern, parameter.trim_end_matches('}'))].replace(' ', "%20"),
        None => segment.to_owned(),
    };
    let mut path = pattern.split('/').map(segment).collect::<Vec<_>>().join("/");
    let mut body = ids.iter().fold(body.to_owned(), |body, (name, id)| body.replace(&format!("<{name}>"), id));
    if body.starts_with('?') {
        path.push_str(&body.replace(' ', "%20"));
        body.clear();
    }
    (path, body)
}

async fn ids_of(app: &TestApp, ann: &Tester) -> Ids {
    let text = |value: &Value| value["id"].as_str().expect("an id").to_owned();
    let kb = a_kb(app, ann).await;
    let knowledge = a_document(app, ann, &kb).await;
    let chunk = text(&app.get(&format!("/api/v1/chunks/{knowledge}"), &ann.key).await.data()[0]);
    let session = text(&app.post("/api/v1/sessions", &ann.key, json!({"knowledge_base_id": kb})).await.data());
    app.chat.model.will(crate::chat::testing::Script::Say(&["yes"]));
    app.post(&format!("/api/v1/knowledge-chat/{session}"), &ann.key, json!({"query": "q"})).await;
    let message = text(&app.get(&format!("/api/v1/messages/{session}/load"), &ann.key).await.data()[1]);
    let model = json!({"name": "m", "type": "Embedding", "source": "remote", "parameters": {"api_key": "sk-private"}});
    let model = text(&app.post("/api/v1/models", &ann.key, model).await.data());
    let chat_model = json!({"name": "c", "type": "KnowledgeQA", "source": "remote", "parameters": {"api_key": "sk-private"}});
    app.post("/api/v1/models", &ann.key, chat_model).await.data();
    let evaluation = app.post("/api/v1/evaluation/", &ann.key, json!({})).await.data()["task"]["id"].as_str().expect("an id").to_owned();
    let tenant = ann.tenant_id.to_string();
    [
        ("kb", kb),
        ("knowledge", knowledge),
        ("chunk", chunk),
        ("session", session),
        ("message", message),
        ("model", model),
        ("evaluation", evaluation),
        ("tenant", tenant),
        ("plugin", "nothing".to_owned()),
    ]
    .into()
}

fn instead(ids: &Ids, id: &str, tenant: &str) -> Ids {
    ids.keys().map(|name| (*name, if *name == "tenant" { tenant.to_owned() } else { id.to_owned() })).collect()
}

#[test]
fn every_route_has_its_row_and_every_row_its_route() {
    let listed: BTreeSet<(String, &str)> =
        routes_listed().into_iter().filter(|(_, path)| !is_elsewhere(path)).map(|(method, path)| (method.to_string(), path)).collect();
    let rows: BTreeSet<(String, &str)> =
        ROWS.iter().map(|(method, path, ..)| (*method, *path)).chain(OPEN).map(|(method, path)| (method.to_owned(), path)).collect();
    assert_eq!(rows.difference(&listed).collect::<Vec<_>>(), Vec::<&(String, &str)>::new(), "rows without a route");
    assert_eq!(listed.difference(&rows).collect::<Vec<_>>(), Vec::<&(String, &str)>::new(), "routes without a row");
}

#[tokio::test]
async fn everybody_gets_what_the_matrix_says() {
    let app = TestApp::new().await;
    app.work();
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let own = ids_of(&app, &ann).await;
    let absent = instead(&own, "00000000-0000-4000-8000-000000000000", "99999999");
    let malformed = instead(&own, "no id", "no id");
    let mut wrong = Vec::new();
    for (method, pattern, body, [_, foreign, missing, senseless]) in ROWS {
        let asked = async |ids: &Ids, headers: &[(&str, &str)]| {
            let (path, body) = filled(pattern, body, ids);
            app.call(Method::from_bytes(method.as_bytes()).expect("a method"), &path, headers, body).await
        };
        for (who, ids, headers, wanted) in [
            ("another tenant", &own, vec![("x-api-key", bob.key.as_str())], *foreign),
            ("an absent id", &absent, vec![("x-api-key", bob.key.as_str())], *missing),
            ("a malformed id", &malformed, vec![("x-api-key", bob.key.as_str())], *senseless),
            ("nobody", &own, vec![], 401),
            ("a wrong key", &own, vec![("x-api-key", "sk-AAECAwQFBgcICQoLJ_rIRulzEz_6h9F_gR8HLsRgIxFxZsU3")], 401),
            ("a wrong token", &own, vec![("authorization", "Bearer a.b.c")], 401),
        ] {
            let answer = asked(ids, &headers).await;
            if answer.status != wanted {
                wrong.push(format!("{method} {pattern} for {who}: {} instead of {wanted}: {}", answer.status, answer.text()));
            }
            for secret in ["Skarholm", "sk-private", ann.key.as_str()] {
                if answer.text().contains(secret) {
                    wrong.push(format!("{method} {pattern} tells {who} of {secret}"));
                }
            }
        }
    }
    for (method, pattern) in routes_listed().into_iter().filter(|(_, pattern)| is_elsewhere(pattern)) {
        let path = filled(pattern, "", &own).0;
        for headers in [vec![], vec![("x-api-key", "sk-nobody")], vec![("authorization", "Bearer a.b.c")]] {
            let answer = app.call(method.clone(), &path, &headers, "").await;
            if answer.status != 401 {
                wrong.push(format!("{method} {pattern} with {headers:?}: {}", answer.status));
            }
        }
    }
    // Nothing of it had an effect, so that the owner finds everything as it was.
    for (method, pattern, body, [wanted, ..]) in ROWS {
        let (path, body) = filled(pattern, body, &own);
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = app.call(method.clone(), &path, &[("x-api-key", &ann.key)], body).await;
        if answer.status != *wanted {
            wrong.push(format!("{method} {pattern} for its owner: {} instead of {wanted}: {}", answer.status, answer.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
