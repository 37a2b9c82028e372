//! Evaluation runs against the real binary with its built-in models and dataset, also across kill -9.

use knowhost_tests::{Caller, Server, wait_for};
use serde_json::{Value, json};

fn start(caller: &Caller, body: Value) -> Value {
    caller.post("/api/v1/evaluation/", &body).expect("answered").expect_status(200).json["data"].take()
}

fn now(caller: &Caller, run: &Value) -> Value {
    let id = run["task"]["id"].as_str().expect("an id");
    caller.get(&format!("/api/v1/evaluation/?task_id={id}")).expect("answered").expect_status(200).json["data"].take()
}

fn ended(caller: &Caller, run: &Value) -> Value {
    wait_for("the end of a run", || Some(now(caller, run)).filter(|run| run["task"]["status"].as_i64() > Some(1)))
}

fn used(caller: &Caller) -> Value {
    caller.get("/api/v1/tenants").expect("answered").json["data"]["items"][0]["storage_used"].clone()
}

#[test]
fn the_built_in_models_do_well_on_the_built_in_dataset() {
    let server = Server::empty();
    let caller = server.caller();
    let run = start(&caller, json!({}));
    let ended = ended(&caller, &run);
    assert_eq!((&ended["task"]["status"], &ended["task"]["finished"]), (&json!(2), &json!(12)), "{ended}");
    let (found, said) = (&ended["metric"]["retrieval_metrics"], &ended["metric"]["generation_metrics"]);
    assert!(found["recall"].as_f64() > Some(0.8) && found["mrr"].as_f64() > Some(0.8), "{ended}");
    assert!(said["rouge1"].as_f64() > Some(0.2), "{ended}");
    assert_eq!(caller.get("/api/v1/knowledge-bases").expect("answered").json["data"], json!([]));
    assert_eq!(used(&caller), json!(0));
    // The same again gives the same to the last digit.
    let again = self::ended(&caller, &start(&caller, json!({ "dataset_id": "default" })));
    assert_eq!(again["metric"], ended["metric"]);
}

#[test]
fn a_run_survives_kill_9_and_leaves_nothing() {
    let mut server = Server::empty();
    let run = start(&server.caller(), json!({}));
    for least in [0, 1, 5] {
        let caller = server.caller();
        wait_for("some progress", || {
            let run = now(&caller, &run);
            let enough = run["task"]["finished"].as_i64().unwrap_or(0) >= least || run["task"]["status"] == 2;
            enough.then_some(())
        });
        server.kill();
        server.start();
    }
    let caller = server.caller();
    let ended = ended(&caller, &run);
    assert_eq!(
        (&ended["task"]["status"], &ended["task"]["finished"], &ended["task"]["total"]),
        (&json!(2), &json!(12), &json!(12)),
        "{ended}"
    );
    assert_eq!(caller.get("/api/v1/knowledge-bases").expect("answered").json["data"], json!([]));
    assert_eq!(used(&caller), json!(0));
}

#[test]
fn a_dead_model_ends_the_run_and_not_the_server() {
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("KNOWHOST_PRIVATE_HOSTS", "127.0.0.1").start();
    let caller = server.caller();
    let model = json!({ "name": "dead", "type": "KnowledgeQA", "source": "remote", "parameters": { "base_url": "http://127.0.0.1:9/v1", "api_key": "k" } });
    let model = caller.post("/api/v1/models", &model).expect("answered").expect_status(201).json["data"]["id"].take();
    let ended = ended(&caller, &start(&caller, json!({ "chat_id": model })));
    assert_eq!(ended["task"]["status"], 3, "{ended}");
    assert!(ended["task"]["err_msg"].as_str().is_some_and(|text| text.contains("remote-api")), "{ended}");
    assert_eq!(caller.get("/api/v1/knowledge-bases").expect("answered").json["data"], json!([]));
}
