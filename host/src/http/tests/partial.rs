//! Partial updates on every PUT route: each subset of the fields changes those and no others; the whole object changes nothing.
//!
//! Not here: what a single field means.

use super::TestApp;
use super::knowledge::{a_document, a_kb};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

/// A resource that can be read and changed.
struct Resource {
    put: String,
    /// Where its present state is read, and where it stands in `data`.
    get: String,
    at: &'static str,
    /// Field, its pointer in the answer, and values to set it to.
    fields: Vec<(&'static str, &'static str, [Value; 2])>,
    /// Named in every update.
    always: Option<&'static str>,
}

fn field(name: &'static str, pointer: &'static str, values: [Value; 2]) -> (&'static str, &'static str, [Value; 2]) {
    (name, pointer, values)
}

fn texts(a: &str, b: &str) -> [Value; 2] {
    [json!(a), json!(b)]
}

async fn resources(app: &TestApp, key: &str, tenant_id: i64) -> Vec<Resource> {
    let id = |value: Value| value["id"].as_str().expect("an id").to_owned();
    let ann = super::support::Tester { tenant_id, email: String::new(), key: key.to_owned(), token: String::new(), refresh: String::new() };
    let kb = a_kb(app, &ann).await;
    let knowledge = a_document(app, &ann, &kb).await;
    let session = id(app.post("/api/v1/sessions", key, json!({"knowledge_base_id": kb})).await.data());
    let parameters = json!({"base_url": "http://a.example", "api_key": "k", "embedding_parameters": {"dimension": 3}});
    let model = json!({"name": "m", "type": "Embedding", "source": "remote", "parameters": parameters, "is_default": true});
    let model = id(app.post("/api/v1/models", key, model).await.data());
    let chunk = id(app.get(&format!("/api/v1/chunks/{knowledge}"), key).await.data()[0].clone());
    vec![
        a_session(format!("/api/v1/sessions/{session}")),
        a_tenant(format!("/api/v1/tenants/{tenant_id}")),
        a_model(format!("/api/v1/models/{model}")),
        a_knowledge_base(format!("/api/v1/knowledge-bases/{kb}")),
        a_knowledge(format!("/api/v1/knowledge/{knowledge}")),
        a_chunk(format!("/api/v1/chunks/{knowledge}/{chunk}"), format!("/api/v1/chunks/{knowledge}")),
    ]
}

fn a_session(path: String) -> Resource {
    Resource {
        put: path.clone(),
        get: path,
        at: "",
        fields: vec![
            field("title", "/title", texts("a", "b")),
            field("description", "/description", texts("c", "")),
            field("max_rounds", "/max_rounds", [json!(3), json!(0)]),
            field("enable_rewrite", "/enable_rewrite", [json!(false), json!(true)]),
            field("fallback_response", "/fallback_response", texts("d", "e")),
            field("vector_threshold", "/vector_threshold", [json!(0.25), json!(0.75)]),
            field("rerank_top_k", "/rerank_top_k", [json!(7), json!(8)]),
            field("summary_model_id", "/summary_model_id", texts("f", "")),
            field("summary_parameters", "/summary_parameters/temperature", [json!({"temperature": 0.5}), json!({"temperature": 0.75})]),
        ],
        always: None,
    }
}

fn a_tenant(path: String) -> Resource {
    Resource {
        put: path.clone(),
        get: path,
        at: "",
        fields: vec![
            field("name", "/name", texts("a", "b")),
            field("description", "/description", texts("c", "d")),
            field("business", "/business", texts("e", "f")),
            field(
                "retriever_engines",
                "/retriever_engines/engines",
                [json!({"engines": []}), json!({"engines": [{"retriever_engine_type": "postgres", "retriever_type": "vector"}]})],
            ),
        ],
        always: None,
    }
}

