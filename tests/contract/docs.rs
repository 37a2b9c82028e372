//! GET /docs: the description as a page.

use crate::scene::Scene;
use knowhost_tests::{Caller, shared_server};

#[test]
fn anybody_may_read_it_and_it_needs_no_other_server() {
    let page = Caller::new(&shared_server().url(), None).get("/docs").expect("answered").expect_status(200);
    assert!(page.text.contains("<main") && !page.text.contains("https://"), "{}", page.text);
}

#[test]
fn what_is_known_is_not_sent_again() {
    let scene = Scene::new();
    let etag = scene.caller().get("/docs").expect("answered").header("etag").expect("a tag").to_owned();
    let again = scene.caller().send(scene.caller().request("GET", "/docs").header("If-None-Match", etag)).expect("answered");
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}
