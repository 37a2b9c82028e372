//! POST /knowledge-bases/{id}/knowledge/url: an address to import.

use crate::scene::Scene;
use serde_json::json;

#[test]
fn an_address_is_taken_and_a_second_time_shown() {
    let scene = Scene::new();
    let kb = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let route = format!("POST /knowledge-bases/{kb}/knowledge/url");
    // Nothing listens there, and it is private: taken all the same, and failed in the background.
    let url = "http://10.255.255.1/timetable?day=1";
    let taken = scene.key().send(&route, Some(json!({ "url": url }).to_string()));
    assert_eq!(taken.status, 201, "{}", taken.text);
    let row = &taken.json["data"];
    assert_eq!((&row["type"], &row["source"], &row["knowledge_base_id"]), (&json!("url"), &json!(url), &json!(kb)));
    for empty in ["title", "file_name", "file_type", "file_path", "description", "error_message"] {
        assert_eq!(row[empty], "", "{empty}");
    }
    assert_eq!((&row["file_hash"].as_str().map(str::len), &row["metadata"], &row["processed_at"]), (&Some(32), &json!(null), &json!(null)));
    let id = row["id"].as_str().expect("an id").to_owned();
    let ended = knowhost_tests::wait_for("the end", || {
        let row = scene.key().send(&format!("GET /knowledge/{id}"), None).json["data"].take();
        (row["parse_status"] == "failed").then_some(row)
    });
    assert!(ended["error_message"].as_str().expect("a text").contains("KNOWHOST_PRIVATE_HOSTS"), "{ended}");
}

#[test]
fn the_same_address_twice_is_409_with_a_code_of_its_own() {
    let scene = Scene::new();
    let kb = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let route = format!("POST /knowledge-bases/{kb}/knowledge/url");
    let body = json!({ "url": "http://harbour.example.invalid/", "enable_multimodel": false }).to_string();
    let first = scene.key().send(&route, Some(body.clone()));
    let again = scene.key().send(&route, Some(body));
    // A document that failed meanwhile does not count.
    if again.status == 201 {
        return;
    }
    assert_eq!(again.status, 409, "{}", again.text);
    assert_eq!(again.json["code"], "duplicate_url");
    assert_eq!(again.json["message"], "URL already exists: http://harbour.example.invalid/");
    assert_eq!((&again.json["data"]["id"], &again.json["success"]), (&first.json["data"]["id"], &json!(false)));
}

#[test]
fn bad_addresses_and_bodies_are_400() {
    let scene = Scene::new();
    let kb = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let route = format!("POST /knowledge-bases/{kb}/knowledge/url");
    for url in ["ftp://a.example", "HTTP://a.example", "a.example", "http://u:p@a.example/", "http://a.example/javascript:"] {
        let answer = scene.key().send(&route, Some(json!({ "url": url }).to_string()));
        assert_eq!((answer.status, &answer.json["error"]["message"]), (400, &json!("invalid URL")), "{url}");
        assert_eq!(answer.json["error"]["code"], 1000);
    }
    let long = format!("http://a.example/{}", "x".repeat(2_048));
    assert_eq!(scene.key().send(&route, Some(json!({ "url": long }).to_string())).status, 400);
    for (body, message) in [
        ("", "EOF"),
        ("{}", "Key: 'URL' Error:Field validation for 'URL' failed on the 'required' tag"),
        (r#"{"url":1}"#, "json: cannot unmarshal number into Go struct field .url of type string"),
    ] {
        let answer = scene.key().send(&route, Some(body.to_owned()));
        assert_eq!((answer.status, &answer.json["error"]["message"]), (400, &json!(message)));
    }
}

#[test]
fn the_knowledge_base_is_looked_at_first() {
    let scene = Scene::new();
    let kb = Scene::new().key().make("POST /knowledge-bases", json!({ "name": "Theirs" }));
    for id in [kb.as_str(), "nowhere"] {
        let answer = scene.key().send(&format!("POST /knowledge-bases/{id}/knowledge/url"), Some("{}".to_owned()));
        assert_eq!((answer.status, &answer.json["error"]["message"]), (404, &json!("knowledge base not found")));
    }
    assert_eq!(scene.anonymous().send(&format!("POST /knowledge-bases/{kb}/knowledge/url"), None).status, 401);
}
