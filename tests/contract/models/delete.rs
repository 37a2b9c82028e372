//! DELETE /models/{id}: a model that is used no more.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn it_is_gone_and_a_second_time_is_not_found() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    let route = format!("DELETE /models/{id}");
    assert_snapshot!(scene.key().ask(&route), @"");
    assert_snapshot!(scene.key().ask(&route), @"");
    assert_snapshot!(scene.key().ask("GET /models"), @"");
}
