//! GET /initialization/ollama/download/tasks: the tenant's downloads.

use super::{a_kb, data, form};
use crate::scene::Scene;
use serde_json::json;

#[test]
fn a_local_model_that_is_saved_is_fetched_and_shown_to_its_tenant() {
    let (scene, other) = (Scene::new(), Scene::new());
    assert_eq!(data(&scene, "GET /initialization/ollama/download/tasks", None), json!([]));
    let kb = a_kb(&scene);
    let mut body = form();
    body["llm"] = json!({ "source": "local", "modelName": "never-there" });
    let saved = data(&scene, &format!("POST /initialization/initialize/{kb}"), Some(&body));
    assert_eq!(saved["models"][0]["status"], "downloading");
    let tasks = data(&scene, "GET /initialization/ollama/download/tasks", None);
    assert_eq!((tasks.as_array().map(Vec::len), tasks[0]["modelName"].as_str()), (Some(1), Some("never-there")));
    assert_eq!(data(&other, "GET /initialization/ollama/download/tasks", None), json!([]));
}
