//! GET /models: the tenant's models, in any state.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_new_tenant_has_none() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /models"), @r#"
    200
    {
      "data": [],
      "success": true
    }
    "#);
}

#[test]
fn the_order_is_the_same_each_time() {
    let scene = Scene::new();
    for name in ["chat-1", "chat-2", "chat-3"] {
        scene.key().make("POST /models", remote(name));
    }
    let list = scene.key().send("GET /models", None).json["data"].take();
    let names: Vec<&str> = list.as_array().expect("a list").iter().map(|model| model["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["chat-1", "chat-2", "chat-3"]);
}
