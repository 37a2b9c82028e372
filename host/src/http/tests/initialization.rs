//! The settings page: reading and saving, probes, helpers, downloads, and the routes of v0.1.3.

use super::TestApp;
use super::support::{Answer, Tester};
use crate::domain::{ModelStatus, TenantId, TenantScope};
use crate::library::LibrarySettings;
use crate::library::initialization::InitializationSettings;
use crate::provider::testing::PlayedModels;
use crate::provider::{ProviderErrorKind, ProviderResult, PullProgress};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;

const ROOT: &str = "/api/v1/initialization";

async fn app_with(settings: InitializationSettings, models: PlayedModels) -> TestApp {
    let settings = InitializationSettings { ollama_base_url: "http://127.0.0.1:11434/".into(), ..settings };
    TestApp::build(LibrarySettings::default(), settings, models).await
}

async fn app() -> TestApp {
    app_with(InitializationSettings::default(), PlayedModels::default()).await
}

fn installed(names: &[&str]) -> PlayedModels {
    PlayedModels { installed: Mutex::new(Some(names.iter().map(|name| (*name).to_owned()).collect())), ..PlayedModels::default() }
}

async fn a_kb(app: &TestApp, ann: &Tester) -> String {
    let kb = app.post("/api/v1/knowledge-bases", &ann.key, json!({"name": "kb"})).await.data();
    kb["id"].as_str().expect("an id").to_owned()
}

fn form() -> Value {
    json!({
        "llm": {"source": "remote", "modelName": "chat", "baseUrl": "https://a.example/v1", "apiKey": "sk-llm"},
        "embedding": {"source": "remote", "modelName": "embed", "baseUrl": "https://a.example/v1", "apiKey": "sk-emb", "dimension": 8},
        "documentSplitting": {"chunkSize": 300, "chunkOverlap": 30, "separators": ["\n"]},
    })
}

/// The form with some fields replaced.
fn with(changes: Value) -> Value {
    let mut form = form();
    for (name, value) in changes.as_object().expect("an object") {
        form[name] = value.clone();
    }
    form
}

async fn save(app: &TestApp, ann: &Tester, kb: &str, form: Value) -> Answer {
    app.post(&format!("{ROOT}/initialize/{kb}"), &ann.key, form).await
}

async fn config(app: &TestApp, ann: &Tester, kb: &str) -> Value {
    app.get(&format!("{ROOT}/config/{kb}"), &ann.key).await.data()
}

async fn own_models(app: &TestApp, ann: &Tester) -> usize {
    app.get("/api/v1/models", &ann.key).await.data().as_array().expect("a list").len()
}

#[tokio::test]
async fn settings_of_others_do_not_exist() {
    let app = app().await;
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    let kb = a_kb(&app, &ann).await;
    save(&app, &ann, &kb, form()).await.data();
    for id in [kb.as_str(), "none", "%00"] {
        for answer in [app.get(&format!("{ROOT}/config/{id}"), &bob.key).await, save(&app, &bob, id, form()).await] {
            assert_eq!(answer.failure(), (404, 1003, "知识库不存在".into(), Value::Null), "{id}");
        }
    }
    assert_eq!(own_models(&app, &bob).await, 0, "nothing is left behind");
    assert_eq!(config(&app, &ann, &kb).await["llm"]["apiKey"], "sk-llm");
    for (path, status) in [("/config", 404), ("/status", 200)] {
        assert_eq!(app.get(&format!("{ROOT}{path}"), &bob.key).await.status, status);
    }
    assert_eq!(app.get(&format!("{ROOT}/status"), &bob.key).await.data(), json!({"initialized": false}));
    assert_eq!(app.get(&format!("{ROOT}/status"), &ann.key).await.data(), json!({"initialized": true}));
}

#[tokio::test]
async fn saving_again_changes_the_same_models_and_keeps_what_is_not_named() {
    let app = app().await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let rerank = json!({"enabled": true, "modelName": "rank", "baseUrl": "https://a.example/v1", "apiKey": "sk-rank"});
    let first = save(&app, &ann, &kb, with(json!({"rerank": rerank}))).await.data();
    assert_eq!(own_models(&app, &ann).await, 3);

    let unnamed = with(json!({
        "llm": {"source": "Remote", "modelName": "chat-2"},
        "embedding": {"source": "remote", "modelName": "embed"},
    }));
    let second = save(&app, &ann, &kb, unnamed).await.data();
    assert_eq!(own_models(&app, &ann).await, 3);
    let ids = |saved: &Value| ["summary_model_id", "embedding_model_id", "rerank_model_id"].map(|id| saved["knowledge_base"][id].clone());
    assert_eq!(ids(&first), ids(&second));
    let shown = config(&app, &ann, &kb).await;
    assert_eq!(shown["llm"], json!({"source": "remote", "modelName": "chat-2", "baseUrl": "https://a.example/v1", "apiKey": "sk-llm"}));
    assert_eq!(shown["embedding"]["dimension"], 8);
    assert_eq!(shown["rerank"]["apiKey"], "sk-rank", "a part that is absent stays");

    let off = with(json!({"rerank": {"enabled": false}, "llm": {"source": "remote", "modelName": "chat-2", "apiKey": ""}}));
    save(&app, &ann, &kb, off).await.data();
    let shown = config(&app, &ann, &kb).await;
    assert_eq!(shown["rerank"], json!({"enabled": false, "modelName": "", "baseUrl": "", "apiKey": ""}));
    assert_eq!(shown["llm"]["apiKey"], "");
}

