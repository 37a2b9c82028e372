//! POST /system/index/rebuild: a new index takes the place of the present one.

use crate::scene::Scene;
use knowhost_tests::wait_for;

#[test]
fn the_rebuild_begins_at_once_and_is_counted_at_its_end() {
    let scene = Scene::new();
    let begun = scene.operator().send("POST /system/index/rebuild", None);
    assert_eq!((begun.status, &begun.json["success"]), (202, &true.into()), "{}", begun.text);
    let before = begun.json["data"]["rebuilds_count"].as_u64().expect("a number");
    wait_for("the rebuild", || {
        let status = scene.operator().send("GET /system/index", None);
        (status.json["data"]["rebuilds_count"].as_u64() > Some(before)).then_some(())
    });
}

#[test]
fn a_tenant_is_no_operator() {
    let scene = Scene::new();
    assert_eq!(scene.key().ask("POST /system/index/rebuild"), scene.key().ask("GET /system/index"));
}
