//! What all routes share before their handlers: paths, empty ids, queries, wrong methods.
//!
//! Not here: redirects and cross-origin headers, which the router's own tests look at.

use crate::scene::Scene;
use serde_json::json;

fn told(scene: &Scene, route: &str) -> (u16, String) {
    let answer = scene.key().send(route, None);
    let kind = answer.header("content-type").unwrap_or_default().to_owned();
    (answer.status, if kind.starts_with("text/plain") { answer.text } else { answer.json["error"]["message"].to_string() })
}

#[test]
fn a_wrong_method_is_an_unknown_page() {
    let scene = Scene::new();
    for route in ["POST /auth/me", "PUT /models", "DELETE /knowledge-bases", "PATCH /models/x", "GET /auth/login", "GET /nothing"] {
        assert_eq!(told(&scene, route), (404, "404 page not found".to_owned()), "{route}");
    }
}

#[test]
fn an_id_that_is_empty_in_the_middle_of_a_path_is_told() {
    let scene = Scene::new();
    for (route, message) in [
        ("GET /knowledge-bases//knowledge", "Knowledge base ID cannot be empty"),
        ("GET /knowledge-bases//hybrid-search", "Knowledge base ID cannot be empty"),
        ("POST /knowledge-bases//knowledge/file", "Knowledge base ID cannot be empty"),
        ("POST /knowledge-bases//knowledge/url", "Knowledge base ID cannot be empty"),
        ("GET /knowledge//download", "Knowledge ID cannot be empty"),
        ("PUT /knowledge/image//x", "Knowledge ID cannot be empty"),
        ("PUT /chunks//x", "Knowledge ID cannot be empty"),
        ("DELETE /chunks//x", "Knowledge ID cannot be empty"),
        ("POST /sessions//generate_title", "invalid session id"),
    ] {
        let answer = scene.key().send(route, None);
        let expected = json!({ "error": { "code": 1000, "details": null, "message": message }, "success": false });
        assert_eq!((answer.status, &answer.json), (400, &expected), "{route}");
    }
}

#[test]
fn a_query_pair_with_a_broken_escape_or_a_semicolon_is_no_pair() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    for query in ["page=%", "page=%zz", "page=1;page_size=1", "PAGE=x", "&&"] {
        let answer = scene.key().send(&format!("GET /knowledge-bases/{kb_id}/knowledge?{query}"), None);
        assert_eq!((answer.status, &answer.json["page"], &answer.json["page_size"]), (200, &json!(1), &json!(20)), "{query}");
    }
    assert_eq!(told(&scene, "GET /knowledge/batch?ids=%zz"), (400, "\"Invalid request parameters\"".to_owned()));
}