fn a_model(path: String) -> Resource {
    Resource {
        put: path.clone(),
        get: path,
        at: "",
        fields: vec![
            field("name", "/name", texts("a", "b")),
            field("description", "/description", texts("c", "d")),
            field("is_default", "/is_default", [json!(false), json!(true)]),
            // The contract replaces them as a whole.
            field(
                "parameters",
                "/parameters",
                [
                    json!({"base_url": "http://b.example", "api_key": "", "embedding_parameters": {"dimension": 4, "truncate_prompt_tokens": 0}}),
                    json!({"base_url": "http://c.example", "api_key": "x", "embedding_parameters": {"dimension": 0, "truncate_prompt_tokens": 9}}),
                ],
            ),
        ],
        always: None,
    }
}

fn a_knowledge_base(path: String) -> Resource {
    Resource {
        put: path.clone(),
        get: path,
        at: "",
        fields: vec![
            field("name", "/name", texts("a", "b")),
            field("description", "/description", texts("c", "")),
            field(
                "config",
                "/image_processing_config/model_id",
                [json!({"image_processing_config": {"model_id": "v"}}), json!({"image_processing_config": {"model_id": "w"}})],
            ),
        ],
        always: Some("name"),
    }
}

fn a_knowledge(path: String) -> Resource {
    Resource {
        put: path.clone(),
        get: path,
        at: "",
        fields: vec![field("title", "/title", texts("a", "b")), field("description", "", texts("x", "y"))],
        always: None,
    }
}

fn a_chunk(put: String, get: String) -> Resource {
    Resource {
        put,
        get,
        at: "/0",
        fields: vec![
            field("content", "/content", texts("a lighthouse", "a harbour")),
            field("is_enabled", "/is_enabled", [json!(false), json!(true)]),
        ],
        always: None,
    }
}

impl Resource {
    async fn read(&self, app: &TestApp, key: &str) -> Value {
        app.get(&self.get, key).await.data().pointer(self.at).expect("the resource").clone()
    }
}

/// The state without what changes with every update.
fn settled(mut state: Value) -> Value {
    state.as_object_mut().expect("an object").remove("updated_at");
    state
}

/// Sets what a named field stands for in the state that was before.
fn set(state: &mut Value, pointer: &str, value: &Value) {
    let inside = pointer.rsplit('/').next().unwrap_or_default();
    let value = match value {
        Value::Object(map) => find(map, inside).unwrap_or(value).clone(),
        other => other.clone(),
    };
    if let Some(place) = state.pointer_mut(pointer)
        && !pointer.is_empty()
    {
        *place = value;
    }
}

fn find<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| map.values().filter_map(Value::as_object).find_map(|inner| find(inner, name)))
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let app = TestApp::new().await;
    app.work();
    let ann = app.tester("ann").await;
    let mut runner = TestRunner::new(Config::default());
    let cases = runner.config().cases.min(64);
    for resource in resources(&app, &ann.key, ann.tenant_id).await {
        let whole = resource.read(&app, &ann.key).await;
        assert_eq!(app.put(&resource.put, &ann.key, whole.clone()).await.status, 200, "{}", resource.put);
        assert_eq!(settled(resource.read(&app, &ann.key).await), settled(whole), "{}: sent back whole", resource.put);
        for _ in 0..cases {
            let choice = proptest::collection::vec(proptest::option::of(0..2_usize), resource.fields.len());
            let choice = choice.new_tree(&mut runner).expect("a choice").current();
            let mut wanted = settled(resource.read(&app, &ann.key).await);
            let mut body = Map::new();
            for ((name, pointer, values), chosen) in resource.fields.iter().zip(choice) {
                let chosen = if resource.always == Some(*name) { Some(chosen.unwrap_or(0)) } else { chosen };
                if let Some(chosen) = chosen {
                    body.insert((*name).to_owned(), values[chosen].clone());
                    set(&mut wanted, pointer, &values[chosen]);
                }
            }
            let body = Value::Object(body);
            let answer = app.put(&resource.put, &ann.key, body.clone()).await;
            assert_eq!(answer.status, 200, "{} {body}: {}", resource.put, answer.text());
            assert_eq!(settled(resource.read(&app, &ann.key).await), wanted, "{} {body}", resource.put);
        }
    }
}
