//! POST /initialization/ollama/models/download: fetches a model.

use super::{check_refused, check_unavailable, required};
use crate::scene::Scene;

const ROUTE: &str = "POST /initialization/ollama/models/download";

#[test]
fn a_name_is_needed_and_a_server_too() {
    let scene = Scene::new();
    check_refused(&scene, ROUTE, Some("{}"), 400, 1000, &required("ModelName"));
    check_refused(&scene, ROUTE, Some("{\"modelName\":\"a b\"}"), 400, 1000, "\"a b\" is no model name");
    check_unavailable(&scene, ROUTE, Some("{\"modelName\":\"a\"}"));
}
