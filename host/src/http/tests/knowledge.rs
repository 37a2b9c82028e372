//! Documents, their chunks and searching them, from the upload to the deletion, with real parser processes, queue and index.

use super::TestApp;
use super::support::{Answer, Tester};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TEXT: &str = "The lighthouse of Skarholm was built in granite.\n\nIts <b>keeper</b> lives in a red cottage & paints boats.\n";

/// A multipart body of texts (no file name) and files.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        let file = file_name.map(|file_name| format!("; filename=\"{file_name}\"")).unwrap_or_default();
        body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    body
}

async fn send(app: &TestApp, key: &str, kb: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Answer {
    let headers = [("x-api-key", key), ("content-type", "multipart/form-data; boundary=edge")];
    app.call(Method::POST, &format!("/api/v1/knowledge-bases/{kb}/knowledge/file"), &headers, form(parts)).await
}

pub(super) async fn upload(app: &TestApp, key: &str, kb: &str, name: &str, content: &[u8]) -> Answer {
    send(app, key, kb, &[("file", Some(name), content)]).await
}

pub(super) fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

pub(super) async fn a_kb(app: &TestApp, tester: &Tester) -> String {
    let body = json!({"name": "kb", "chunking_config": {"chunk_size": 60, "chunk_overlap": 0, "separators": ["\n\n"]}});
    id(&app.post("/api/v1/knowledge-bases", &tester.key, body).await.data())
}

/// Waits for the end of a document's processing.
pub(super) async fn ended(app: &TestApp, key: &str, id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let batch = app.get(&format!("/api/v1/knowledge/batch?ids={id}&"), key).await.data();
        if matches!(batch[0]["parse_status"].as_str(), Some("completed" | "failed")) {
            return batch[0].clone();
        }
        assert!(Instant::now() < deadline, "{batch}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn search(app: &TestApp, key: &str, kb: &str, body: Value) -> Answer {
    app.call(Method::GET, &format!("/api/v1/knowledge-bases/{kb}/hybrid-search"), &[("x-api-key", key)], body.to_string()).await
}

pub(super) async fn found(app: &TestApp, key: &str, kb: &str, text: &str) -> Vec<String> {
    let data = search(app, key, kb, json!({"query_text": text, "match_count": 5})).await.data();
    let texts = data.as_array().map(|all| all.iter().map(|hit| hit["content"].as_str().expect("a text").to_owned()).collect());
    texts.unwrap_or_default()
}

/// A document that is ready, and its id.
pub(super) async fn a_document(app: &TestApp, tester: &Tester, kb: &str) -> String {
    let id = id(&upload(app, &tester.key, kb, "灯塔.txt", TEXT.as_bytes()).await.data());
    assert_eq!(ended(app, &tester.key, &id).await["parse_status"], "completed");
    id
}

#[tokio::test]
async fn a_document_lives_from_its_upload_to_its_deletion() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let parts: [(&str, Option<&str>, &[u8]); 3] =
        [("metadata", None, br#"{"owner":"ann"}"#), ("enable_multimodel", None, b"false"), ("file", Some("a/b/灯塔.TXT"), TEXT.as_bytes())];
    let row = send(&app, &ann.key, &kb, &parts).await.data();
    for (field, value) in [
        ("title", json!("灯塔.TXT")),
        ("file_name", json!("灯塔.TXT")),
        ("file_type", json!("TXT")),
        ("type", json!("file")),
        ("source", json!("")),
        ("parse_status", json!("pending")),
        ("enable_status", json!("disabled")),
        ("file_size", json!(TEXT.len())),
        ("file_hash", json!("1eb8a1bb5e3e6b9cf7ec1d6a7b0d3a5e")),
        ("metadata", json!({"owner": "ann"})),
        ("processed_at", Value::Null),
    ] {
        if field == "file_hash" {
            assert_eq!(row[field].as_str().map(str::len), Some(32));
        } else {
            assert_eq!(row[field], value, "{field}");
        }
    }
    let id = id(&row);
    let done = ended(&app, &ann.key, &id).await;
    assert_eq!((&done["parse_status"], &done["enable_status"]), (&json!("completed"), &json!("enabled")), "{done}");
    let list = app.get(&format!("/api/v1/knowledge-bases/{kb}/knowledge?page_size=5"), &ann.key).await.json();
    assert_eq!((&list["total"], &list["page"], &list["page_size"], &list["data"][0]["id"]), (&json!(1), &json!(1), &json!(5), &json!(id)));
    let chunks = app.get(&format!("/api/v1/chunks/{id}"), &ann.key).await.json();
    assert_eq!((&chunks["total"], &chunks["data"][0]["start_at"]), (&json!(2), &json!(0)));
    let shown = chunks["data"][1]["content"].as_str().expect("a text");
    assert!(shown.contains("&lt;b&gt;keeper&lt;/b&gt; lives in a red cottage &amp; paints"), "{shown}");
    assert!(found(&app, &ann.key, &kb, "keeper cottage").await[0].contains("<b>keeper</b>"));
    let file = app.get(&format!("/api/v1/knowledge/{id}/download"), &ann.key).await;
    assert_eq!((file.status, file.body.as_slice(), file.header("content-type")), (200, TEXT.as_bytes(), "application/octet-stream"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"__.TXT\"; filename*=UTF-8''%E7%81%AF%E5%A1%94.TXT");
    let gone = app.delete(&format!("/api/v1/knowledge/{id}"), &ann.key).await;
    assert_eq!((gone.status, &gone.json()["message"]), (200, &json!("Deleted successfully")));
    assert_eq!(search(&app, &ann.key, &kb, json!({"query_text": "keeper"})).await.json(), json!({"data": null, "success": true}));
    assert_eq!(
        app.get(&format!("/api/v1/knowledge/{id}"), &ann.key).await.failure(),
        (404, 1003, "knowledge not found".into(), Value::Null)
    );
    let (status, code, message, details) = app.get(&format!("/api/v1/knowledge/{id}/download"), &ann.key).await.failure();
    assert_eq!((status, code, message.as_str(), &details), (404, 1003, "Failed to retrieve file", &json!("knowledge not found")));
    assert_eq!(
        app.state
            .library
            .store()
            .find_tenant(crate::domain::TenantId(ann.tenant_id))
            .await
            .expect("reads")
            .expect("there")
            .storage_used_bytes,
        0
    );
}

#[tokio::test]
async fn upload_of_same_file_twice_returns_the_first() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let (kb, other) = (a_kb(&app, &ann).await, a_kb(&app, &ann).await);
    let first = upload(&app, &ann.key, &kb, "a.txt", b"same").await.data();
    let again = upload(&app, &ann.key, &kb, "b.md", b"same").await;
    let body = again.json();
    assert_eq!((again.status, &body["code"], &body["success"]), (409, &json!("duplicate_file"), &json!(false)));
    assert_eq!((&body["message"], &body["data"]["id"]), (&json!("File already exists: a.txt"), &first["id"]));
    assert_eq!(upload(&app, &ann.key, &other, "b.md", b"same").await.status, 200);
}

#[tokio::test]
async fn mistakes_of_an_upload_are_told() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let file = ("file", Some("a.txt"), b"x".as_slice());
    let no_form = app.post(&format!("/api/v1/knowledge-bases/{kb}/knowledge/file"), &ann.key, json!({})).await;
    assert_eq!(no_form.failure(), (400, 1000, "File upload failed".into(), json!("request Content-Type isn't multipart/form-data")));
    let no_file = send(&app, &ann.key, &kb, &[("file", None, b"x")]).await;
    assert_eq!(no_file.failure(), (400, 1000, "File upload failed".into(), json!("http: no such file")));
    let (status, code, message, details) = send(&app, &ann.key, &kb, &[file, ("metadata", None, br#"{"a":1}"#)]).await.failure();
    assert_eq!((status, code, message.as_str()), (400, 1000, "Invalid metadata format"));
    assert!(details.is_string());
    let (status, _, message, details) = send(&app, &ann.key, &kb, &[file, ("enable_multimodel", None, b"yes")]).await.failure();
    assert_eq!((status, message.as_str()), (400, "Invalid enable_multimodel format"));
    assert_eq!(details, "strconv.ParseBool: parsing \"yes\": invalid syntax");
    let check = async |name: &str, wanted: (u16, i64, &str)| {
        let (status, code, message, _) = upload(&app, &ann.key, &kb, name, b"x").await.failure();
        assert_eq!((status, code, message.as_str()), wanted, "{name}");
    };
    check("a.exe", (415, 1000, "unsupported file type")).await;
    check("noext", (415, 1000, "unsupported file type")).await;
    let (.., details) = upload(&app, &ann.key, &kb, "a.exe", b"x").await.failure();
    assert_eq!(details, "accepted file types: pdf, txt, docx, doc, md, markdown, png, jpg, jpeg, gif, csv, xlsx, xls, html, htm");
    check("javascript:.md", (400, 1010, "文件名包含非法字符")).await;
    check("a.PNG", (400, 1000, "上传图片文件需要完整的VLM配置信息, 请前往系统设置页面进行补全")).await;
    let (status, code, message, _) = upload(&app, &ann.key, "nowhere", "a.txt", b"x").await.failure();
    assert_eq!((status, code, message.as_str()), (404, 1003, "knowledge base not found"));
    let cut = form(&[file]);
    let headers = [("x-api-key", ann.key.as_str()), ("content-type", "multipart/form-data; boundary=edge")];
    let cut =
        app.call(Method::POST, &format!("/api/v1/knowledge-bases/{kb}/knowledge/file"), &headers, cut[..cut.len() - 12].to_vec()).await;
    assert_eq!(cut.failure().0, 400);
    let list = app.get(&format!("/api/v1/knowledge-bases/{kb}/knowledge"), &ann.key).await.json();
    assert_eq!((&list["total"], &list["data"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn a_full_quota_refuses_uploads() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    a_document(&app, &ann, &kb).await;
    let scope = crate::domain::TenantScope::mint(crate::domain::TenantId(ann.tenant_id));
    let full = crate::store::TenantPatch { storage_quota_bytes: Some(10), ..Default::default() };
    app.state.library.store().update_tenant(&scope, &full).await.expect("updates");
    let refused = upload(&app, &ann.key, &kb, "b.txt", b"more").await;
    assert_eq!(refused.failure(), (413, 1000, "Storage quota exceeded".into(), Value::Null));
}

#[tokio::test]
async fn documents_of_another_tenant_do_not_exist() {
    let app = TestApp::new().await;
    app.work();
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let kb = a_kb(&app, &ann).await;
    let id = a_document(&app, &ann, &kb).await;
    let chunk = self::id(&app.get(&format!("/api/v1/chunks/{id}"), &ann.key).await.data()[0]);
    let key = bob.key.as_str();
    assert_eq!(upload(&app, key, &kb, "a.txt", b"x").await.status, 404);
    assert_eq!(search(&app, key, &kb, json!({"query_text": "keeper"})).await.status, 404);
    for path in [
        format!("/api/v1/knowledge-bases/{kb}/knowledge"),
        format!("/api/v1/knowledge/{id}"),
        format!("/api/v1/knowledge/{id}/download"),
        format!("/api/v1/chunks/{id}"),
    ] {
        assert_eq!(app.get(&path, key).await.failure().0, 404, "{path}");
    }
    assert_eq!(app.put(&format!("/api/v1/knowledge/{id}"), key, json!({"title": "mine"})).await.status, 404);
    assert_eq!(app.put(&format!("/api/v1/chunks/{id}/{chunk}"), key, json!({"content": "mine"})).await.status, 404);
    for path in [format!("/api/v1/chunks/{id}/{chunk}"), format!("/api/v1/chunks/{id}"), format!("/api/v1/knowledge/{id}")] {
        assert_eq!(app.delete(&path, key).await.status, 404, "{path}");
    }
    assert_eq!(app.get(&format!("/api/v1/knowledge/batch?ids={id}"), key).await.data(), json!([]));
    assert_eq!(found(&app, &ann.key, &kb, "keeper").await.len(), 2);
}

#[tokio::test]
async fn a_title_is_all_that_an_update_changes() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let id = self::id(&upload(&app, &ann.key, &kb, "a.txt", b"x").await.data());
    let path = format!("/api/v1/knowledge/{id}");
    let changed = app.put(&path, &ann.key, json!({"id": id, "title": "Neu", "file_name": "other", "description": "no"})).await;
    assert_eq!(changed.json(), json!({"message": "Knowledge chunk updated successfully", "success": true}));
    assert_eq!(app.put(&path, &ann.key, json!({"title": ""})).await.status, 200);
    let row = app.get(&path, &ann.key).await.data();
    assert_eq!((&row["title"], &row["file_name"], &row["description"]), (&json!("Neu"), &json!("a.txt"), &json!("")));
    assert_eq!(app.put(&path, &ann.key, json!({"id": "other", "title": "x"})).await.failure().0, 400);
    assert_eq!(app.put(&path, &ann.key, json!({"title": 5})).await.failure().0, 400);
    let (status, code, message, _) = app.get("/api/v1/knowledge/batch", &ann.key).await.failure();
    assert_eq!((status, code, message.as_str()), (400, 1000, "Invalid request parameters"));
    assert_eq!(app.get("/api/v1/knowledge/batch?ids=", &ann.key).await.data(), json!([]));
}

#[tokio::test]
async fn a_changed_chunk_is_found_by_its_new_words_and_a_disabled_one_not_at_all() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let knowledge = a_document(&app, &ann, &kb).await;
    let chunks = app.get(&format!("/api/v1/chunks/{knowledge}"), &ann.key).await.data();
    let (first, second) = (id(&chunks[0]), id(&chunks[1]));
    let path = format!("/api/v1/chunks/{knowledge}/{second}");
    let changed = app.put(&path, &ann.key, json!({"content": "A glacier & ice", "is_enabled": true})).await.data();
    assert_eq!((&changed["content"], &changed["tenant_id"]), (&json!("A glacier & ice"), &json!(ann.tenant_id)));
    assert!(found(&app, &ann.key, &kb, "glacier ice").await.contains(&"A glacier & ice".to_owned()));
    // A change that says nothing of it keeps the chunk enabled.
    assert_eq!(app.put(&path, &ann.key, json!({"content": "A river"})).await.data()["is_enabled"], true);
    assert_eq!(app.put(&path, &ann.key, json!({"is_enabled": false})).await.data()["content"], "A river");
    assert!(!found(&app, &ann.key, &kb, "river").await.contains(&"A river".to_owned()));
    let other = self::id(&upload(&app, &ann.key, &kb, "b.txt", b"other words").await.data());
    let (status, code, message, _) = app.put(&format!("/api/v1/chunks/{other}/{first}"), &ann.key, json!({})).await.failure();
    assert_eq!((status, code, message.as_str()), (403, 1002, "No permission to access this chunk"));
    assert_eq!(app.put(&path, &ann.key, json!({"content": 5})).await.failure().0, 400);
    assert_eq!(app.delete(&format!("/api/v1/chunks/{knowledge}/{first}"), &ann.key).await.json()["message"], "Chunk deleted");
    let (status, code, message, _) = app.delete(&format!("/api/v1/chunks/{knowledge}/{first}"), &ann.key).await.failure();
    assert_eq!((status, code, message.as_str()), (404, 1003, "Chunk not found"));
    assert_eq!(app.delete(&format!("/api/v1/chunks/{knowledge}"), &ann.key).await.json()["message"], "All chunks under knowledge deleted");
    assert_eq!(app.get(&format!("/api/v1/chunks/{knowledge}"), &ann.key).await.json()["total"], 0);
}

#[tokio::test]
async fn a_search_is_asked_by_body_or_query_and_nothing_found_is_null() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let path = format!("/api/v1/knowledge-bases/{kb}/hybrid-search");
    assert_eq!(app.get(&path, &ann.key).await.failure(), (400, 1000, "Invalid request parameters".into(), json!("EOF")));
    assert_eq!(app.get(&format!("{path}?query=keeper"), &ann.key).await.json(), json!({"data": null, "success": true}));
    a_document(&app, &ann, &kb).await;
    let by_query = app.get(&format!("{path}?query=keeper&match_count=1"), &ann.key).await.data();
    let hit = &by_query[0];
    assert!(hit["content"].as_str().expect("a text").contains("keeper"), "{by_query}");
    assert_eq!((&hit["knowledge_title"], &hit["sub_chunk_id"], &hit["metadata"]), (&json!("灯塔.txt"), &Value::Null, &json!({})));
    assert!(hit.get("explain").is_none());
    let explained = search(&app, &ann.key, &kb, json!({"query_text": "keeper", "explain": true})).await.data();
    assert!(explained[0]["explain"].is_object(), "{explained}");
    let none = json!({"query_text": "keeper", "filter": {"file_types": ["pdf"]}});
    assert_eq!(search(&app, &ann.key, &kb, none).await.json()["data"], Value::Null);
    assert_eq!(search(&app, &ann.key, &kb, json!({"query_text": 1})).await.failure().0, 400);
    assert_eq!(search(&app, &ann.key, "nowhere", json!({"query_text": "x"})).await.failure().0, 404);
}
