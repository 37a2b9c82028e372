//! GET /openapi.json: the description of the API.

use crate::scene::Scene;
use knowhost_tests::repository;
use serde_json::Value;

#[test]
fn anybody_may_read_it_and_it_is_the_committed_one() {
    let scene = Scene::new();
    let served = scene.anonymous().send("GET /openapi.json", None);
    assert_eq!((served.status, served.json["openapi"].as_str()), (200, Some("3.1.0")), "{}", served.text);
    let committed: Value =
        serde_json::from_slice(&std::fs::read(repository("docs/openapi.json")).expect("the document")).expect("the document is JSON");
    assert_eq!(served.json, committed, "docs/openapi.json is old");
}
