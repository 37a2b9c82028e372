//! GET /initialization/ollama/download/progress/{id}: how a download stands.

use super::{ABSENT, check_refused};
use crate::scene::Scene;

#[test]
fn unknown_and_malformed_ids_are_one() {
    let scene = Scene::new();
    for id in [ABSENT, "x", "%00", "a'b"] {
        check_refused(&scene, &format!("GET /initialization/ollama/download/progress/{id}"), None, 404, 1003, "下载任务不存在");
    }
}
