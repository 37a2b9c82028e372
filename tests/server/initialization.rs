//! The settings page against real model servers: Ollama with a registry to pull from, llama.cpp's server in three modes.

use knowhost_tests::{Caller, Registry, Server, ollama, openai_compatible_for, wait_for};
use serde_json::{Value, json};

const ROOT: &str = "/api/v1/initialization";
const KEY: &str = "sk-the-key-of-a-test-server";

fn data(caller: &Caller, path: &str, body: &Value) -> Value {
    caller.post(&format!("{ROOT}/{path}"), body).expect("answered").expect_status(200).json["data"].take()
}

fn read(caller: &Caller, path: &str) -> Value {
    caller.get(&format!("{ROOT}/{path}")).expect("answered").expect_status(200).json["data"].take()
}

fn with_ollama(url: &str) -> Server {
    Server::builder().env("KNOWHOST_SAMPLE", "false").env("OLLAMA_BASE_URL", url).start()
}

fn message(data: &Value) -> &str {
    data["message"].as_str().expect("a message")
}

#[test]
fn ollama_is_asked_for_what_it_has() {
    let models = ollama();
    let server = with_ollama(models.url());
    let caller = server.caller();
    assert_eq!(read(&caller, "ollama/status"), json!({ "available": true, "version": "0.11.4", "baseUrl": models.url() }));
    assert_eq!(read(&caller, "ollama/models"), json!({ "models": ["tiny:latest"] }));
    assert_eq!(
        data(&caller, "ollama/models/check", &json!({ "models": ["tiny", "tiny:latest", "tiny:7b", "none"] })),
        json!({ "models": { "tiny": true, "tiny:latest": true, "tiny:7b": false, "none": false } })
    );
    let embedding = data(&caller, "embedding/test", &json!({ "source": "local", "modelName": "tiny", "baseUrl": "http://127.0.0.1:9" }));
    assert_eq!(embedding, json!({ "available": true, "message": "测试成功，向量维度=64", "dimension": 64 }));

    let missing = data(&caller, "embedding/test", &json!({ "source": "local", "modelName": "none" }));
    assert!(missing["available"] == false && message(&missing).contains("not found"), "{missing}");
    let llm = json!({ "source": "local", "modelName": "none" });
    let missing = data(&caller, "extract/fabri-text", &json!({ "tags": [], "llmConfig": llm }));
    assert!(missing["success"] == false && message(&missing).contains("not found"), "{missing}");
    assert_eq!(read(&caller, "ollama/download/tasks"), json!([]), "a probe fetches nothing");

    let llm = json!({ "source": "local", "modelName": "tiny" });
    let text = data(&caller, "extract/fabri-text", &json!({ "tags": ["作者"], "llmConfig": llm }));
    assert!(text["text"].as_str().is_some_and(|text| !text.is_empty()), "{text}");
    // Random weights write no JSON.
    let noise = data(&caller, "extract/text-relation", &json!({ "text": "A wrote B.", "tags": ["author"], "llmConfig": llm }));
    assert!(noise["success"] == false && message(&noise).contains("JSON"), "{noise}");

    let kb = caller.a_kb("Local");
    let saved = data(&caller, &format!("initialize/{kb}"), &settings("tiny"));
    assert!(saved["models"].as_array().expect("models").iter().all(|model| model["status"] == "active"), "{saved}");
    caller.a_knowledge(&kb, "note.txt", b"Gulls follow the plough.");
    assert!(!caller.search(&kb, "What do gulls follow?").is_empty());
    let config = read(&caller, &format!("config/{kb}"));
    assert_eq!(
        (&config["hasFiles"], &config["llm"]["source"], &config["embedding"]["dimension"]),
        (&json!(true), &json!("local"), &json!(64))
    );
}

fn settings(name: &str) -> Value {
    json!({
        "llm": { "source": "local", "modelName": name, "baseUrl": "", "apiKey": "" },
        "embedding": { "source": "local", "modelName": name, "baseUrl": "", "apiKey": "", "dimension": 64 },
        "documentSplitting": { "chunkSize": 300, "chunkOverlap": 30, "separators": ["\n"] },
    })
}

/// Waits for a download that is half done.
fn half_done(caller: &Caller, id: &str) -> Value {
    wait_for("half of a model", || {
        let task = read(caller, &format!("ollama/download/progress/{id}"));
        assert_ne!(task["status"], "failed", "{task}");
        assert_ne!(task["status"], "completed", "{task}");
        (task["progress"].as_f64()? >= 40.0).then_some(task)
    })
}

fn ended(caller: &Caller, id: &str) -> Value {
    wait_for("the end of a download", || {
        let task = read(caller, &format!("ollama/download/progress/{id}"));
        task["endTime"].is_string().then_some(task)
    })
}

