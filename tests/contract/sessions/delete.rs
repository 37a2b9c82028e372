//! DELETE /sessions/{id}: the session with its messages.

use super::a_session;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_missing_one_is_deleted_too() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let deleted = scene.key().ask(&format!("DELETE /sessions/{id}"));
    assert_eq!(scene.key().ask(&format!("DELETE /sessions/{id}")), deleted);
    assert_eq!(scene.key().ask("DELETE /sessions/x"), deleted);
    assert_snapshot!(deleted, @r#"
    200
    {
      "message": "Session deleted successfully",
      "success": true
    }
    "#);
    assert!(scene.key().ask(&format!("GET /messages/{id}/load")).starts_with("404"));
}

#[test]
fn others_sessions_stay() {
    let (scene, other) = (Scene::new(), Scene::new());
    let theirs = a_session(&other);
    assert!(scene.key().ask(&format!("DELETE /sessions/{theirs}")).starts_with("200"));
    assert!(other.key().ask(&format!("GET /sessions/{theirs}")).starts_with("200"));
}
