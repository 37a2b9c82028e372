//! The search index, which the operator alone may look after.

use super::TestApp;
use super::support::OPERATOR_KEY;
use axum::http::Method;
use serde_json::json;
use std::time::{Duration, Instant};

const STATUS: &str = "/api/v1/system/index";
const VERIFY: &str = "/api/v1/system/index/verify";
const REBUILD: &str = "/api/v1/system/index/rebuild";

#[tokio::test]
async fn tenants_neither_see_nor_touch_the_index() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    for (method, path) in [(Method::GET, STATUS), (Method::POST, VERIFY), (Method::POST, REBUILD)] {
        let refused = app.call(method.clone(), path, &[("x-api-key", &ann.key)], "").await.failure();
        assert_eq!(refused, (403, 1002, "Only the operator may do this".into(), json!(null)), "{path}");
        assert_eq!(app.bearer(method.clone(), path, &ann.token, json!({})).await.status, 403, "{path}");
        assert_eq!(app.call(method, path, &[], "").await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn the_operator_compares_the_index_and_has_it_made_anew() {
    let app = TestApp::new().await;
    app.work();
    let before = app.get(STATUS, OPERATOR_KEY).await.data();
    assert_eq!((&before["state"], &before["rebuilds_count"], &before["found_at_start"]), (&json!("following"), &json!(0), &json!(null)));
    let verified = app.post(VERIFY, OPERATOR_KEY, json!(null)).await.data();
    assert_eq!((&verified["is_good"], &verified["chunks_in_database"], &verified["examples"]), (&json!(true), &json!(0), &json!([])));
    let begun = app.post(REBUILD, OPERATOR_KEY, json!(null)).await;
    assert_eq!((begun.status, &begun.data()["rebuilds_count"]), (202, &json!(0)));
    let deadline = Instant::now() + Duration::from_secs(30);
    while app.get(STATUS, OPERATOR_KEY).await.data()["rebuilds_count"] != 1 {
        assert!(Instant::now() < deadline, "the rebuild does not end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
