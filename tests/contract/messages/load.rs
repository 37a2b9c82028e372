//! GET /messages/{session_id}/load: the newest messages, the oldest of them first.

use crate::scene::Scene;
use crate::sessions::a_session;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn question_and_answer_share_their_request() {
    let scene = Scene::new();
    let id = a_session(&scene);
    scene.caller().ask(&id, "When does the ferry leave?");
    let mut messages = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].take();
    assert_eq!(messages[0]["request_id"], messages[1]["request_id"]);
    assert_eq!(messages[1]["knowledge_references"].as_array().map(Vec::len), Some(1));
    messages[1]["knowledge_references"] = json!("<references>");
    messages[1]["content"] = json!("<answer>");
    let answer = knowhost_tests::Answer {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        text: String::new(),
        json: messages,
    };
    assert_snapshot!(scene.shown(&answer), @r#"
    200
    [
      {
        "id": "<id1>",
        "session_id": "<id2>",
        "request_id": "<id3>",
        "content": "When does the ferry leave?",
        "role": "user",
        "knowledge_references": [],
        "is_completed": true,
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      {
        "id": "<id4>",
        "session_id": "<id2>",
        "request_id": "<id3>",
        "content": "<answer>",
        "role": "assistant",
        "knowledge_references": "<references>",
        "is_completed": true,
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      }
    ]
    "#);
}

#[test]
fn limits_cut_from_the_oldest_side() {
    let scene = Scene::new();
    let id = a_session(&scene);
    for question in ["When does the ferry leave?", "And from where?"] {
        scene.caller().ask(&id, question);
    }
    let load = |query: &str| {
        let messages = scene.key().send(&format!("GET /messages/{id}/load{query}"), None).json["data"].take();
        messages.as_array().expect("a list").iter().map(|message| message["role"].as_str().expect("a role").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(load(""), ["user", "assistant", "user", "assistant"]);
    assert_eq!(load("?limit=1"), ["assistant"]);
    assert_eq!(load("?limit=abc"), ["user", "assistant", "user", "assistant"]);
    assert_eq!(load("?limit=0"), Vec::<String>::new());
    let newest = scene.key().send(&format!("GET /messages/{id}/load?limit=2"), None).json["data"][0]["created_at"]
        .as_str()
        .expect("a time")
        .to_owned();
    assert_eq!(load(&format!("?before_time={}", newest.replace('+', "%2B"))), ["user", "assistant"]);
}

#[test]
fn bad_times_and_unknown_sessions_are_told() {
    let scene = Scene::new();
    let id = a_session(&scene);
    assert_snapshot!(scene.key().ask(&format!("GET /messages/{id}/load?before_time=yesterday")), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Invalid time format, please use RFC3339Nano format"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /messages/x/load"), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "session not found"
      },
      "success": false
    }
    "#);
}

#[test]
fn odd_limits_are_lenient_and_odd_times_are_not() {
    let scene = Scene::new();
    let id = a_session(&scene);
    scene.caller().ask(&id, "When does the ferry leave?");
    let load = |query: &str| scene.key().send(&format!("GET /messages/{id}/load{query}"), None);
    for (limit, count) in [("", 2), ("-1", 2), ("1000000", 2), ("99999999999999999999", 2), ("1.5", 2), ("0", 0), ("%2B1", 1)] {
        assert_eq!(load(&format!("?limit={limit}")).expect_status(200).json["data"].as_array().map(Vec::len), Some(count), "{limit}");
    }
    let whole = load("").json;
    for time in ["2999-01-01T00:00:00Z", "2999-01-01T00:00:00.123456789%2B08:00", "2999-01-01T00:00:00+08:00", "9999-12-31T23:59:59Z", ""] {
        assert_eq!(load(&format!("?before_time={time}")).json, whole, "{time}");
    }
    assert_eq!(load("?before_time=0001-01-01T00:00:00Z").json["data"], json!([]));
    let times =
        ["2026-01-02", "2026-01-02T03:04:05", "2026-01-02%2003:04:05Z", "2026-01-02t03:04:05Z", "2026-02-30T00:00:00Z", "1700000000"];
    for time in times {
        let answer = load(&format!("?before_time={time}"));
        let message = "Invalid time format, please use RFC3339Nano format";
        assert_eq!((answer.status, &answer.json["error"]["message"]), (400, &json!(message)), "{time}");
    }
    // The time is read before the session is looked up.
    assert!(scene.key().ask("GET /messages/x/load?before_time=x").starts_with("400"));
}

#[test]
fn others_messages_do_not_exist() {
    let (scene, other) = (Scene::new(), Scene::new());
    let theirs = a_session(&other);
    assert_eq!(scene.key().ask(&format!("GET /messages/{theirs}/load")), scene.key().ask("GET /messages/x/load"));
}
