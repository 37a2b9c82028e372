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
    assert_snapshot!(shown.replace(&path, "    <file_path>").replace("\"processing\"", "\"pending\""), @r#"
    200
    {
      "data": {
        "id": "<id1>",
        "tenant_id": "<tenant>",
        "knowledge_base_id": "<id2>",
        "type": "file",
        "title": "tide.txt",
        "description": "",
        "source": "",
        "parse_status": "pending",
        "enable_status": "disabled",
        "embedding_model_id": "",
        "file_name": "tide.txt",
        "file_type": "txt",
        "file_size": 20,
        "file_hash": "c87b6d7a2d24fbce0439ebd4f69a6f95",
        <file_path>
        "storage_size": 0,
        "metadata": {
          "source": "almanac"
        },
        "created_at": "<time>",
        "updated_at": "<time>",
        "processed_at": null,
        "error_message": "",
        "deleted_at": null
      },
      "success": true
    }
    "#);
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
    assert_snapshot!(scene.key().ask_raw("POST /knowledge-bases/x/knowledge/file", ""), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "knowledge base not found"
      },
      "success": false
    }
    "#);
}

#[test]
fn what_is_no_upload_is_told() {
    let scene = Scene::new();
    let kb_id = a_kb(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("POST /knowledge-bases/{kb_id}/knowledge/file"), json!({})), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "request Content-Type isn't multipart/form-data",
        "message": "File upload failed"
      },
      "success": false
    }
    "#);
    assert_snapshot!(send(&scene, &kb_id, Form::new().text("other", "x")), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "http: no such file",
        "message": "File upload failed"
      },
      "success": false
    }
    "#);
    assert_snapshot!(send(&scene, &kb_id, file("tide.txt").text("metadata", "{")), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "unexpected end of JSON input",
        "message": "Invalid metadata format"
      },
      "success": false
    }
    "#);
    assert_snapshot!(send(&scene, &kb_id, file("tide.txt").text("enable_multimodel", "maybe")), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "strconv.ParseBool: parsing \"maybe\": invalid syntax",
        "message": "Invalid enable_multimodel format"
      },
      "success": false
    }
    "#);
}

#[test]
fn types_that_nobody_reads_are_refused() {
    let scene = Scene::new();
    let kb_id = a_kb(&scene);
    assert_snapshot!(send(&scene, &kb_id, file("tide.exe")), @r#"
    415
    {
      "error": {
        "code": 1000,
        "details": "accepted file types: pdf, txt, docx, doc, md, markdown, png, jpg, jpeg, gif, csv, xlsx, xls, html, htm",
        "message": "unsupported file type"
      },
      "success": false
    }
    "#);
    assert!(send(&scene, &kb_id, file("tide")).starts_with("415"), "a name without an extension");
    assert_snapshot!(send(&scene, &kb_id, file("tide.png")), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "上传图片文件需要完整的VLM配置信息, 请前往系统设置页面进行补全"
      },
      "success": false
    }
    "#);
}

#[test]
fn metadata_is_one_object_of_texts_or_nothing() {
    let scene = Scene::new();
    let kb_id = a_kb(&scene);
    let url = format!("/api/v1/knowledge-bases/{kb_id}/knowledge/file");
    let answered = |form: Form| scene.caller().send(scene.caller().request("POST", &url).multipart(form)).expect("answered");
    for (metadata, details) in [
        (" ", "unexpected end of JSON input"),
        ("{\"a\":\"b\"} x", "invalid character 'x' after top-level value"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("[]", "json: cannot unmarshal array into Go value of type map[string]string"),
    ] {
        let answer = answered(file("tide.txt").text("metadata", metadata));
        let expected = json!({ "error": { "code": 1000, "details": details, "message": "Invalid metadata format" }, "success": false });
        assert_eq!((answer.status, &answer.json), (400, &expected), "{metadata}");
    }
    let none = answered(file("none.txt").text("metadata", "null"));
    assert_eq!((none.status, &none.json["data"]["metadata"]), (200, &json!(null)), "{}", none.text);
}

#[test]
fn a_form_that_ends_too_early_is_told() {
    let scene = Scene::new();
    let kb_id = a_kb(&scene);
    let url = format!("/api/v1/knowledge-bases/{kb_id}/knowledge/file");
    let cut = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nxxx";
    for (kind, body, details) in [
        ("multipart/form-data", "x", "no multipart boundary param in Content-Type"),
        ("multipart/mixed; boundary=b", "--b--\r\n", "request Content-Type isn't multipart/form-data"),
        ("multipart/form-data; boundary=b", "x", "multipart: NextPart: EOF"),
        ("multipart/form-data; boundary=b", cut, "unexpected EOF"),
    ] {
        let request = scene.caller().request("POST", &url).header("Content-Type", kind).body(body);
        let answer = scene.caller().send(request).expect("answered");
        let expected = json!({ "error": { "code": 1000, "details": details, "message": "File upload failed" }, "success": false });
        assert_eq!((answer.status, &answer.json), (400, &expected), "{kind}");
    }
}
