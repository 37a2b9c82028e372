//! PUT /knowledge/image/{id}/{chunk_id}: a picture's caption and text.

use super::a_document;
use crate::scene::Scene;
use serde_json::{Value, json};

fn first_chunk(scene: &Scene, knowledge: &str) -> String {
    let chunks = scene.key().send(&format!("GET /chunks/{knowledge}"), None).json;
    chunks["data"][0]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_corrected_picture_makes_its_document_another_one() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    let chunk = first_chunk(&scene, &id);
    let before = scene.key().send(&format!("GET /knowledge/{id}"), None).json["data"]["file_hash"].clone();
    let picture = json!([{ "url": "a.png", "original_url": "a.png", "caption": "A ferry with a red funnel", "ocr_text": "MS ISLAND" }]);
    let answer =
        scene.key().send(&format!("PUT /knowledge/image/{id}/{chunk}"), Some(json!({ "image_info": picture.to_string() }).to_string()));
    assert_eq!((answer.status, &answer.json), (200, &json!({ "message": "Knowledge chunk image updated successfully", "success": true })));
    let row = scene.key().send(&format!("GET /chunks/{id}"), None).json["data"][0].clone();
    let stored: Value = serde_json::from_str(row["image_info"].as_str().expect("a text in a text")).expect("JSON");
    assert_eq!(stored[0]["caption"], "A ferry with a red funnel");
    assert_ne!(scene.key().send(&format!("GET /knowledge/{id}"), None).json["data"]["file_hash"], before);
}

#[test]
fn anything_but_one_picture_is_400() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    let route = format!("PUT /knowledge/image/{id}/{}", first_chunk(&scene, &id));
    for (text, message) in [
        ("", "unexpected end of JSON input"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("{}", "json: cannot unmarshal object into Go value of type []*types.ImageInfo"),
        ("[]", "image_info must hold exactly one picture"),
        ("null", "image_info must hold exactly one picture"),
        ("[null]", "image_info must hold exactly one picture"),
        ("[{},{}]", "image_info must hold exactly one picture"),
    ] {
        let answer = scene.key().send(&route, Some(json!({ "image_info": text }).to_string()));
        let expected = json!({ "error": { "code": 1000, "details": null, "message": message }, "success": false });
        assert_eq!((answer.status, &answer.json), (400, &expected), "{text}");
    }
    assert_eq!(scene.key().send(&route, Some("{}".to_owned())).status, 400);
    assert_eq!(scene.key().send(&route, Some(r#"{"image_info":[]}"#.to_owned())).status, 400);
}

#[test]
fn document_and_chunk_belong_together_and_to_the_caller() {
    let scene = Scene::new();
    let ((_, id), (_, other)) = (a_document(&scene), a_document(&scene));
    let chunk = first_chunk(&scene, &id);
    let body = json!({ "image_info": "[{\"url\":\"a\"}]" }).to_string();
    for (path, message) in [
        (format!("{other}/{chunk}"), "chunk not found"),
        (format!("{id}/nothing"), "chunk not found"),
        (format!("nothing/{chunk}"), "knowledge not found"),
    ] {
        let answer = scene.key().send(&format!("PUT /knowledge/image/{path}"), Some(body.clone()));
        assert_eq!((answer.status, &answer.json["error"]["message"]), (404, &json!(message)), "{path}");
    }
    let stranger = Scene::new();
    assert_eq!(stranger.key().send(&format!("PUT /knowledge/image/{id}/{chunk}"), Some(body)).status, 404);
}
