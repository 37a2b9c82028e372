//! Copies of knowledge bases: what they hold, what they leave alone, and whose they are.

use super::TestApp;
use super::knowledge::{a_document, a_kb, ended, found, id, upload};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const PATH: &str = "/api/v1/knowledge-bases/copy";

/// Waits until a knowledge base holds so many completed documents and no others.
async fn holds(app: &TestApp, key: &str, kb: &str, wanted: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let all = app.get(&format!("/api/v1/knowledge-bases/{kb}/knowledge"), key).await.data();
        let all = all.as_array().expect("a list").clone();
        if all.len() == wanted && all.iter().all(|row| row["parse_status"] == "completed") {
            return all;
        }
        assert!(Instant::now() < deadline, "{all:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_copy_holds_the_same_and_lives_on_its_own() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let source = a_document(&app, &ann, &kb).await;
    let chunks = app.get(&format!("/api/v1/chunks/{source}"), &ann.key).await.data();
    let disabled = format!("/api/v1/chunks/{source}/{}", id(&chunks[1]));
    assert_eq!(app.put(&disabled, &ann.key, json!({"is_enabled": false})).await.status, 200);
    let embedded = app.models.embedded.load(Ordering::SeqCst);
    let asked = app.post(PATH, &ann.key, json!({"source_id": kb, "target_id": ""})).await;
    assert_eq!((asked.status, asked.json()), (200, json!({"message": "Knowledge base copy successfully", "success": true})));
    let bases = app.get("/api/v1/knowledge-bases", &ann.key).await.data();
    let copy_kb = bases.as_array().expect("a list").iter().find(|base| base["id"] != json!(kb)).expect("the copy").clone();
    assert_eq!(copy_kb["chunking_config"], bases[1]["chunking_config"]);
    let copy_kb = id(&copy_kb);
    let copy = holds(&app, &ann.key, &copy_kb, 1).await.remove(0);
    let original = app.get(&format!("/api/v1/knowledge/{source}"), &ann.key).await.data();
    for same in ["title", "file_name", "file_hash", "storage_size", "description", "metadata", "enable_status", "type"] {
        assert_eq!(copy[same], original[same], "{same}");
    }
    assert!(copy["processed_at"].is_string());
    assert_eq!(app.models.embedded.load(Ordering::SeqCst), embedded, "vectors are taken over");
    let copied = app.get(&format!("/api/v1/chunks/{}", id(&copy)), &ann.key).await.data();
    assert_eq!(copied.as_array().map(Vec::len), chunks.as_array().map(Vec::len));
    assert_eq!((&copied[0]["next_chunk_id"], &copied[1]["pre_chunk_id"]), (&copied[1]["id"], &copied[0]["id"]));
    assert_eq!((&copied[0]["is_enabled"], &copied[1]["is_enabled"]), (&json!(true), &json!(false)));
    assert_ne!(copied[0]["id"], chunks[0]["id"]);
    assert!(found(&app, &ann.key, &copy_kb, "lighthouse granite").await[0].contains("lighthouse"));
    let used = app.get(&format!("/api/v1/tenants/{}", ann.tenant_id), &ann.key).await.data()["storage_used"].as_i64();
    assert_eq!(used, original["storage_size"].as_i64().map(|size| 2 * size));
    // The source goes; its copy keeps text, file and place in searches.
    assert_eq!(app.delete(&format!("/api/v1/knowledge/{source}"), &ann.key).await.status, 200);
    let file = app.get(&format!("/api/v1/knowledge/{}/download", id(&copy)), &ann.key).await;
    assert_eq!((file.status, file.text().contains("Skarholm")), (200, true));
    assert!(!found(&app, &ann.key, &copy_kb, "lighthouse granite").await.is_empty());
    assert_eq!(app.delete(&format!("/api/v1/knowledge/{}", id(&copy)), &ann.key).await.status, 200);
}

#[tokio::test]
async fn a_copy_into_something_is_a_mirror_and_a_second_one_changes_nothing() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let (source, target) = (a_kb(&app, &ann).await, a_kb(&app, &ann).await);
    let kept = id(&upload(&app, &ann.key, &target, "both.txt", b"in both of them").await.data());
    let gone = id(&upload(&app, &ann.key, &target, "old.txt", b"only in the target").await.data());
    for (name, text) in [("both.txt", b"in both of them".as_slice()), ("new.txt", b"only in the source")] {
        let made = id(&upload(&app, &ann.key, &source, name, text).await.data());
        ended(&app, &ann.key, &made).await;
    }
    let broken = id(&upload(&app, &ann.key, &source, "broken.pdf", b"no PDF").await.data());
    for knowledge in [&kept, &gone, &broken] {
        ended(&app, &ann.key, knowledge).await;
    }
    for _ in 0..2 {
        assert_eq!(app.post(PATH, &ann.key, json!({"source_id": source, "target_id": target})).await.status, 200);
        let now = loop {
            let rows = holds(&app, &ann.key, &target, 2).await;
            if rows.iter().any(|row| row["file_name"] == "new.txt") {
                break rows;
            }
        };
        assert!(now.iter().any(|row| row["id"] == json!(kept)));
    }
    assert_eq!(app.get(&format!("/api/v1/knowledge/{gone}"), &ann.key).await.status, 404);
    assert_eq!(holds(&app, &ann.key, &target, 2).await.len(), 2);
}

#[tokio::test]
async fn both_sides_of_a_copy_are_the_callers_own() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let (theirs, own) = (a_kb(&app, &ann).await, a_kb(&app, &bob).await);
    for body in [
        json!({"source_id": theirs}),
        json!({"source_id": theirs, "target_id": own}),
        json!({"source_id": own, "target_id": theirs}),
        json!({"source_id": "nowhere", "target_id": own}),
    ] {
        let (status, code, message, _) = app.post(PATH, &bob.key, body.clone()).await.failure();
        assert_eq!((status, code, message.as_str()), (404, 1003, "knowledge base not found"), "{body}");
    }
    assert_eq!(app.get("/api/v1/knowledge-bases", &bob.key).await.data().as_array().map(Vec::len), Some(1));
    let (status, code, message, details) = app.post(PATH, &bob.key, json!({})).await.failure();
    assert_eq!((status, code, message.as_str()), (400, 1000, "Invalid request parameters"));
    assert!(details.as_str().expect("a text").contains("'SourceID'"));
    // Another method reads the knowledge base of that id.
    assert_eq!(app.get(PATH, &bob.key).await.failure().0, 404);
}