#[tokio::test]
async fn a_model_of_another_knowledge_base_is_not_changed() {
    let app = app().await;
    let ann = app.tester("ann").await;
    let (one, two) = (a_kb(&app, &ann).await, a_kb(&app, &ann).await);
    let saved = save(&app, &ann, &one, form()).await.data();
    let scope = TenantScope::mint(TenantId(ann.tenant_id));
    let patch = crate::store::KnowledgeBasePatch {
        summary_model_id: saved["knowledge_base"]["summary_model_id"].as_str().map(str::to_owned),
        ..crate::store::KnowledgeBasePatch::default()
    };
    app.state.library.store().update_knowledge_base(&scope, &two, &patch).await.expect("writes");
    let changed = with(json!({"llm": {"source": "remote", "modelName": "other"}}));
    save(&app, &ann, &two, changed).await.data();
    assert_eq!(config(&app, &ann, &one).await["llm"]["modelName"], "chat");
    let shown = config(&app, &ann, &two).await;
    assert_eq!((&shown["llm"]["modelName"], &shown["llm"]["apiKey"]), (&json!("other"), &json!("sk-llm")));
}

#[tokio::test]
async fn settings_are_checked_in_the_contracts_order() {
    let app = app().await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let vlm = json!({"modelName": "v", "baseUrl": "https://a.example/v1"});
    let cos = json!({"secretId": "i", "secretKey": "s", "region": "r", "bucketName": "b"});
    let tag = |field: &str, tag: &str| {
        let last = field.rsplit('.').next().expect("a field");
        format!("Key: 'InitializationRequest.{field}' Error:Field validation for '{last}' failed on the '{tag}' tag")
    };
    let splitting = |size: i64, overlap: i64| json!({"chunkSize": size, "chunkOverlap": overlap, "separators": ["\n"]});
    for (changes, message) in [
        (json!({"llm": {"source": "remote"}}), tag("LLM.ModelName", "required")),
        (json!({"documentSplitting": splitting(99, 0)}), tag("DocumentSplitting.ChunkSize", "min")),
        (json!({"documentSplitting": splitting(10_001, 0)}), tag("DocumentSplitting.ChunkSize", "max")),
        (json!({"documentSplitting": splitting(100, -1)}), tag("DocumentSplitting.ChunkOverlap", "min")),
        (json!({"documentSplitting": {"chunkSize": 100}}), tag("DocumentSplitting.Separators", "required")),
        (json!({"documentSplitting": {"chunkSize": 100, "separators": []}}), tag("DocumentSplitting.Separators", "min")),
        (json!({"documentSplitting": splitting(100, 100)}), "chunkOverlap必须小于chunkSize".into()),
        (json!({"multimodal": {"enabled": true}}), "启用多模态时需要配置VLM信息".into()),
        (json!({"multimodal": {"enabled": true, "vlm": {"modelName": "v"}}}), "VLM配置不完整".into()),
        (json!({"multimodal": {"enabled": true, "vlm": vlm, "storageType": "COS", "cos": cos}}), "COS配置不完整".into()),
        (
            json!({"multimodal": {"enabled": true, "vlm": vlm, "storageType": "minio", "minio": {"bucketName": "b"}}}),
            "MinIO配置不完整".into(),
        ),
        (json!({"multimodal": {"enabled": true, "vlm": vlm, "storageType": "tape"}}), "无效的存储类型".into()),
        (json!({"rerank": {"enabled": true, "modelName": "r"}}), "Rerank配置不完整".into()),
        (json!({"nodeExtract": {"enabled": true}}), "请正确配置环境变量NEO4J_ENABLE".into()),
    ] {
        let answer = save(&app, &ann, &kb, with(changes.clone())).await;
        assert_eq!(answer.failure(), (400, 1000, message, Value::Null), "{changes}");
    }
    let unknown = save(&app, &ann, &kb, with(json!({"llm": {"source": "lokal", "modelName": "m"}}))).await.failure();
    assert!(unknown.0 == 400 && unknown.2.contains("lokal") && unknown.2.contains("remote"), "{unknown:?}");
    let nul = save(&app, &ann, &kb, with(json!({"llm": {"source": "remote", "modelName": "a\u{0}b"}}))).await.failure();
    assert_eq!((nul.0, nul.1), (400, 1000));
    assert_eq!(own_models(&app, &ann).await, 0, "a refused request leaves nothing");
}

