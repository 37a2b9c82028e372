//! GET /health: the process answers.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn anybody_may_ask() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("GET /health"), @"");
}

#[test]
fn other_methods_and_paths_do_not_exist() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("POST /health"), @"");
    assert_snapshot!(scene.key().ask("GET /nowhere"), @"");
    assert_snapshot!(scene.key().ask("PATCH /models"), @"");
}