#[test]
fn a_model_is_fetched_with_progress_and_goes_on_after_a_crash() {
    let registry = Registry::start();
    let mut server = with_ollama(registry.ollama.url());
    let name = registry.model();
    let caller = server.caller();
    let kb = caller.a_kb("Fetched");
    let saved = data(&caller, &format!("initialize/{kb}"), &settings(&name));
    assert!(saved["models"].as_array().expect("models").iter().all(|model| model["status"] == "downloading"), "{saved}");
    assert_eq!(read(&caller, &format!("config/{kb}")).get("llm"), None);
    let started = data(&caller, "ollama/models/download", &json!({ "modelName": name }));
    let id = started["taskId"].as_str().expect("a task").to_owned();
    let task = half_done(&caller, &id);
    assert!(message(&task).starts_with("下载中: ") && message(&task).contains("(pulling "), "{task}");
    assert_eq!(task.get("endTime"), None);

    server.kill();
    registry.wait_left();
    server.start();
    let caller = server.caller();
    half_done(&caller, &id);
    registry.open_gate();
    let task = ended(&caller, &id);
    assert_eq!((&task["status"], &task["progress"], message(&task)), (&json!("completed"), &json!(100), "下载完成"));
    assert_eq!(read(&caller, "ollama/models")["models"], json!([format!("{name}:latest")]));
    let config = read(&caller, &format!("config/{kb}"));
    assert_eq!((&config["llm"]["modelName"], &config["embedding"]["modelName"]), (&json!(name), &json!(name)));
    caller.a_knowledge(&kb, "note.txt", b"Gulls follow the plough.");
    let again = caller.post(&format!("{ROOT}/ollama/models/download"), &json!({ "modelName": name })).expect("answered");
    assert_eq!(
        again.json,
        json!({ "data": { "modelName": name, "status": "completed", "progress": 100 }, "message": "模型已存在", "success": true })
    );
}

#[test]
fn a_download_is_cancelled_and_begun_again() {
    let registry = Registry::start();
    let server = with_ollama(registry.ollama.url());
    let caller = server.caller();
    let stranger = server.stranger("stranger");
    let body = json!({ "modelName": registry.model() });
    let id = data(&caller, "ollama/models/download", &body)["taskId"].as_str().expect("a task").to_owned();
    half_done(&caller, &id);
    let path = format!("{ROOT}/ollama/download/tasks/{id}");
    stranger.delete(&path).expect("answered").expect_status(404);
    stranger.get(&format!("{ROOT}/ollama/download/progress/{id}")).expect("answered").expect_status(404);
    assert_eq!(read(&stranger, "ollama/download/tasks"), json!([]));
    let cancelled = caller.delete(&path).expect("answered").expect_status(200).json["data"].take();
    assert_eq!((&cancelled["status"], message(&cancelled)), (&json!("failed"), "下载失败: 已取消"));
    registry.wait_left();

    registry.open_gate();
    let second = data(&caller, "ollama/models/download", &body)["taskId"].as_str().expect("a task").to_owned();
    assert_eq!(ended(&caller, &second)["status"], "completed");
    assert_eq!(ended(&caller, &id), cancelled);

    let typo = json!({ "modelName": registry.model().replace("tiny", "typo") });
    let typo = data(&caller, "ollama/models/download", &typo)["taskId"].as_str().expect("a task").to_owned();
    let failed = ended(&caller, &typo);
    assert!(failed["status"] == "failed" && message(&failed).contains("file does not exist"), "{failed}");
}

#[test]
fn a_chat_service_is_tried_and_its_failures_are_told() {
    let models = openai_compatible_for("chat", Some(KEY));
    let server = Server::empty();
    let caller = server.caller();
    let check =
        |base_url: &str, key: &str| data(&caller, "remote/check", &json!({ "modelName": "tiny", "baseUrl": base_url, "apiKey": key }));
    let base_url = format!("{}/v1", models.url());
    assert_eq!(check(&base_url, KEY), json!({ "available": true, "message": "连接正常，模型可用" }));
    assert_eq!(check(&format!("{base_url}/"), KEY)["available"], true);
    assert_eq!(check(&base_url, "sk-a-wrong-key"), json!({ "available": false, "message": "认证失败，请检查API Key" }));
    assert_eq!(check(&format!("{}/nowhere", models.url()), KEY)["message"], "API端点不存在，请检查Base URL");
    let gone = check("http://127.0.0.1:9/v1", KEY);
    assert!(message(&gone).starts_with("连接失败: remote-api") && !message(&gone).contains(KEY), "{gone}");
    let nonsense = check("ftp://x y", KEY);
    assert!(message(&nonsense).starts_with("连接失败: "), "{nonsense}");
    for address in ["http://169.254.169.254/latest", "http://[fe80::1]/v1"] {
        assert!(message(&check(address, KEY)).contains("no setting opens"), "{address}");
    }

    // What stands on this machine is its owner's alone.
    let stranger = server.stranger("stranger");
    let closed = data(&stranger, "remote/check", &json!({ "modelName": "tiny", "baseUrl": base_url, "apiKey": KEY }));
    assert!(message(&closed).contains("KNOWHOST_PRIVATE_HOSTS"), "{closed}");

    // A model that sees nothing refuses a picture, however large it is.
    for bytes in [PIXEL.to_vec(), vec![0x55; 10 << 20]] {
        check_refused_picture(&caller, &base_url, bytes);
    }
    assert!(!server.log().contains(KEY) && !server.log().contains("sk-a-wrong-key"), "no key is logged");
}

