//! Plugins of others in a running server: they wait, are allowed, answer, are replaced and denied, without a restart.

use knowhost_tests::{Caller, Server, SseEvent, component, component_with, library, wait_for};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn text(events: &[SseEvent]) -> String {
    events.iter().map(SseEvent::content).collect()
}

fn put(server: &Server, bytes: &[u8]) {
    std::fs::create_dir_all(server.data_dir().join("plugins")).expect("a folder");
    std::fs::write(server.data_dir().join("plugins/hostile.wasm"), bytes).expect("written");
}

/// Runs `knowhost plugin ...` and gives its JSON lines.
fn plugin(server: &Server, arguments: &[&str]) -> Vec<Value> {
    let output = server.run(&[&["plugin", "--json"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn state(server: &Server, name: &str) -> Value {
    plugin(server, &["list"]).into_iter().find(|plugin| plugin["name"] == name).expect("listed")
}

fn a_row(caller: &Caller, name: &str, parameters: &Value) -> String {
    let model = json!({ "name": name, "type": "KnowledgeQA", "source": "hostile", "is_default": true, "parameters": parameters });
    let made = caller.post("/api/v1/models", &model).expect("answered").expect_status(201);
    made.json["data"]["id"].as_str().expect("an id").to_owned()
}

fn a_session(caller: &Caller) -> String {
    let kb_id = caller.a_kb("Plugins");
    caller.a_knowledge(&kb_id, "note.txt", b"The ferry leaves at seven in the morning.");
    caller.a_session(&kb_id)
}

const QUESTION: &str = "When does the ferry leave?";

#[test]
fn plugin_is_allowed_replaced_and_denied_while_the_server_runs() {
    let server = Server::empty();
    let caller = server.caller();
    put(&server, &component("hostile"));
    assert_eq!(state(&server, "hostile")["state"], "waiting");
    let model = json!({ "name": "harmless", "type": "KnowledgeQA", "source": "hostile" });
    let refused = caller.post("/api/v1/models", &model).expect("answered").expect_status(400);
    assert!(refused.text.contains("unknown model source"), "{}", refused.text);

    let allowed = plugin(&server, &["allow", "hostile", "--yes"]);
    assert_eq!(allowed[0]["state"], "allowed");
    a_row(&caller, "harmless", &json!({}));
    let session = a_session(&caller);
    assert_eq!(text(&caller.ask(&session, QUESTION)), "harmless");

    // Another file under its name: it waits for a new permission, and the old one answers meanwhile.
    put(&server, &component_with("hostile", |toml| toml.replace("version = \"0.1.0\"", "version = \"0.2.0\"")));
    assert_eq!(state(&server, "hostile")["state"], "changed");
    let stop = Arc::new(AtomicBool::new(false));
    let asking = {
        let (caller, session, stop) = (caller.clone(), session.clone(), stop.clone());
        std::thread::spawn(move || {
            let mut answers = 0;
            while answers == 0 || !stop.load(Ordering::Relaxed) {
                assert_eq!(text(&caller.ask(&session, QUESTION)), "harmless", "no call fails");
                answers += 1;
            }
            answers
        })
    };
    assert_eq!(plugin(&server, &["allow", "hostile", "--yes"])[0]["version"], "0.2.0");
    assert_eq!(text(&caller.ask(&session, QUESTION)), "harmless");
    let back = plugin(&server, &["rollback", "hostile"]);
    assert_eq!((&back[0]["version"], &back[0]["previous"]["version"]), (&json!("0.1.0"), &json!("0.2.0")));
    assert_eq!(state(&server, "hostile")["state"], "allowed", "the file in the folder is the old one again");
    assert_eq!(plugin(&server, &["rollback", "hostile"])[0]["version"], "0.2.0");
    stop.store(true, Ordering::Relaxed);
    eprintln!("{} answers while the plugin was replaced", asking.join().expect("no call failed"));

    let narrowed = plugin(&server, &["grant", "hostile", "--no-hosts"]);
    assert_eq!(narrowed[0]["granted"]["allowed_hosts"], json!([]));
    a_row(&caller, "count", &json!({ "base_url": "http://127.0.0.1:9" }));
    let asked = a_session(&caller);
    let request = caller.request("POST", &format!("/api/v1/knowledge-chat/{asked}")).json(&json!({ "query": QUESTION }));
    let denied = caller.send(request).expect("answered").text;
    assert!(denied.contains("is not granted"), "{denied}");
    assert_eq!(plugin(&server, &["grant", "hostile", "--all"])[0]["granted"]["allowed_hosts"], narrowed[0]["allowed_hosts"]);

    plugin(&server, &["deny", "hostile"]);
    assert_eq!(state(&server, "hostile")["state"], "waiting");
    let request = caller.request("POST", &format!("/api/v1/knowledge-chat/{session}")).json(&json!({ "query": QUESTION }));
    let answer = caller.send(request).expect("answered");
    assert!(answer.status >= 400 && answer.text.contains("hostile"), "{} {}", answer.status, answer.text);
}

#[test]
fn only_the_owner_of_the_data_folder_is_the_operator_without_a_key() {
    let mut server = Server::empty();
    let file = server.data_dir().join("secrets/local-key");
    assert_eq!(std::fs::metadata(&file).expect("made").permissions().mode() & 0o777, 0o600);
    let key = std::fs::read_to_string(&file).expect("a key").trim().to_owned();
    for (method, path) in [("GET", "/plugins"), ("POST", "/plugins/echo/allow"), ("POST", "/plugins/echo/deny")] {
        let path = format!("/api/v1{path}");
        let caller = server.caller();
        caller.send(caller.request(method, &path)).expect("answered").expect_status(403);
        let nobody = caller.anonymous();
        nobody.send(nobody.request(method, &path)).expect("answered").expect_status(401);
    }
    let owner = Caller::new(&server.url(), Some(&key));
    owner.get("/api/v1/plugins").expect("answered").expect_status(200);
    owner.get("/api/v1/models").expect("answered").expect_status(403);
    assert!(!server.log().contains(&key));
    assert!(server.stop().success());
    // Nobody serves the folder: the same command works on the files.
    put(&server, &component("hostile"));
    assert_eq!(state(&server, "hostile")["state"], "waiting");
    plugin(&server, &["allow", "hostile", "--yes"]);
    server.start();
    assert_eq!(state(&server, "hostile")["state"], "allowed");
    let old = Caller::new(&server.url(), Some(&key));
    old.get("/api/v1/plugins").expect("answered").expect_status(401);
}

#[test]
fn start_names_the_hosts_of_models_that_plugins_may_not_reach() {
    let mut server = Server::empty();
    let inside = json!({ "name": "m", "type": "KnowledgeQA", "source": "remote", "parameters": { "base_url": "http://10.1.2.3:8000/v1" } });
    server.caller().post("/api/v1/models", &inside).expect("answered").expect_status(201);
    assert!(server.stop().success());
    let before = server.log().len();
    server.start();
    let line = wait_for("the warning", || {
        let log = server.log()[before..].to_owned();
        log.lines().find(|line| line.contains("KNOWHOST_PRIVATE_HOSTS=")).map(str::to_owned)
    });
    assert!(line.contains("KNOWHOST_PRIVATE_HOSTS=10.1.2.3 into .env"), "{line}");
    assert!(line.contains("\"level\":\"WARN\""), "{line}");
}

#[test]
fn second_start_compiles_nothing() {
    let mut server = Server::empty();
    assert!(server.stop().success());
    let first = server.log();
    server.start();
    let log = wait_for("the second start's log", || {
        let second = server.log()[first.len()..].to_owned();
        second.contains("is ready after").then_some(second)
    });
    let loads = |log: &str| -> Vec<(String, u64)> {
        let lines =
            log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(|line| line["message"] == "plugin loaded");
        lines.map(|line| (line["from"].as_str().expect("a word").to_owned(), line["load_us"].as_u64().expect("microseconds"))).collect()
    };
    let (cold, warm) = (loads(&first), loads(&log));
    eprintln!("first start {cold:?}, second {warm:?}");
    assert_eq!((cold.len(), warm.len()), (6, 6), "six plugins ship");
    assert!(cold.iter().all(|(from, _)| from == "Compiler") && warm.iter().all(|(from, _)| from == "Cache"), "{warm:?}");
    let sum = |loads: &[(String, u64)]| loads.iter().map(|(_, time)| time).sum::<u64>();
    assert!(sum(&warm) * 3 < sum(&cold), "loading took {} us, compiling {} us", sum(&warm), sum(&cold));
}

#[test]
fn plugin_calls_the_models_of_its_tenant_and_no_others() {
    let server = Server::empty();
    let (owner, other) = (server.caller(), server.stranger("other"));
    put(&server, &component("hostile"));
    plugin(&server, &["allow", "hostile", "--yes"]);
    let foreign = other.post("/api/v1/models", &json!({ "name": "tiny", "type": "Embedding", "source": "embedder-local" }));
    let foreign = foreign.expect("answered").expect_status(201).json["data"]["id"].as_str().expect("an id").to_owned();
    let own = owner.post("/api/v1/models", &json!({ "name": "knowhost-extract", "type": "KnowledgeQA", "source": "chat-extractive" }));
    let own = own.expect("answered").expect_status(201).json["data"]["id"].as_str().expect("an id").to_owned();
    let session = a_session(&owner);
    let report_with = |row: &str| {
        let id = a_row(&owner, "models", &json!({ "other": row }));
        let report = text(&owner.ask(&session, QUESTION));
        owner.delete(&format!("/api/v1/models/{id}")).expect("answered").expect_status(200);
        report
    };
    let line = |report: &str, way: &str| {
        let found = report.lines().find(|line| line.starts_with(&format!("{way}: ")));
        found.unwrap_or_else(|| panic!("{way} in {report}")).to_owned()
    };
    let report = report_with(&foreign);
    assert!(line(&report, "embed").contains("numbers in rows of"), "{report}");
    assert!(line(&report, "rerank").contains("2 scores, rising false"), "{report}");
    // The default chat model of this tenant is the plugin itself.
    assert!(line(&report, "chat").contains("Denied") && line(&report, "chat").contains("hostile calls hostile"), "{report}");
    for way in ["other embed", "other chat"] {
        let line = line(&report, way);
        assert!(line.contains("Denied") && line.contains("model not found") && line.contains(&foreign), "{report}");
    }
    assert!(line(&report, "mixed").contains("Denied"), "{report}");
    let report = report_with(&own);
    let said = line(&report, "other chat");
    let said = said.strip_prefix("other chat: text ").unwrap_or_else(|| panic!("{report}"));
    assert!(said.len() <= 16 + 2, "one token was allowed: {report}");
    assert!(line(&report, "other embed").contains("KnowledgeQA"), "a chat model does not embed: {report}");

    // The same plugin without the line is denied, with the line that it would need.
    put(&server, &component_with("hostile", |toml| toml.replace("allowed_models = [\"chat\", \"embed\", \"rerank\"]", "")));
    plugin(&server, &["allow", "hostile", "--yes"]);
    let report = report_with(&own);
    for kind in ["embed", "rerank", "chat"] {
        let line = line(&report, kind);
        assert!(line.contains(&format!("allowed_models = [\"{kind}\"]")) && line.contains("knowhost plugin allow hostile"), "{report}");
    }
}

#[test]
fn secret_in_the_address_stands_in_no_log_and_no_answer() {
    // All but the compiler, which would tell every instruction.
    const LOUD: &str = "info,knowhost=trace,hyper=trace,hyper_util=trace,reqwest=trace,h2=trace,sqlx=trace,rustls=trace";
    let secret = "sk-0123456789-never-to-be-seen";
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("KNOWHOST_LOG", LOUD).start();
    let caller = server.caller();
    put(&server, &component("hostile"));
    plugin(&server, &["allow", "hostile", "--yes"]);
    // A server that writes down what it hears, and hangs up on every second request.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let (send, heard) = std::sync::mpsc::sync_channel(64);
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let (mut stream, mut bytes) = (stream, [0; 16_384]);
            let read = stream.read(&mut bytes).unwrap_or(0);
            let _ = send.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
            if number % 2 == 0 {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine");
            }
        }
    });
    a_row(&caller, "leak", &json!({ "base_url": base_url, "api_key": secret }));
    let session = a_session(&caller);
    let mut answers = String::new();
    for _ in 0..3 {
        answers.push_str(&text(&caller.ask(&session, QUESTION)));
    }
    let heard: Vec<String> = heard.try_iter().collect();
    assert!(heard.iter().any(|request| request.starts_with(&format!("GET /?stolen={secret} "))), "{heard:?}");
    for request in &heard {
        for line in request.lines().filter(|line| line.contains(secret)) {
            assert!(
                line == format!("GET /?stolen={secret} HTTP/1.1") || line.to_lowercase().starts_with("authorization: bearer "),
                "{line}"
            );
        }
    }
    assert!(!answers.contains(secret), "{answers}");
    let log = server.log();
    assert!(log.contains("TRACE"), "the log tells everything");
    let told: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn native_library_is_refused_until_it_is_allowed_as_one_and_loads_at_the_next_start() {
    let mut server = Server::empty();
    let caller = server.caller();
    std::fs::create_dir_all(server.data_dir().join("plugins")).expect("a folder");
    std::fs::copy(library("echo"), server.data_dir().join("plugins/echo.so")).expect("copied");
    let shown = state(&server, "echo");
    assert_eq!((&shown["state"], &shown["form"]), (&json!("native_refused"), &json!("native")));
    let refused = server.run(&["plugin", "allow", "echo", "--yes"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("knowhost plugin allow echo --native"), "{said}");
    assert_eq!(plugin(&server, &["allow", "echo", "--native", "--yes"])[0]["state"], "allowed");
    let model = json!({ "name": "echo", "type": "KnowledgeQA", "source": "echo", "is_default": true });
    caller.post("/api/v1/models", &model).expect("answered").expect_status(201);
    let session = a_session(&caller);
    // It says its prompt back, which ends with the question.
    let says_the_question = |answer: String| assert!(answer.ends_with(QUESTION), "{answer}");
    says_the_question(text(&caller.ask(&session, QUESTION)));
    server.stop();
    server.start();
    let again = state(&server, "echo");
    assert_eq!((&again["state"], &again["loaded_from"]), (&json!("allowed"), &json!("library")));
    says_the_question(text(&server.caller().ask(&session, QUESTION)));
}
