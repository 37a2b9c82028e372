//! GET /system/index: how far the search index is.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn the_operator_sees_how_far_it_is() {
    let scene = Scene::new();
    let status = scene.operator().send("GET /system/index", None);
    assert_eq!(status.status, 200, "{}", status.text);
    let names: Vec<&String> = status.json["data"].as_object().expect("an object").keys().collect();
    assert_snapshot!(format!("{names:?}"), @r#"["state", "reason", "done", "total", "sequence", "last_sequence", "rebuilds_count", "found_at_start", "size_bytes"]"#);
    assert!(status.json["data"]["found_at_start"].is_null() && status.json["data"]["size_bytes"].as_u64() > Some(0), "{}", status.text);
}

#[test]
fn a_tenant_is_no_operator() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /system/index"), @r#"
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