fn check_refused_picture(caller: &Caller, base_url: &str, bytes: Vec<u8>) {
    let picture = reqwest::blocking::multipart::Part::bytes(bytes).file_name("p.png").mime_str("image/png").expect("a type");
    let form = reqwest::blocking::multipart::Form::new()
        .part("image", picture)
        .text("vlm_model", "tiny")
        .text("vlm_base_url", base_url.to_owned())
        .text("vlm_api_key", KEY)
        .text("storage_type", "minio")
        .text("minio_bucket_name", "b");
    let answer =
        caller.send(caller.request("POST", &format!("{ROOT}/multimodal/test")).multipart(form)).expect("answered").expect_status(200);
    let refused = &answer.json["data"];
    assert!(refused["success"] == false && message(refused).contains("image input is not supported"), "{refused}");
}

/// A PNG of one pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82";

#[test]
fn an_embedding_service_and_a_reranker_are_tried() {
    let embedder = openai_compatible_for("embedding", Some(KEY));
    let server = Server::empty();
    let caller = server.caller();
    let embedding = |base_url: &str, key: &str| {
        data(
            &caller,
            "embedding/test",
            &json!({ "source": "Remote", "modelName": "tiny", "baseUrl": base_url, "apiKey": key, "dimension": 3 }),
        )
    };
    let base_url = format!("{}/v1", embedder.url());
    assert_eq!(embedding(&base_url, KEY), json!({ "available": true, "message": "测试成功，向量维度=64", "dimension": 64 }));
    let refused = embedding(&base_url, "sk-a-wrong-key");
    assert!(
        refused["dimension"] == 0 && message(&refused).starts_with("调用Embedding失败: ") && message(&refused).contains("401"),
        "{refused}"
    );
    drop(embedder);
    let gone = embedding(&base_url, KEY);
    assert!(gone["available"] == false && message(&gone).starts_with("调用Embedding失败: "), "{gone}");

    let reranker = openai_compatible_for("rerank", None);
    let rerank = |base_url: &str| data(&caller, "rerank/check", &json!({ "modelName": "tiny", "baseUrl": base_url }));
    assert_eq!(rerank(&format!("{}/v1", reranker.url())), json!({ "available": true, "message": "重排功能正常，返回1个结果" }));
    let wrong = rerank(&format!("{}/nowhere", reranker.url()));
    assert!(wrong["available"] == false && message(&wrong).starts_with("重排测试失败: ") && message(&wrong).contains("404"), "{wrong}");
}

#[test]
fn a_registry_inside_the_network_is_closed_to_tenants() {
    let server = Server::empty();
    let (ann, owner) = (server.stranger("ann"), server.caller());
    for name in ["127.0.0.1:9/library/none", "https://10.0.0.1/library/none:7b", "localhost/library/none", "169.254.169.254/a/b"] {
        let answer = ann.post(&format!("{ROOT}/ollama/models/download"), &json!({ "modelName": name })).expect("answered");
        assert_eq!((answer.status, &answer.json["error"]["code"]), (400, &json!(1000)), "{name}: {}", answer.text);
        let message = message(&answer.json["error"]).to_owned();
        assert!(message.contains("KNOWHOST_PRIVATE_HOSTS") || message.contains("no setting opens"), "{message}");
    }
    // Whoever owns the data folder may use this machine; here no model server answers.
    let body = json!({ "modelName": "127.0.0.1:9/library/none" });
    owner.post(&format!("{ROOT}/ollama/models/download"), &body).expect("answered").expect_status(503);
    let model = json!({ "name": "127.0.0.1:9/library/none", "type": "KnowledgeQA", "source": "local" });
    let model = ann.post("/api/v1/models", &model).expect("answered").expect_status(201).json["data"]["id"].take();
    let path = format!("/api/v1/models/{}", model.as_str().expect("an id"));
    let ended = wait_for("the end of a pull", || {
        let status = ann.get(&path).ok()?.json["data"]["status"].take();
        (status != "downloading").then_some(status)
    });
    assert_eq!(ended, "download_failed");
    let tasks = ann.get(&format!("{ROOT}/ollama/download/tasks")).expect("answered").json["data"].take();
    assert!(message(&tasks[0]).contains("KNOWHOST_PRIVATE_HOSTS"), "{tasks}");
}
