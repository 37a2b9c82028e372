//! POST /knowledge-bases/{id}/knowledge/file: a file becomes a document.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::json;

fn send(scene: &Scene, kb_id: &str, form: Form) -> String {
    let request = scene.caller().request("POST", &format!("/api/v1/knowledge-bases/{kb_id}/knowledge/file")).multipart(form);
    scene.shown(&scene.caller().send(request).expect("answered"))
}

fn file(name: &str) -> Form {
    Form::new().part("file", Part::bytes(b"Low tide is at noon.".to_vec()).file_name(name.to_owned()))
}

fn a_kb(scene: &Scene) -> String {
    scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }))
}

#[test]
fn a_document_is_answered_before_it_is_read() {
    let scene = Scene::new();
    let kb_id = a_kb(&scene);
    let shown = send(&scene, &kb_id, file("tide.txt").text("metadata", r#"{"source":"almanac"}"#));
    // The stored name is made of the time.
    let path = shown.lines().find(|line| line.contains("\"file_path\"")).expect("a path").to_owned();
    assert_snapshot!(shown.replace(&path, "    <file_path>").replace("\"processing\"", "\"pending\""), @"");
}

#[test]
fn the_same_bytes_again_are_a_conflict_that_shows_the_first() {
    let scene = Scene::new();
    let (kb_id, id) = a_document(&scene);
    let answer = scene.caller().upload(&kb_id, "other.txt", b"The ferry to the island leaves at seven in the morning.").expect("answered");
    assert_eq!((answer.status, &answer.json["code"], &answer.json["success"]), (409, &json!("duplicate_file"), &json!(false)));
    assert_eq!((&answer.json["data"]["id"], &answer.json["message"]), (&json!(id), &json!("File already exists: ferry.txt")));
    assert_eq!(answer.json.get("error"), None);
}

#[test]
fn the_base_is_looked_at_before_the_body() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_raw("POST /knowledge-bases/x/knowledge/file", ""), @"");
}

#[test]
fn what_is_no_upload_is_told() {
    let scene = Scene::new();
    let kb_id = a_kb(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("POST /knowledge-bases/{kb_id}/knowledge/file"), json!({})), @"");
    assert_snapshot!(send(&scene, &kb_id, Form::new().text("other", "x")), @"");
    assert_snapshot!(send(&scene, &kb_id, file("tide.txt").text("metadata", "{")), @"");
    assert_snapshot!(send(&scene, &kb_id, file("tide.txt").text("enable_multimodel", "maybe")), @"");
}

#[test]
fn types_that_nobody_reads_are_refused() {
    let scene = Scene::new();
    let kb_id = a_kb(&scene);
    assert_snapshot!(send(&scene, &kb_id, file("tide.exe")), @"");
    assert!(send(&scene, &kb_id, file("tide")).starts_with("415"), "a name without an extension");
    assert_snapshot!(send(&scene, &kb_id, file("tide.png")), @"");
}
