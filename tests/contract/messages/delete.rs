//! DELETE /messages/{session_id}/{id}: one message.

use crate::scene::Scene;
use crate::sessions::a_session;
use insta::assert_snapshot;

#[test]
fn a_missing_one_is_deleted_too() {
    let scene = Scene::new();
    let id = a_session(&scene);
    scene.caller().ask(&id, "When does the ferry leave?");
    let first = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"][0]["id"].as_str().expect("an id").to_owned();
    assert_snapshot!(scene.key().ask(&format!("DELETE /messages/{id}/{first}")), @r#"
    200
    {
      "message": "Message deleted successfully",
      "success": true
    }
    "#);
    assert!(scene.key().ask(&format!("DELETE /messages/{id}/{first}")).starts_with("200"));
    assert_eq!(scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].as_array().map(Vec::len), Some(1));
    assert_snapshot!(scene.key().ask(&format!("DELETE /messages/x/{first}")), @r#"
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
fn only_a_message_of_that_session_goes() {
    let (scene, other) = (Scene::new(), Scene::new());
    let (id, second) = (a_session(&scene), a_session(&scene));
    scene.caller().ask(&id, "When does the ferry leave?");
    let first = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"][0]["id"].as_str().expect("an id").to_owned();
    assert!(scene.key().ask(&format!("DELETE /messages/{second}/{first}")).starts_with("200"));
    assert!(other.key().ask(&format!("DELETE /messages/{id}/{first}")).starts_with("404"));
    assert_eq!(scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].as_array().map(Vec::len), Some(2));
}
