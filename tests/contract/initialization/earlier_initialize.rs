//! POST /initialization/initialize: sets a tenant up.

use super::{check_refused, data, form};
use crate::scene::Scene;
use serde_json::json;

#[test]
fn a_knowledge_base_is_made_once() {
    let scene = Scene::new();
    let answer = scene.key().send("POST /initialization/initialize", Some(form().to_string()));
    assert_eq!((answer.status, &answer.json["message"]), (200, &json!("系统初始化成功")), "{}", answer.text);
    let first = &answer.json["data"];
    assert_eq!(first["tenant"]["id"], scene.tenant_id());
    assert_eq!(first["knowledge_base"]["name"], "Default Knowledge Base");
    let second = data(&scene, "POST /initialization/initialize", Some(&form()));
    assert_eq!(second["knowledge_base"]["id"], first["knowledge_base"]["id"]);
    assert_eq!(data(&scene, "GET /models", None).as_array().map(Vec::len), Some(3));
}

#[test]
fn a_body_that_is_no_form_is_refused() {
    check_refused(&Scene::new(), "POST /initialization/initialize", Some("{"), 400, 1000, "unexpected EOF");
}
