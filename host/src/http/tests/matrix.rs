//! Every route as seen by its owner, by another tenant, for ids that nobody has or could have, without and with wrong credentials.
//!
//! The rows stand in `tests/contract/matrix.json`, which the tests of the server from outside read too; a route without a row fails here.
//! Not here: what good answers hold.

use super::TestApp;
use super::knowledge::{a_document, a_kb};
use super::matrix_rows::{Ids, OPEN, Row, absent, malformed, rows};
use super::support::Tester;
use crate::http::routes_listed;
use crate::library::LibrarySettings;
use crate::library::initialization::InitializationSettings;
use crate::provider::testing::PlayedModels;
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;

pub(super) const TABLE: &str = include_str!("../../../../tests/contract/matrix.json");

pub(super) async fn ids_of(app: &TestApp, ann: &Tester) -> Ids {
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
    let download = app.post("/api/v1/initialization/ollama/models/download", &ann.key, json!({"modelName": "other"})).await.data();
    let tenant = ann.tenant_id.to_string();
    [
        ("kb", kb),
        ("knowledge", knowledge),
        ("chunk", chunk),
        ("session", session),
        ("message", message),
        ("model", model),
        ("evaluation", evaluation),
        ("task", download["taskId"].as_str().expect("an id").to_owned()),
        ("tenant", tenant),
        ("plugin", "nothing".to_owned()),
    ]
    .into()
}

#[test]
fn every_route_has_its_row_and_every_row_its_route() {
    let listed: BTreeSet<String> = routes_listed().into_iter().map(|(method, path)| format!("{method} {path}")).collect();
    let table = rows(TABLE);
    assert_eq!(table.len() + OPEN.len(), listed.len(), "one row for each route");
    let rows: BTreeSet<String> = table.into_iter().map(|row| row.route).chain(OPEN.map(str::to_owned)).collect();
    assert_eq!(rows.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "rows without a route");
    assert_eq!(listed.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "routes without a row");
}

async fn ask(app: &TestApp, row: &Row, ids: &Ids, headers: &[(&str, &str)]) -> super::support::Answer {
    let (path, body) = row.request(ids);
    app.call(Method::from_bytes(row.method().as_bytes()).expect("a method"), &path, headers, body).await
}

#[tokio::test]
async fn everybody_gets_what_the_matrix_says() {
    let models = PlayedModels { installed: Mutex::new(Some(vec!["tiny:latest".to_owned()])), ..PlayedModels::default() };
    let app = TestApp::build(LibrarySettings::default(), InitializationSettings::default(), models).await;
    app.work();
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let own = ids_of(&app, &ann).await;
    let (absent, malformed) = (absent(&own), malformed(&own));
    let mut wrong = Vec::new();
    for row in rows(TABLE) {
        for (who, ids, headers, wanted) in [
            ("another tenant", &own, vec![("x-api-key", bob.key.as_str())], row.foreign),
            ("an absent id", &absent, vec![("x-api-key", bob.key.as_str())], row.absent),
            ("a malformed id", &malformed, vec![("x-api-key", bob.key.as_str())], row.malformed),
            ("nobody", &own, vec![], 401),
            ("a wrong key", &own, vec![("x-api-key", "sk-AAECAwQFBgcICQoLJ_rIRulzEz_6h9F_gR8HLsRgIxFxZsU3")], 401),
            ("a wrong token", &own, vec![("authorization", "Bearer a.b.c")], 401),
        ] {
            let answer = ask(&app, &row, ids, &headers).await;
            if answer.status != wanted {
                wrong.push(format!("{} for {who}: {} instead of {wanted}: {}", row.route, answer.status, answer.text()));
            }
            for secret in ["Skarholm", "sk-private", ann.key.as_str()] {
                if answer.text().contains(secret) {
                    wrong.push(format!("{} tells {who} of {secret}", row.route));
                }
            }
        }
    }
    // Nothing of it had an effect, so that the owner finds everything as it was.
    for row in rows(TABLE) {
        let answer = ask(&app, &row, &own, &[("x-api-key", &ann.key)]).await;
        if answer.status != row.own {
            wrong.push(format!("{} for its owner: {} instead of {}: {}", row.route, answer.status, row.own, answer.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
