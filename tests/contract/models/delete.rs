//! DELETE /models/{id}: a model that is used no more.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn it_is_gone_and_a_second_time_is_not_found() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    let route = format!("DELETE /models/{id}");
    assert_snapshot!(scene.key().ask(&route), @r#"
    200
    {
      "message": "Model deleted",
      "success": true
    }
    "#);
    assert_snapshot!(scene.key().ask(&route), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "Model not found"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /models"), @r#"
    200
    {
      "data": [],
      "success": true
    }
    "#);
}
