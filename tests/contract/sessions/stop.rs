//! POST /sessions/{id}/stop: the end of an answer under way.

use super::{a_session, check_refusals};
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn nothing_under_way_is_nothing_to_stop() {
    let scene = Scene::new();
    let id = a_session(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("POST /sessions/{id}/stop"), json!({})), @r#"
    200
    {
      "data": {
        "stopped": 0
      },
      "success": true
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /sessions/x/stop", json!({})), @r#"
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
fn a_body_is_not_needed_but_must_fit() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let route = format!("POST /sessions/{id}/stop");
    assert_eq!(scene.key().send(&route, None).expect_status(200).json["data"]["stopped"], 0);
    check_refusals(
        scene.key(),
        &route,
        &[
            ("{", "unexpected EOF"),
            (r#"{"message_id":1}"#, "json: cannot unmarshal number into Go struct field StopRequest.message_id of type string"),
        ],
    );
}
