//! GET /sessions: a page of the tenant's sessions, the newest first.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_new_tenant_has_none() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /sessions"), @r#"
    200
    {
      "data": [],
      "page": 1,
      "page_size": 20,
      "success": true,
      "total": 0
    }
    "#);
}

#[test]
fn the_newest_comes_first_and_the_total_counts_all() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let ids: Vec<String> = (0..3).map(|_| scene.caller().a_session(&kb_id)).collect();
    let page = scene.key().send("GET /sessions?page=1&page_size=2", None).json;
    assert_eq!((&page["data"][0]["id"], &page["data"][1]["id"], &page["total"]), (&json!(ids[2]), &json!(ids[1]), &json!(3)));
}

#[test]
fn pages_outside_the_rules_are_refused() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /sessions?page=-1"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'Pagination.Page' Error:Field validation for 'Page' failed on the 'min' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /sessions?page_size=101"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'Pagination.PageSize' Error:Field validation for 'PageSize' failed on the 'max' tag"
      },
      "success": false
    }
    "#);
}

#[test]
fn page_and_size_are_those_in_effect() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    scene.caller().a_session(&kb_id);
    for (query, page, page_size, shown) in [
        ("", 1, 20, 1),
        ("?page=0&page_size=0", 1, 20, 1),
        ("?page=&page_size=", 1, 20, 1),
        ("?page=%2B1&page_size=100", 1, 100, 1),
        ("?page=2", 2, 20, 0),
        ("?page=1&page=abc", 1, 20, 1),
        ("?PAGE=7&unknown=x", 1, 20, 1),
        ("?page=9223372036854775807&page_size=100", i64::MAX, 100, 0),
        ("?page=%zz&page_size=5;", 1, 20, 1),
    ] {
        let answer = scene.key().send(&format!("GET /sessions{query}"), None).expect_status(200).json;
        let seen = (&answer["page"], &answer["page_size"], &answer["total"], answer["data"].as_array().map(Vec::len));
        assert_eq!(seen, (&json!(page), &json!(page_size), &json!(1), Some(shown)), "{query}");
    }
}

#[test]
fn what_is_no_page_is_told() {
    let scene = Scene::new();
    let number = |text: &str| format!(r#"strconv.ParseInt: parsing "{text}": invalid syntax"#);
    let tag = |field: &str, tag: &str| format!("Key: 'Pagination.{field}' Error:Field validation for '{field}' failed on the '{tag}' tag");
    for (query, text) in [
        ("page=abc", number("abc")),
        ("page=1.0", number("1.0")),
        ("page=%201", number(" 1")),
        ("page=1_0", number("1_0")),
        ("page=abc&page_size=xyz", number("abc")),
        ("page=99999999999999999999", r#"strconv.ParseInt: parsing "99999999999999999999": value out of range"#.to_owned()),
        ("page_size=-1", tag("PageSize", "min")),
        ("page=-1&page_size=101", format!("{}\n{}", tag("Page", "min"), tag("PageSize", "max"))),
    ] {
        let answer = scene.key().send(&format!("GET /sessions?{query}"), None);
        assert_eq!((answer.status, &answer.json["error"]["message"]), (400, &json!(text)), "{query}");
    }
}

#[test]
fn others_sessions_do_not_count() {
    let scene = Scene::new();
    let other = Scene::new();
    let kb_id = other.key().make("POST /knowledge-bases", json!({ "name": "theirs" }));
    other.caller().a_session(&kb_id);
    assert_eq!(scene.key().send("GET /sessions", None).json["total"], 0);
}
