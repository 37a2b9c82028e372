//! GET /initialization/status: whether the tenant has a model of its own.

use super::{a_kb, data, form};
use crate::scene::Scene;
use serde_json::json;

#[test]
fn a_tenant_is_initialized_once_it_has_a_model() {
    let scene = Scene::new();
    assert_eq!(data(&scene, "GET /initialization/status", None), json!({ "initialized": false }));
    let kb = a_kb(&scene);
    data(&scene, &format!("POST /initialization/initialize/{kb}"), Some(&form()));
    assert_eq!(data(&scene, "GET /initialization/status", None), json!({ "initialized": true }));
}
