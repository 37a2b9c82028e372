//! GET /initialization/config: the settings of the newest knowledge base.

use super::{a_kb, check_refused, data, form, saved};
use crate::scene::Scene;

#[test]
fn the_newest_knowledge_base_counts() {
    let scene = Scene::new();
    check_refused(&scene, "GET /initialization/config", None, 404, 1003, "获取知识库信息失败");
    let kb = a_kb(&scene);
    data(&scene, &format!("POST /initialization/initialize/{kb}"), Some(&form()));
    assert_eq!(data(&scene, "GET /initialization/config", None), saved());
}
