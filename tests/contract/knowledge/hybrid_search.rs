//! GET /knowledge-bases/{id}/hybrid-search: chunks by meaning and by words; the body travels on the GET.

use super::a_document;
use crate::scene::Scene;
use crate::sessions::BROKEN;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_hit_is_shown_whole() {
    let scene = Scene::new();
    let (kb_id, _) = a_document(&scene);
    let answer =
        scene.key().send(&format!("GET /knowledge-bases/{kb_id}/hybrid-search"), Some(json!({ "query_text": "ferry island" }).to_string()));
    let score = answer.json["data"][0]["score"].clone();
    assert!(score.as_f64().is_some_and(|score| score > 0.0), "{}", answer.text);
    assert_snapshot!(scene.shown(&answer).replace(&score.to_string(), "<score>"), @r#"
    200
    {
      "data": [
        {
          "id": "<id1>",
          "content": "The ferry to the island leaves at seven in the morning.",
          "knowledge_id": "<id2>",
          "chunk_index": 0,
          "knowledge_title": "ferry.txt",
          "start_at": 0,
          "end_at": 55,
          "seq": 0,
          "score": <score>,
          "match_type": 0,
          "sub_chunk_id": null,
          "metadata": {},
          "chunk_type": "text",
          "parent_chunk_id": "",
          "image_info": "",
          "knowledge_filename": "ferry.txt",
          "knowledge_source": ""
        }
      ],
      "success": true
    }
    "#);
}

#[test]
fn nothing_found_is_null() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    assert_snapshot!(scene.key().ask_with(&format!("GET /knowledge-bases/{kb_id}/hybrid-search"), json!({ "query_text": "ferry" })), @r#"
    200
    {
      "data": null,
      "success": true
    }
    "#);
}

#[test]
fn the_query_may_stand_in_the_url() {
    let scene = Scene::new();
    let (kb_id, _) = a_document(&scene);
    let answer = scene.key().send(&format!("GET /knowledge-bases/{kb_id}/hybrid-search?query=ferry&match_count=1"), None);
    assert_eq!((answer.status, answer.json["data"].as_array().map(Vec::len)), (200, Some(1)), "{}", answer.text);
}

#[test]
fn bad_bodies_and_unknown_bases_are_told() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    assert_snapshot!(scene.key().ask_raw(&format!("GET /knowledge-bases/{kb_id}/hybrid-search"), "{"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "unexpected EOF",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&format!("GET /knowledge-bases/{kb_id}/hybrid-search"), json!({ "query_text": 7 })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "json: cannot unmarshal number into Go struct field SearchParams.query_text of type string",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("GET /knowledge-bases/x/hybrid-search", json!({ "query_text": "ferry" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "knowledge base not found"
      },
      "success": false
    }
    "#);
}

#[test]
fn bodies_that_do_not_fit_are_told_in_the_contracts_words() {
    let scene = Scene::new();
    let route = "GET /knowledge-bases/x/hybrid-search";
    let wrong = [
        ("[]", "json: cannot unmarshal array into Go value of type types.SearchParams"),
        (r#"{"match_count":"x"}"#, "json: cannot unmarshal string into Go struct field SearchParams.match_count of type int"),
        (r#"{"vector_threshold":"x"}"#, "json: cannot unmarshal string into Go struct field SearchParams.vector_threshold of type float64"),
    ];
    for (body, text) in BROKEN.iter().chain(&wrong) {
        let answer = scene.key().send(route, Some((*body).to_owned()));
        let error = json!({ "code": 1000, "details": text, "message": "Invalid request parameters" });
        assert_eq!((answer.status, &answer.json["error"]), (400, &error), "{body}");
    }
    assert_eq!(scene.key().send(route, None).json["error"]["details"], "EOF");
}

#[test]
fn odd_numbers_are_taken() {
    let scene = Scene::new();
    let (kb_id, _) = a_document(&scene);
    let search = |body: serde_json::Value| {
        scene.key().send(&format!("GET /knowledge-bases/{kb_id}/hybrid-search"), Some(body.to_string())).expect_status(200).json["data"]
            .take()
    };
    for count in [0, -1, 1_000_000] {
        assert_eq!(search(json!({ "query_text": "ferry", "match_count": count })).as_array().map(Vec::len), Some(1), "{count}");
    }
    // Words filter nothing, so what meaning does not find stays.
    let by_words = search(json!({ "query_text": "ferry", "vector_threshold": 2, "keyword_threshold": 9 }));
    assert_eq!((by_words.as_array().map(Vec::len), &by_words[0]["match_type"]), (Some(1), &json!(1)));
    for nothing in [json!({}), json!({ "query_text": " " }), serde_json::Value::Null] {
        assert_eq!(search(nothing), serde_json::Value::Null);
    }
}