#[tokio::test]
async fn pictures_and_entities_are_switched_on_and_off() {
    let settings = InitializationSettings { graph_enabled: true, minio_configured: true, ..InitializationSettings::default() };
    let app = app_with(settings, PlayedModels::default()).await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    for (extract, message) in [
        (json!({"enabled": true, "text": "t"}), "Node Extractor配置不完整"),
        (json!({"enabled": true, "text": "t", "tags": ["x"], "nodes": [{"name": "n"}]}), "请先提取实体和关系"),
    ] {
        assert_eq!(save(&app, &ann, &kb, with(json!({"nodeExtract": extract}))).await.failure().2, message);
    }
    let extract = json!({
        "enabled": true, "text": "t", "tags": ["x"], "nodes": [{"name": "n", "attributes": ["a"]}, {"name": "m"}],
        "relations": [{"node1": "n", "node2": "m", "type": "x"}],
    });
    let minio = json!({
        "enabled": true, "vlm": {"modelName": "v", "baseUrl": "ignored", "interfaceType": "ollama"}, "storageType": "MinIO",
        "minio": {"bucketName": "b", "pathPrefix": "p", "useSSL": true},
    });
    let saved = save(&app, &ann, &kb, with(json!({"nodeExtract": extract, "multimodal": minio}))).await.data();
    assert_eq!(saved["knowledge_base"]["chunking_config"]["enable_multimodal"], true);
    assert_eq!(saved["knowledge_base"]["cos_config"]["provider"], "minio");
    assert_eq!(saved["knowledge_base"]["cos_config"]["secret_key"], "", "the server's own keys stay with it");
    let shown = config(&app, &ann, &kb).await;
    assert_eq!(shown["nodeExtract"], extract);
    assert_eq!(
        shown["multimodal"],
        json!({
            "enabled": true, "storageType": "minio", "minio": {"bucketName": "b", "pathPrefix": "p"},
            "vlm": {"modelName": "v", "baseUrl": "http://127.0.0.1:11434/v1", "apiKey": "", "interfaceType": "ollama"},
        })
    );
    let cos = json!({"secretId": "i", "secretKey": "s", "region": "r", "bucketName": "b", "appId": "a", "pathPrefix": ""});
    let multimodal = json!({
        "enabled": true, "vlm": {"modelName": "v", "baseUrl": "https://v.example"}, "storageType": "cos", "cos": cos,
    });
    save(&app, &ann, &kb, with(json!({"multimodal": multimodal}))).await.data();
    let shown = config(&app, &ann, &kb).await;
    assert_eq!((&shown["multimodal"]["storageType"], &shown["multimodal"]["cos"]), (&json!("cos"), &cos));
    assert_eq!(shown["nodeExtract"], extract, "a part that is absent stays");
    let off = json!({"multimodal": {"enabled": false}, "nodeExtract": {"enabled": false}});
    let saved = save(&app, &ann, &kb, with(off)).await.data();
    assert_eq!((&saved["knowledge_base"]["vlm_model_id"], &saved["knowledge_base"]["extract_config"]), (&json!(""), &Value::Null));
    let shown = config(&app, &ann, &kb).await;
    assert_eq!((&shown["multimodal"], &shown["nodeExtract"]), (&json!({"enabled": false}), &json!({"enabled": false})));
}

