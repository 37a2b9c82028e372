//! GET /system/info: which server answers.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn the_version_stands_under_data() {
    let scene = Scene::new();
    let info = scene.key().send("GET /system/info", None);
    assert_eq!((info.status, info.json["data"]["version"].as_str()), (200, Some(env!("CARGO_PKG_VERSION"))), "{}", info.text);
    let names: Vec<&String> = info.json["data"].as_object().expect("an object").keys().collect();
    assert_snapshot!(format!("{} {} {names:?}", info.json["code"], info.json["msg"]), @r#"0 "success" ["version", "commit_id", "build_time", "go_version"]"#);
}

#[test]
fn credentials_are_needed() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("GET /system/info"), @r#"
    401
    {
      "error": "Unauthorized: missing authentication"
    }
    "#);
}
