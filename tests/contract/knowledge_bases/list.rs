//! GET /knowledge-bases: all of the tenant's, the newest first.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_new_tenant_has_none() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /knowledge-bases"), @r#"
    200
    {
      "data": [],
      "success": true
    }
    "#);
}

#[test]
fn the_newest_comes_first() {
    let scene = Scene::new();
    for name in ["first", "second", "third"] {
        scene.key().make("POST /knowledge-bases", json!({ "name": name }));
    }
    let list = scene.key().send("GET /knowledge-bases", None).json["data"].take();
    let names: Vec<&str> = list.as_array().expect("a list").iter().map(|kb| kb["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["third", "second", "first"]);
}
