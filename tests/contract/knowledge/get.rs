//! GET /knowledge/{id}: one document.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_document_that_was_read_says_so() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    let shown = scene.key().ask(&format!("GET /knowledge/{id}"));
    let path = shown.lines().find(|line| line.contains("\"file_path\"")).expect("a path").to_owned();
    assert_snapshot!(shown.replace(&path, "    <file_path>"), @"");
}

#[test]
fn unknown_foreign_and_malformed_ids_are_one() {
    let scene = Scene::new();
    let (_, foreign) = a_document(&Scene::new());
    let answer = scene.key().ask("GET /knowledge/00000000-0000-4000-8000-000000000000");
    for id in [foreign.as_str(), "x", "%00"] {
        assert_eq!(scene.key().ask(&format!("GET /knowledge/{id}")), answer, "{id}");
    }
    assert_snapshot!(answer, @"");
}
