//! PUT /knowledge/{id}: another title.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn only_a_title_that_is_not_empty_is_taken() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    let route = format!("PUT /knowledge/{id}");
    assert_snapshot!(scene.key().ask_with(&route, json!({ "id": id, "title": "Timetable", "parse_status": "failed" })), @r#"
    200
    {
      "message": "Knowledge chunk updated successfully",
      "success": true
    }
    "#);
    scene.key().ask_with(&route, json!({ "id": id, "title": "" }));
    let row = scene.key().send(&format!("GET /knowledge/{id}"), None).json["data"].take();
    assert_eq!((&row["title"], &row["parse_status"]), (&json!("Timetable"), &json!("completed")));
}

#[test]
fn the_id_is_the_paths() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    assert!(scene.key().ask_with(&format!("PUT /knowledge/{id}"), json!({ "title": "Timetable" })).starts_with("200"));
    assert_snapshot!(scene.key().ask_with(&format!("PUT /knowledge/{id}"), json!({ "id": "another", "title": "x" })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "The id of the body is not the id of the path"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("PUT /knowledge/x", json!({ "id": "x", "title": "x" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "knowledge not found"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /knowledge/{id}"), json!({ "title": 7 })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "json: cannot unmarshal number into Go struct field Knowledge.title of type string"
      },
      "success": false
    }
    "#);
}

#[test]
fn what_is_not_applied_must_have_its_type_all_the_same() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    for (field, value, message) in [
        ("source", json!(7), "json: cannot unmarshal number into Go struct field Knowledge.source of type string"),
        ("file_size", json!("x"), "json: cannot unmarshal string into Go struct field Knowledge.file_size of type int64"),
        ("processed_at", json!(7), "Time.UnmarshalJSON: input is not a JSON string"),
    ] {
        let answer = scene.key().send(&format!("PUT /knowledge/{id}"), Some(json!({ "id": id, (field): value }).to_string()));
        let expected = json!({ "error": { "code": 1000, "details": null, "message": message }, "success": false });
        assert_eq!((answer.status, &answer.json), (400, &expected), "{field}");
    }
    let long = json!({ "title": "x".repeat(256) });
    let answer = scene.key().send(&format!("PUT /knowledge/{id}"), Some(long.to_string()));
    assert_eq!((answer.status, &answer.json["error"]["code"]), (400, &json!(1000)), "{}", answer.text);
}
