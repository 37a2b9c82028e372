//! POST /system/index/verify: whether searches find what the database holds.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn the_index_of_a_healthy_server_is_right() {
    let scene = Scene::new();
    let verified = scene.operator().send("POST /system/index/verify", None);
    assert_eq!((verified.status, &verified.json["success"]), (200, &true.into()), "{}", verified.text);
    let data = &verified.json["data"];
    let names: Vec<&String> = data.as_object().expect("an object").keys().collect();
    assert_snapshot!(format!("{names:?}"), @r#"["is_good", "chunks_in_database", "chunks_in_index", "missing_count", "surplus_count", "examples"]"#);
}

#[test]
fn a_tenant_is_no_operator() {
    let scene = Scene::new();
    assert_eq!(scene.key().ask("POST /system/index/verify"), scene.key().ask("GET /system/index"));
}
