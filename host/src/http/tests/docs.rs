//! The description of the API as it is served, and its page.

use super::TestApp;
use axum::http::Method;

#[tokio::test]
async fn the_description_and_its_page_are_for_everybody() {
    let app = TestApp::new().await;
    for (path, kind, word) in [("/api/v1/openapi.json", "application/json", "\"3.1.0\""), ("/docs", "text/html", "<main")] {
        let answer = app.call(Method::GET, path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").starts_with(kind) && answer.text().contains(word), "{path}");
        let etag = answer.header("etag").to_owned();
        let again =
            app.open(axum::http::Request::get(path).header("if-none-match", &etag).body(axum::body::Body::empty()).expect("a request"));
        let again = again.await;
        assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().ok()), (304, Some(etag.as_str())), "{path}");
    }
}

#[tokio::test]
async fn the_page_asks_no_other_server() {
    let app = TestApp::new().await;
    let page = app.call(Method::GET, "/docs", &[], "").await;
    for foreign in ["http://", "https://", "src=", "@import", "/*style*/", "/*script*/"] {
        assert!(!page.text().contains(foreign), "{foreign}");
    }
}
