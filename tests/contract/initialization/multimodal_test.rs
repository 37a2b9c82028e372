//! POST /initialization/multimodal/test: tries a vision model on a picture.

use super::check_refused;
use crate::scene::Scene;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::json;

const PATH: &str = "/api/v1/initialization/multimodal/test";

fn message(scene: &Scene, fields: &[(&'static str, &'static str)], picture: Option<Part>) -> String {
    let form = fields.iter().fold(Form::new(), |form, (name, value)| form.text(*name, *value));
    let form = match picture {
        Some(picture) => form.part("image", picture),
        None => form,
    };
    let answer = scene.caller().send(scene.caller().request("POST", PATH).multipart(form)).expect("answered");
    assert_eq!((answer.status, &answer.json["error"]["code"]), (400, &json!(1000)), "{}", answer.text);
    answer.json["error"]["message"].as_str().expect("a message").to_owned()
}

#[test]
fn the_form_is_checked_in_the_contracts_order() {
    let scene = Scene::new();
    let vlm = [("vlm_model", "v"), ("vlm_base_url", "https://v.example.com")];
    let minio = [&vlm[..], &[("storage_type", "MinIO"), ("minio_bucket_name", "b")]].concat();
    let text = || Part::text("x").file_name("p.txt").mime_str("text/plain").expect("a type");
    assert_eq!(message(&scene, &vlm[..1], None), "VLM模型名称和Base URL不能为空");
    assert_eq!(message(&scene, &vlm, None), "无效的存储类型");
    assert_eq!(message(&scene, &[&vlm[..], &[("storage_type", "cos")]].concat(), None), "COS配置信息不能为空");
    assert_eq!(message(&scene, &[&vlm[..], &[("storage_type", "minio")]].concat(), None), "MinIO配置信息不能为空");
    assert_eq!(message(&scene, &minio, None), "获取上传图片失败");
    assert_eq!(message(&scene, &minio, Some(text())), "只允许上传图片文件");
}

#[test]
fn a_body_that_is_no_form_has_no_fields() {
    check_refused(&Scene::new(), "POST /initialization/multimodal/test", Some("{}"), 400, 1000, "VLM模型名称和Base URL不能为空");
}

#[test]
fn json_that_is_none_is_told() {
    for body in ["", "x", "[]"] {
        check_refused(&Scene::new(), "POST /initialization/multimodal/test", Some(body), 400, 1000, "表单参数解析失败");
    }
}
