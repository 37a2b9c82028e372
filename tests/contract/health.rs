//! GET /health: the process answers.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn anybody_may_ask() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("GET /health"), @r#"
    200
    {
      "status": "ok"
    }
    "#);
}

#[test]
fn other_methods_and_paths_do_not_exist() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("POST /health"), @r#"
    401
    {
      "error": "Unauthorized: missing authentication"
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /nowhere"), @"
    404 text/plain
    404 page not found
    ");
    assert_snapshot!(scene.key().ask("PATCH /models"), @"
    404 text/plain
    404 page not found
    ");
}
