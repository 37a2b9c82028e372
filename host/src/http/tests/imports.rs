//! Addresses that are imported, and pictures whose texts are corrected.

use super::TestApp;
use super::knowledge::{a_document, a_kb, ended, found, id};
use crate::domain::{Chunk, ChunkType, TenantId, TenantScope};
use serde_json::{Value, json};

const PAGE: &str =
    "<html><head><title>The light of Skarholm</title></head><body><p>The keeper paints boats in a red cottage.</p></body></html>";

fn stands_at(app: &TestApp, url: &str, content_type: &str, bytes: &[u8]) {
    app.pages.0.lock().expect("free").insert(url.to_owned(), (content_type.to_owned(), bytes.to_vec()));
}

#[tokio::test]
async fn a_web_page_becomes_a_document_with_its_title() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let url = format!("https://lights.example/{}?page=1", "a".repeat(200));
    stands_at(&app, &url, "text/html; charset=utf-8", PAGE.as_bytes());
    let path = format!("/api/v1/knowledge-bases/{kb}/knowledge/url");
    let taken = app.post(&path, &ann.key, json!({"url": url})).await;
    assert_eq!(taken.status, 201);
    let taken = taken.data();
    assert_eq!((&taken["type"], &taken["source"], &taken["parse_status"]), (&json!("url"), &json!(url), &json!("pending")));
    for empty in ["title", "file_name", "file_type", "file_path"] {
        assert_eq!(taken[empty], "", "{empty}");
    }
    let ready = ended(&app, &ann.key, &id(&taken)).await;
    assert_eq!((&ready["parse_status"], &ready["title"]), (&json!("completed"), &json!("The light of Skarholm")), "{ready}");
    assert!(found(&app, &ann.key, &kb, "keeper paints").await[0].contains("red cottage"));
    let again = app.post(&path, &ann.key, json!({"url": url, "enable_multimodel": null})).await;
    let body = again.json();
    assert_eq!((again.status, &body["code"], &body["data"]["id"]), (409, &json!("duplicate_url"), &taken["id"]));
    assert_eq!((&body["message"], &body["success"]), (&json!(format!("URL already exists: {url}")), &json!(false)));
    let download = app.get(&format!("/api/v1/knowledge/{}/download", id(&taken)), &ann.key).await.failure();
    assert_eq!((download.0, download.1, download.2.as_str()), (404, 1003, "Failed to retrieve file"));
}

#[tokio::test]
async fn what_can_not_be_fetched_or_read_fails_its_document_with_a_sentence() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let path = format!("/api/v1/knowledge-bases/{kb}/knowledge/url");
    stands_at(&app, "http://a.example/picture", "image/png", b"x");
    for (url, sentence) in [("http://a.example/gone", "status 404"), ("http://a.example/picture", "of type image/png")] {
        let taken = app.post(&path, &ann.key, json!({"url": url})).await.data();
        let ended = ended(&app, &ann.key, &id(&taken)).await;
        assert_eq!(ended["parse_status"], "failed");
        assert!(ended["error_message"].as_str().expect("a text").contains(sentence), "{ended}");
        // A failed document does not stand in the way of another try.
        assert_eq!(app.post(&path, &ann.key, json!({"url": url})).await.status, 201);
    }
    for url in ["ftp://a.example", "HTTP://a.example", "http://", "x", "http://a.example/javascript:"] {
        let (status, code, message, _) = app.post(&path, &ann.key, json!({"url": url})).await.failure();
        assert_eq!((status, code, message.as_str()), (400, 1000, "invalid URL"), "{url}");
    }
    let (status, code, message, _) = app.post(&path, &ann.key, json!({})).await.failure();
    assert_eq!((status, code), (400, 1000));
    assert_eq!(message, "Key: 'URL' Error:Field validation for 'URL' failed on the 'required' tag");
    let missing = app.post("/api/v1/knowledge-bases/nowhere/knowledge/url", &ann.key, json!({"url": 5})).await.failure();
    assert_eq!((missing.0, missing.1, missing.2.as_str()), (404, 1003, "knowledge base not found"));
}

