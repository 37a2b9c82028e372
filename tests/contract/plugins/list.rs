//! GET /plugins: what is installed, for the operator.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn the_operator_sees_the_shipped_ones() {
    let scene = Scene::new();
    let list = scene.operator().send("GET /plugins", None).json["data"].take();
    let names: Vec<&str> = list.as_array().expect("a list").iter().map(|plugin| plugin["name"].as_str().expect("a name")).collect();
    for name in ["chat-extractive", "embedder-local", "ollama", "remote-api", "reranker-local", "tokenizer-jieba"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[test]
fn a_tenant_is_no_operator() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /plugins"), @r#"
    403
    {
      "error": {
        "code": 1002,
        "details": null,
        "message": "Only the operator may do this"
      },
      "success": false
    }
    "#);
}
