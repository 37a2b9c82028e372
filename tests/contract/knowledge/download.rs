//! GET /knowledge/{id}/download: the bytes that were uploaded.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn the_bytes_come_with_the_name() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    let answer = scene.key().send(&format!("GET /knowledge/{id}/download"), None);
    assert_eq!((answer.status, answer.text.as_str()), (200, "The ferry to the island leaves at seven in the morning."));
    let header = |name: &str| answer.header(name).unwrap_or("none").to_owned();
    let names =
        ["content-type", "content-disposition", "content-description", "content-transfer-encoding", "expires", "cache-control", "pragma"];
    assert_snapshot!(names.map(|name| format!("{name}: {}", header(name))).join("\n"), @r#"
    content-type: application/octet-stream
    content-disposition: attachment; filename="ferry.txt"; filename*=UTF-8''ferry.txt
    content-description: File Transfer
    content-transfer-encoding: binary
    expires: 0
    cache-control: must-revalidate
    pragma: public
    "#);
}

#[test]
fn an_unknown_document_has_no_file() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /knowledge/x/download"), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": "knowledge not found",
        "message": "Failed to retrieve file"
      },
      "success": false
    }
    "#);
}