/// A chunk of the document as one with pictures, which ingestion does not make yet.
async fn with_pictures(app: &TestApp, tenant_id: i64, knowledge: &str, images: &Value) -> String {
    let scope = TenantScope::mint(TenantId(tenant_id));
    let store = app.state.library.store();
    let chunk: Chunk = store.list_all_chunks(&scope, knowledge, &[ChunkType::Text]).await.expect("reads").swap_remove(0);
    let patch = crate::store::ChunkPatch { image_info: Some(images.to_string()), ..Default::default() };
    store.update_chunk(&scope, &chunk.id, &patch).await.expect("writes");
    chunk.id
}

#[tokio::test]
async fn a_corrected_caption_is_found_and_other_pictures_stay() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let knowledge = a_document(&app, &ann, &kb).await;
    let picture = |name: &str, caption: &str, text: &str| json!({"url": name, "original_url": name, "start_pos": 0, "end_pos": 0, "caption": caption, "ocr_text": text});
    let chunk = with_pictures(&app, ann.tenant_id, &knowledge, &json!([picture("a", "", ""), picture("b", "dog", "")])).await;
    let path = format!("/api/v1/knowledge/image/{knowledge}/{chunk}");
    let before = app.get(&format!("/api/v1/knowledge/{knowledge}"), &ann.key).await.data();
    let put = async |images: Value| app.put(&path, &ann.key, json!({"image_info": images.to_string()})).await;
    let done = put(json!([picture("a", "a zeppelin over the harbour", "WELCOME")])).await;
    assert_eq!(done.json(), json!({"message": "Knowledge chunk image updated successfully", "success": true}));
    let after = app.get(&format!("/api/v1/knowledge/{knowledge}"), &ann.key).await.data();
    assert_ne!(after["file_hash"], before["file_hash"]);
    let scope = TenantScope::mint(TenantId(ann.tenant_id));
    let store = app.state.library.store();
    let children = |all: Vec<Chunk>| all.into_iter().map(|chunk| (chunk.chunk_type, chunk.content)).collect::<Vec<_>>();
    let now = store.list_chunks_of_parent(&scope, &chunk).await.expect("reads");
    assert!(now.iter().all(|child| child.knowledge_id == knowledge && child.image_info.contains("\"original_url\":\"a\"")));
    let mut texts = children(now);
    texts.sort_by_key(|(_, text)| text.clone());
    assert_eq!(texts, [(ChunkType::ImageOcr, "WELCOME".to_owned()), (ChunkType::ImageCaption, "a zeppelin over the harbour".to_owned()),]);
    let parent = store.get_chunk(&scope, &chunk).await.expect("there");
    let images: Value = serde_json::from_str(&parent.image_info).expect("JSON");
    assert_eq!((images[0]["caption"].as_str(), images[1]["caption"].as_str()), (Some("a zeppelin over the harbour"), Some("dog")));
    // Found through its parent, as the contract has it.
    assert!(!found(&app, &ann.key, &kb, "zeppelin").await.is_empty());
    assert_eq!(put(json!([picture("a", "a zeppelin over the harbour", "")])).await.status, 200);
    assert_eq!(children(store.list_chunks_of_parent(&scope, &chunk).await.expect("reads")).len(), 1);
    for bad in [json!([]), json!([null]), json!([picture("a", "", ""), picture("b", "", "")]), json!("x")] {
        assert_eq!(put(bad.clone()).await.failure().0, 400, "{bad}");
    }
    assert_eq!(app.put(&path, &ann.key, json!({})).await.failure().0, 400);
    let other = a_kb(&app, &ann).await;
    let other = a_document(&app, &ann, &other).await;
    let body = json!({"image_info": json!([picture("a", "x", "")]).to_string()});
    let strange = app.put(&format!("/api/v1/knowledge/image/{other}/{chunk}"), &ann.key, body.clone()).await.failure();
    assert_eq!((strange.0, strange.1, strange.2.as_str()), (404, 1003, "chunk not found"));
    let nowhere = app.put(&format!("/api/v1/knowledge/image/nowhere/{chunk}"), &ann.key, body.clone()).await.failure();
    assert_eq!((nowhere.0, nowhere.2.as_str()), (404, "knowledge not found"));
    let bob = app.tester("bob").await;
    assert_eq!(app.put(&path, &bob.key, body).await.failure().0, 404);
}