#[tokio::test]
async fn a_local_model_is_used_at_once_if_it_is_installed_and_fetched_if_not() {
    let app = app_with(InitializationSettings::default(), installed(&["there:latest", "gone:latest"])).await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let local = |llm: &str| with(json!({"llm": {"source": "local", "modelName": llm, "baseUrl": "https://left.over"}}));
    let saved = save(&app, &ann, &kb, local("there")).await.data();
    assert_eq!((&saved["models"][0]["status"], &saved["models"][0]["parameters"]["base_url"]), (&json!("active"), &json!("")));
    let saved = save(&app, &ann, &kb, local("wanted")).await.data();
    assert_eq!(saved["models"][0]["status"], "downloading");
    let shown = config(&app, &ann, &kb).await;
    assert_eq!(shown.get("llm"), None, "a model that is being fetched can not be used");
    let tasks = app.get(&format!("{ROOT}/ollama/download/tasks"), &ann.key).await.data();
    assert_eq!((&tasks[0]["modelName"], &tasks[0]["status"]), (&json!("wanted"), &json!("pending")));
    app.work();
    let id = tasks[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(ended(&app, &ann, &id).await["status"], "completed");
    assert_eq!(config(&app, &ann, &kb).await["llm"]["modelName"], "wanted");
}

async fn ended(app: &TestApp, ann: &Tester, id: &str) -> Value {
    for _ in 0..1_000 {
        let task = app.get(&format!("{ROOT}/ollama/download/progress/{id}"), &ann.key).await.data();
        if ["completed", "failed"].iter().any(|status| task["status"] == *status) {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the download does not end");
}

async fn shows(app: &TestApp, ann: &Tester, id: &str, message: &str) -> Value {
    for _ in 0..1_000 {
        let task = app.get(&format!("{ROOT}/ollama/download/progress/{id}"), &ann.key).await.data();
        if task["message"] == message {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{message} was never shown");
}

fn told(status: &str, completed_bytes: u64, total_bytes: u64) -> ProviderResult<PullProgress> {
    Ok(PullProgress { status: status.into(), completed_bytes, total_bytes })
}

async fn start(app: &TestApp, ann: &Tester, name: &str) -> (String, Value) {
    let answer = app.post(&format!("{ROOT}/ollama/models/download"), &ann.key, json!({"modelName": name})).await.json();
    (answer["message"].as_str().expect("a message").to_owned(), answer["data"].clone())
}

#[tokio::test]
async fn a_download_is_followed_and_cancelled_by_its_tenant_alone() {
    let app = app_with(InitializationSettings::default(), installed(&["there:latest"])).await;
    let (ann, bob) = (app.tester("ann").await, app.tester("bob").await);
    assert_eq!(
        start(&app, &ann, "there").await,
        ("模型已存在".into(), json!({"modelName": "there", "status": "completed", "progress": 100}))
    );
    let (tell, pull) = mpsc::channel(8);
    *app.models.pull.lock().expect("free") = Some(pull);
    let (message, data) = start(&app, &ann, "big").await;
    let id = data["taskId"].as_str().expect("an id").to_owned();
    assert_eq!((message.as_str(), &data["status"], &data["progress"]), ("模型下载任务已创建", &json!("pending"), &json!(0)));
    let again = start(&app, &ann, "big:latest").await;
    assert_eq!((again.0.as_str(), &again.1["taskId"]), ("模型下载任务已存在", &json!(id)));

    app.work();
    tell.send(told("pulling manifest", 0, 0)).await.expect("read");
    shows(&app, &ann, &id, "pulling manifest").await;
    tell.send(told("pulling abc", 425, 1_000)).await.expect("read");
    let task = shows(&app, &ann, &id, "下载中: 42.5% (pulling abc)").await;
    assert_eq!((&task["status"], &task["progress"], task.get("endTime")), (&json!("downloading"), &json!(42.5), None));
    tell.send(told("pulling def", 425, 2_000)).await.expect("read");
    assert_eq!(shows(&app, &ann, &id, "下载中: 42.5% (pulling def)").await["progress"], 42.5, "a new layer does not set it back");

    for (method, path) in [(Method::GET, "progress"), (Method::DELETE, "tasks")] {
        let foreign = app.call(method, &format!("{ROOT}/ollama/download/{path}/{id}"), &[("x-api-key", &bob.key)], "").await;
        assert_eq!(foreign.failure(), (404, 1003, "下载任务不存在".into(), Value::Null));
    }
    assert_eq!(app.get(&format!("{ROOT}/ollama/download/tasks"), &bob.key).await.data(), json!([]));
    let cancelled = app.delete(&format!("{ROOT}/ollama/download/tasks/{id}"), &ann.key).await.data();
    assert_eq!((&cancelled["status"], &cancelled["message"]), (&json!("failed"), &json!("下载失败: 已取消")));
    tell.closed().await;
    let again = app.delete(&format!("{ROOT}/ollama/download/tasks/{id}"), &ann.key).await.data();
    assert_eq!(again, cancelled, "it ends once");
    assert!(app.get(&format!("{ROOT}/ollama/download/tasks"), &ann.key).await.data()[0]["endTime"].is_string());
}

#[tokio::test]
async fn a_download_that_fails_says_why_and_fails_the_models_that_wait_for_it() {
    let app = app_with(InitializationSettings::default(), installed(&[])).await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let (tell, pull) = mpsc::channel(8);
    *app.models.pull.lock().expect("free") = Some(pull);
    let saved = save(&app, &ann, &kb, with(json!({"llm": {"source": "local", "modelName": "typo"}}))).await.data();
    app.work();
    let refusal = crate::provider::ProviderError::new(ProviderErrorKind::NotFound, "ollama 0.1.0", "file does not exist");
    tell.send(Err(refusal)).await.expect("read");
    let id = app.get(&format!("{ROOT}/ollama/download/tasks"), &ann.key).await.data()[0]["id"].as_str().expect("an id").to_owned();
    let task = ended(&app, &ann, &id).await;
    assert_eq!((&task["message"], &task["progress"]), (&json!("下载失败: ollama 0.1.0: file does not exist"), &json!(0)));
    let model = app.get(&format!("/api/v1/models/{}", saved["models"][0]["id"].as_str().expect("an id")), &ann.key).await.data();
    assert_eq!(model["status"], "download_failed");
}

#[tokio::test]
async fn models_that_wait_for_a_lost_download_are_fetched_after_a_restart() {
    let app = app_with(InitializationSettings::default(), installed(&[])).await;
    let ann = app.tester("ann").await;
    let kb = a_kb(&app, &ann).await;
    let local = with(json!({"llm": {"source": "local", "modelName": "lost"}}));
    let saved = save(&app, &ann, &kb, local).await.data();
    let id = saved["models"][0]["id"].as_str().expect("an id").to_owned();
    // As after a job that was lost: the row waits, and nothing fetches.
    let store = app.state.library.store();
    let job = store.list_pulls(TenantId(ann.tenant_id)).await.expect("reads").remove(0);
    store.cancel_pull(TenantId(ann.tenant_id), &job.subject_id, "lost").await.expect("writes");
    let scope = TenantScope::mint(TenantId(ann.tenant_id));
    let patch = crate::store::ModelPatch { status: Some(ModelStatus::Downloading), ..crate::store::ModelPatch::default() };
    store.update_model(&scope, &id, &patch).await.expect("writes");
    app.state.initialization.downloads().recover().await.expect("reads");
    app.state.initialization.downloads().recover().await.expect("reads");
    let tasks = app.get(&format!("{ROOT}/ollama/download/tasks"), &ann.key).await.data();
    assert_eq!(tasks.as_array().expect("a list").len(), 2, "the one that was lost and one for both calls: {tasks}");
    app.work();
    ended(&app, &ann, tasks[0]["id"].as_str().expect("an id")).await;
    assert_eq!(app.get(&format!("/api/v1/models/{id}"), &ann.key).await.data()["status"], "active");
}

#[tokio::test]
async fn a_local_model_is_fetched_when_it_is_made() {
    let app = app_with(InitializationSettings::default(), installed(&[])).await;
    let ann = app.tester("ann").await;
    let local = json!({"name": "new", "type": "KnowledgeQA", "source": "Local"});
    let made = app.post("/api/v1/models", &ann.key, local).await;
    assert_eq!(
        (made.status, &made.json()["data"]["status"], &made.json()["data"]["source"]),
        (201, &json!("downloading"), &json!("local"))
    );
    let tasks = app.get(&format!("{ROOT}/ollama/download/tasks"), &ann.key).await.data();
    assert_eq!((tasks.as_array().expect("a list").len(), &tasks[0]["modelName"]), (1, &json!("new")));
    app.work();
    ended(&app, &ann, tasks[0]["id"].as_str().expect("an id")).await;
    let path = format!("/api/v1/models/{}", made.data()["id"].as_str().expect("an id"));
    assert_eq!(app.get(&path, &ann.key).await.data()["status"], "active");
}

#[tokio::test]
async fn only_a_new_local_model_is_fetched_and_one_that_is_there_is_not_fetched_again() {
    let app = app_with(InitializationSettings::default(), installed(&["there:latest"])).await;
    let ann = app.tester("ann").await;
    let new = |name: &str, source: &str| json!({"name": name, "type": "KnowledgeQA", "source": source});
    for (name, source, status) in [("gone", "remote", "active"), ("gone", "Aliyun", "active"), ("there", "LOCAL", "downloading")] {
        let made = app.post("/api/v1/models", &ann.key, new(name, source)).await.data();
        assert_eq!((&made["source"], &made["status"]), (&json!(source.to_lowercase()), &json!(status)), "{name} {source}");
    }
    let tasks = app.get(&format!("{ROOT}/ollama/download/tasks"), &ann.key).await.data();
    assert_eq!((tasks.as_array().expect("a list").len(), &tasks[0]["modelName"]), (1, &json!("there")));
    // A server that would fetch it again would never end.
    let (_tell, pull) = mpsc::channel(8);
    *app.models.pull.lock().expect("free") = Some(pull);
    app.work();
    assert_eq!(ended(&app, &ann, tasks[0]["id"].as_str().expect("an id")).await["status"], "completed");
    let models = app.get("/api/v1/models", &ann.key).await.data();
    assert!(models.as_array().expect("a list").iter().all(|model| model["status"] == "active"), "{models}");
}

#[tokio::test]
async fn a_model_is_not_made_when_too_many_wait_to_be_fetched() {
    let app = app_with(InitializationSettings::default(), installed(&[])).await;
    let ann = app.tester("ann").await;
    let local = |number: i64| json!({"name": format!("m{number}"), "type": "KnowledgeQA", "source": "local"});
    for number in 0..crate::limits::PULLS_WAITING_MAX {
        app.post("/api/v1/models", &ann.key, local(number)).await.data();
    }
    let refused = app.post("/api/v1/models", &ann.key, local(99)).await;
    assert_eq!((refused.status, refused.failure().1), (429, 1006));
    // One more row that waits for a download under way is no download more.
    app.post("/api/v1/models", &ann.key, local(0)).await.data();
    assert_eq!(i64::try_from(own_models(&app, &ann).await).expect("few"), crate::limits::PULLS_WAITING_MAX + 1);
}

#[tokio::test]
async fn a_local_model_counts_as_fetched_where_no_server_need_be() {
    let settings = InitializationSettings { ollama_optional: true, ..InitializationSettings::default() };
    let app = app_with(settings, PlayedModels::default()).await;
    let ann = app.tester("ann").await;
    let made = app.post("/api/v1/models", &ann.key, json!({"name": "new", "type": "KnowledgeQA", "source": "local"})).await.data();
    app.work();
    let tasks = app.get(&format!("{ROOT}/ollama/download/tasks"), &ann.key).await.data();
    assert_eq!(ended(&app, &ann, tasks[0]["id"].as_str().expect("an id")).await["status"], "completed");
    let path = format!("/api/v1/models/{}", made["id"].as_str().expect("an id"));
    assert_eq!(app.get(&path, &ann.key).await.data()["status"], "active");
}

#[tokio::test]
async fn nothing_is_fetched_for_a_deleted_tenant() {
    let app = app_with(InitializationSettings::default(), installed(&[])).await;
    let ann = app.tester("ann").await;
    let (tell, pull) = mpsc::channel(8);
    *app.models.pull.lock().expect("free") = Some(pull);
    for name in ["runs", "waits"] {
        app.post("/api/v1/models", &ann.key, json!({"name": name, "type": "KnowledgeQA", "source": "local"})).await.data();
    }
    let store = app.state.library.store();
    app.delete(&format!("/api/v1/tenants/{}", ann.tenant_id), &ann.key).await;
    app.state.initialization.downloads().recover().await.expect("reads");
    let pulls = store.list_pulls(TenantId(ann.tenant_id)).await.expect("reads");
    assert_eq!(pulls.len(), 2);
    for job in pulls {
        assert_eq!((job.state, job.error.as_str()), (crate::domain::JobState::Failed, "the tenant was deleted"));
    }
    drop(tell);
}

#[tokio::test]
async fn a_server_of_local_models_that_is_not_there_is_told_unless_it_is_optional() {
    let app = app().await;
    let ann = app.tester("ann").await;
    let status = app.get(&format!("{ROOT}/ollama/status"), &ann.key).await.data();
    assert_eq!(
        status,
        json!({"available": false, "error": "Ollama service unavailable: played 1.0.0: no connection", "baseUrl": "http://127.0.0.1:11434/"})
    );
    let gone = (503, 1008, "Ollama服务不可用: played 1.0.0: no connection".to_owned(), Value::Null);
    assert_eq!(app.get(&format!("{ROOT}/ollama/models"), &ann.key).await.failure(), gone);
    let check = format!("{ROOT}/ollama/models/check");
    assert_eq!(app.post(&check, &ann.key, json!({"models": ["a"]})).await.failure(), gone);
    assert_eq!(app.post(&check, &ann.key, json!({"models": []})).await.data(), json!({"models": {}}));
    assert_eq!(app.post(&format!("{ROOT}/ollama/models/download"), &ann.key, json!({"modelName": "a"})).await.failure(), gone);

    let app =
        app_with(InitializationSettings { ollama_optional: true, ..InitializationSettings::default() }, PlayedModels::default()).await;
    let ann = app.tester("ann").await;
    let status = app.get(&format!("{ROOT}/ollama/status"), &ann.key).await.data();
    assert_eq!(status, json!({"available": false, "version": "unavailable", "baseUrl": "http://127.0.0.1:11434/"}));
    assert_eq!(app.post(&check, &ann.key, json!({"models": ["a"]})).await.data(), json!({"models": {"a": false}}));
    let kb = a_kb(&app, &ann).await;
    let saved = save(&app, &ann, &kb, with(json!({"llm": {"source": "local", "modelName": "m"}}))).await.data();
    assert_eq!(saved["models"][0]["status"], "active");
}

#[tokio::test]
async fn bad_requests_of_the_helpers_are_400() {
    let app = app_with(InitializationSettings::default(), installed(&[])).await;
    let ann = app.tester("ann").await;
    let required = |field: &str| format!("Key: '{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    let named =
        |field: &str| format!("Key: 'RemoteModelCheckRequest.{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    let long = "字".repeat(5_001);
    let many: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    for (path, body, message) in [
        ("ollama/models/check", json!({}), required("Models")),
        ("ollama/models/check", json!({"models": null}), required("Models")),
        ("ollama/models/check", json!({"models": many}), "at most 1000 models can be checked at once".into()),
        ("ollama/models/download", json!({"modelName": ""}), required("ModelName")),
        ("ollama/models/download", json!({"modelName": "a b"}), "\"a b\" is no model name".into()),
        ("ollama/models/download", json!({"modelName": "m".repeat(300)}), "modelName is longer than 255 characters".into()),
        ("remote/check", json!({"modelName": "m"}), named("BaseURL")),
        ("embedding/test", json!({"modelName": "m"}), required("Source")),
        ("rerank/check", json!({"baseUrl": "u"}), required("ModelName")),
        ("extract/text-relation", json!({"text": "t"}), "文本关系提取请求参数错误".into()),
        ("extract/text-relation", json!({"text": "", "tags": ["x"]}), "文本关系提取请求参数错误".into()),
        ("extract/text-relation", json!({"text": 7, "tags": ["x"]}), "文本关系提取请求参数错误".into()),
        ("extract/text-relation", json!({"text": long, "tags": ["x"]}), "文本内容长度不能超过5000字符".into()),
        ("extract/text-relation", json!({"text": "t", "tags": []}), "至少需要选择一个关系标签".into()),
        ("extract/fabri-text", json!({"tags": "x"}), "生成示例文本请求参数错误".into()),
        ("multimodal/test", json!({}), "VLM模型名称和Base URL不能为空".into()),
    ] {
        let answer = app.post(&format!("{ROOT}/{path}"), &ann.key, body.clone()).await;
        assert_eq!(answer.failure(), (400, 1000, message, Value::Null), "{path} {body}");
    }
}

#[tokio::test]
async fn probes_tell_failures_in_the_providers_words_without_the_key() {
    let app = app().await;
    let ann = app.tester("ann").await;
    let body = json!({"source": "remote", "modelName": "m", "baseUrl": "https://a.example", "apiKey": "sk-secret-of-a-test"});
    let fail = |kind| app.models.faults.lock().expect("free").push(kind);
    fail(ProviderErrorKind::Upstream);
    let chat = app.post(&format!("{ROOT}/remote/check"), &ann.key, body.clone()).await.data();
    assert_eq!(chat, json!({"available": false, "message": "连接失败: played 1.0.0: it was told to fail with ***"}));
    fail(ProviderErrorKind::Upstream);
    let embedding = app.post(&format!("{ROOT}/embedding/test"), &ann.key, body.clone()).await.data();
    assert_eq!(embedding, json!({"available": false, "message": "调用Embedding失败: played 1.0.0: it was told to fail", "dimension": 0}));
    fail(ProviderErrorKind::Upstream);
    let rerank = app.post(&format!("{ROOT}/rerank/check"), &ann.key, body).await.data();
    assert_eq!(rerank, json!({"available": false, "message": "重排测试失败: played 1.0.0: it was told to fail"}));
    let unknown = app.post(&format!("{ROOT}/embedding/test"), &ann.key, json!({"source": "magic", "modelName": "m"})).await.data();
    assert_eq!(unknown["message"], "创建Embedder失败: unsupported embedder source: magic");
    assert_eq!(app.models.embedded.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn relations_are_taken_from_what_the_model_says() {
    let says = "```json\n[{\"entity\":\"a\",\"entity_attributes\":[\"x\"]},{\"entity1\":\"a\",\"entity2\":\"b\",\"relation\":\"knows\"},\
                {\"entity1\":\"a\",\"entity2\":\"b\",\"relation\":\"hates\"},]\n```";
    let app = app_with(InitializationSettings::default(), PlayedModels { summary: Some(says.into()), ..PlayedModels::default() }).await;
    let ann = app.tester("ann").await;
    let llm = json!({"source": "remote", "modelName": "m", "baseUrl": "https://a.example"});
    let body = json!({"text": "a knows b", "tags": ["knows"], "llmConfig": llm});
    let data = app.post(&format!("{ROOT}/extract/text-relation"), &ann.key, body).await.data();
    assert_eq!(
        data,
        json!({"nodes": [{"name": "a", "attributes": ["x"]}, {"name": "b"}], "relations": [{"node1": "a", "node2": "b", "type": "knows"}]})
    );
    let asked = app.models.asked.lock().expect("free").pop().expect("a request");
    let told = format!("{:?}", asked.messages);
    assert!(told.contains("knows") && told.contains("a knows b") && !told.contains("{tags}"), "{told}");
    assert_eq!((asked.options.max_tokens, asked.options.thinking), (Some(4_096), Some(false)));

    let text = app.post(&format!("{ROOT}/extract/fabri-text"), &ann.key, json!({"tags": ["x"], "llmConfig": llm})).await.data();
    assert_eq!(text, json!({"text": says}));
    let unknown = app.post(&format!("{ROOT}/extract/fabri-text"), &ann.key, json!({})).await.data();
    assert_eq!(unknown, json!({"success": false, "message": "unsupported chat model source: "}));
    let tags = app.call(Method::POST, &format!("{ROOT}/extract/fabri-tag"), &[("x-api-key", &ann.key)], "not { JSON").await.data();
    assert!((1..10).contains(&tags["tags"].as_array().expect("a list").len()));
}

const BOUNDARY: &str = "multipart/form-data; boundary=x";

fn field(name: &str, value: &str) -> String {
    format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn picture(media_type: &str, bytes: usize) -> String {
    let head = format!("--x\r\ncontent-disposition: form-data; name=\"image\"; filename=\"p.png\"\r\ncontent-type: {media_type}\r\n\r\n");
    format!("{head}{}\r\n", "p".repeat(bytes))
}

#[tokio::test]
async fn a_picture_is_shown_to_the_model_after_the_contracts_checks() {
    let app =
        app_with(InitializationSettings::default(), PlayedModels { summary: Some(" a cat ".into()), ..PlayedModels::default() }).await;
    let ann = app.tester("ann").await;
    let send = async |parts: &str| {
        let headers = [("x-api-key", ann.key.as_str()), ("content-type", BOUNDARY)];
        app.call(Method::POST, &format!("{ROOT}/multimodal/test"), &headers, format!("{parts}--x--\r\n")).await
    };
    let vlm = format!("{}{}", field("vlm_model", "v"), field("vlm_base_url", "https://v.example"));
    let minio = format!("{vlm}{}{}", field("storage_type", "MinIO"), field("minio_bucket_name", "b"));
    for (parts, message) in [
        (field("vlm_model", "v"), "VLM模型名称和Base URL不能为空"),
        (vlm.clone(), "无效的存储类型"),
        (format!("{vlm}{}", field("storage_type", "cos")), "COS配置信息不能为空"),
        (format!("{vlm}{}", field("storage_type", "minio")), "MinIO配置信息不能为空"),
        (minio.clone(), "获取上传图片失败"),
        (format!("{minio}{}", picture("text/plain", 3)), "只允许上传图片文件"),
        (format!("{minio}{}", picture("image/png", (10 << 20) + 1)), "图片文件大小不能超过10MB"),
    ] {
        assert_eq!(send(&parts).await.failure(), (400, 1000, message.into(), Value::Null));
    }
    let cut =
        app.call(Method::POST, &format!("{ROOT}/multimodal/test"), &[("x-api-key", &ann.key), ("content-type", BOUNDARY)], "--x").await;
    assert_eq!(cut.failure().2, "表单参数解析失败");
    let answer = send(&format!("{minio}{}", picture("image/png", 3))).await.data();
    assert_eq!((&answer["success"], &answer["caption"], &answer["ocr"]), (&json!(true), &json!("a cat"), &json!("a cat")));
    app.models.faults.lock().expect("free").push(ProviderErrorKind::Upstream);
    let failed = send(&format!("{minio}{}", picture("image/png", 3))).await.data();
    assert_eq!(failed["success"], false);
    assert!(failed["message"].as_str().expect("a message").contains("it was told to fail"), "{failed}");
}

#[tokio::test]
async fn the_routes_of_the_earlier_version_set_a_tenant_up() {
    let app = app().await;
    let ann = app.tester("ann").await;
    for path in [format!("{ROOT}/config"), "/api/v1/test-data".to_owned()] {
        assert_eq!(app.get(&path, &ann.key).await.failure(), (404, 1003, "获取知识库信息失败".into(), Value::Null));
    }
    let path = format!("{ROOT}/initialize");
    let answer = app.post(&path, &ann.key, with(json!({"nodeExtract": {"enabled": true}}))).await;
    assert_eq!(answer.json()["message"], "系统初始化成功");
    let first = answer.data();
    assert_eq!((&first["tenant"]["id"], &first["knowledge_base"]["name"]), (&json!(ann.tenant_id), &json!("Default Knowledge Base")));
    let again = app.post(&path, &ann.key, with(json!({"llm": {"source": "remote", "modelName": "two"}}))).await.data();
    assert_eq!((&again["knowledge_base"]["id"], own_models(&app, &ann).await), (&first["knowledge_base"]["id"], 2));
    let shown = app.get(&format!("{ROOT}/config"), &ann.key).await.data();
    assert_eq!((&shown["llm"]["modelName"], &shown["llm"]["apiKey"], shown.get("nodeExtract")), (&json!("two"), &json!("sk-llm"), None));
    let data = app.get("/api/v1/test-data", &ann.key).await.data();
    assert_eq!((&data["tenant"]["id"], &data["knowledge_bases"][0]["id"]), (&json!(ann.tenant_id), &first["knowledge_base"]["id"]));
}
