//! The reference's recorded answers, asked of the real binary and compared field by field.
//!
//! What differs on purpose stands in `docs/deviations.json` with its reason. Not here: input that was not recorded (the files per route).

use knowhost_tests::{Answer, Caller, Recording, Server, SideServer, events, recorded_models, repository};
use serde_json::{Value, json};

struct Replay {
    server: Server,
    models: SideServer,
    recording: Recording,
}

impl Replay {
    fn start() -> Self {
        let models = recorded_models();
        let address = models.url().trim_start_matches("http://").to_owned();
        let server = Server::builder()
            .env("KNOWHOST_SAMPLE", "false")
            .env("OLLAMA_BASE_URL", models.url())
            .env("KNOWHOST_PRIVATE_HOSTS", "127.0.0.1")
            .start();
        // The first tenant is the one of the start.
        let recording = Recording::load(&[("10001", "10002"), ("10000", "10001"), ("127.0.0.1:58099", &address)]);
        Self { server, models, recording }
    }

    fn caller(&self, auth: &Value) -> Caller {
        let anonymous = self.server.caller().anonymous();
        match auth.as_str() {
            Some("key") => Caller::new(&self.server.url(), Some(self.recording.known("<key>"))),
            Some("jwt") => anonymous.with_bearer(self.recording.known("<jwt>")),
            Some(other) => panic!("unknown auth {other}"),
            None => anonymous,
        }
    }

    /// Asks a step and compares status, headers and body.
    fn step(&mut self, name: &str) {
        let answer = self.ask(name);
        let recorded = self.recording.step(name);
        if json!(answer.status) != recorded["status"] {
            self.recording.differs(name, format!("status {} instead of {}: {}", answer.status, recorded["status"], answer.text));
        }
        let wanted = match recorded["type"].as_str().expect("a type") {
            "application/json" => "application/json; charset=utf-8",
            "text/event-stream" => "text/event-stream;charset=utf-8",
            other => panic!("{name} has the type {other}"),
        };
        let kind = answer.header("content-type").unwrap_or_default().to_owned();
        if kind != wanted {
            self.recording.differs(name, format!("content type {kind} instead of {wanted}"));
        }
        if recorded["request_id"] == true && answer.header("x-request-id").is_none_or(str::is_empty) {
            self.recording.differs(name, "no X-Request-ID".to_owned());
        }
        let is_stream = wanted.starts_with("text/event-stream");
        if is_stream && answer.header("cache-control") != Some("no-cache") {
            self.recording.differs(name, format!("cache-control {:?}", answer.header("cache-control")));
        }
        let body = if is_stream { events(&answer.text) } else { answer.json.clone() };
        self.recording.compare(name, &body);
    }

    fn ask(&self, name: &str) -> Answer {
        let recorded = self.recording.step(name);
        let request = &recorded["request"];
        let (method, path) = (request["method"].as_str().expect("a method"), request["path"].as_str().expect("a path"));
        let mut sent = self.caller(&request["auth"]).request(method, &self.recording.filled(path));
        for (header, value) in request["auth"].as_object().into_iter().flatten() {
            sent = sent.header(header, value.as_str().expect("a text"));
        }
        let body = match (request.get("json"), request["raw"].as_str()) {
            (Some(body), _) => {
                sent = sent.header("Content-Type", "application/json");
                let refresh = if name == "refresh" { self.recording.known("<refresh>") } else { "" };
                self.recording.filled(&body.to_string()).replace("<jwt>", refresh)
            }
            (None, Some(raw)) => {
                let multipart = raw.starts_with("--xXboundaryXx");
                sent =
                    sent.header("Content-Type", if multipart { "multipart/form-data; boundary=xXboundaryXx" } else { "application/json" });
                raw.to_owned()
            }
            (None, None) => String::new(),
        };
        let sent = if body.is_empty() { sent } else { sent.body(body) };
        self.server.caller().send(sent).expect("answered")
    }

    fn steps(&mut self, names: &[&str]) {
        for name in names {
            self.step(name);
        }
    }

    /// A request of the scenario that was not kept in the recording; `id` stands for what it makes.
    fn make(&mut self, id: &str, path: &str, body: &Value) {
        let answer = self.caller(&json!("key")).post(path, body).expect("answered");
        let made = answer.json["data"]["id"].as_str().unwrap_or_else(|| panic!("{path}: {}", answer.text)).to_owned();
        self.recording.knows(id, &made);
    }

    fn log_in(&mut self) {
        self.step("login");
        let login = self.ask("login").json;
        for (placeholder, pointer) in [("<jwt>", "/token"), ("<refresh>", "/refresh_token"), ("<key>", "/tenant/api_key")] {
            self.recording.knows(placeholder, login.pointer(pointer).and_then(Value::as_str).expect("a text"));
        }
    }

    fn a_model(&mut self, id: &str, name: &str, kind: &str, api_key: &str) {
        let parameters = json!({ "base_url": format!("{}/v1", self.models.url()), "api_key": api_key });
        let description = format!("{name} model");
        let model = json!({
            "name": name, "type": kind, "source": "remote", "description": description, "parameters": parameters, "is_default": true
        });
        self.make(id, "/api/v1/models", &model);
    }
}

#[test]
fn every_recorded_step_is_answered_as_it_was() {
    let mut replay = Replay::start();
    replay.steps(&["health", "noauth", "badkey", "register", "register-empty"]);
    replay.log_in();
    replay.steps(&["login-wrong", "me", "validate", "refresh", "system-info", "tenant-get", "tenant-create-auth"]);
    replay.a_model("<id1>", "chat-1", "KnowledgeQA", "k-chat");
    replay.step("model-create-embed-1");
    replay.a_model("<id3>", "rerank-1", "Rerank", "k-rr");
    replay.steps(&["model-create-empty", "model-list"]);
    replay.make("<id5>", "/api/v1/knowledge-bases", &Value::Null);
    replay.step("kb-create");
    replay.make("<id7>", "/api/v1/knowledge-bases", &json!({ "name": "kb min" }));
    replay.steps(&["kb-get", "kb-list", "kb-create-bad", "kb-update"]);
    replay.make("<id8>", "/api/v1/knowledge-bases", &json!({ "name": "kb init" }));
    replay.steps(&["init-config-before", "init", "init-config"]);
    replay.steps(&["ollama-status", "ollama-models", "ollama-check", "remote-check", "embedding-test", "rerank-check"]);
    documents(&mut replay);
    talk(&mut replay);
    replay.steps(&["eval-start", "kb-copy", "k-delete", "kb-delete", "logout"]);
    replay.recording.finish();
}

#[test]
fn every_route_that_differs_has_a_row_in_the_table() {
    let (recording, table) = (Recording::load(&[]), std::fs::read_to_string(repository("docs/deviations.md")).expect("the table"));
    for entry in recording.deviations() {
        let step = recording.step(&entry.step);
        let path = step["request"]["path"].as_str().expect("a path").trim_start_matches("/api/v1");
        let route = path.split("/<").next().and_then(|path| path.split('?').next()).unwrap_or_default();
        assert!(table.contains(route), "{route} ({}) has no row in docs/deviations.md", entry.path);
    }
}

fn documents(replay: &mut Replay) {
    replay.steps(&["upload-nofile", "upload"]);
    let key = replay.caller(&json!("key"));
    let completed = key.wait_parsed(replay.recording.known("<id12>"));
    assert_eq!(completed["parse_status"], "completed", "{completed}");
    replay.steps(&["upload-dup", "k-get"]);
    let note = b"The quota of a tenant is ten gigabytes.\n\nA session keeps five rounds.";
    let note = key.a_knowledge(replay.recording.known("<id6>"), "note.txt", note);
    replay.recording.knows("<id13>", &note);
    replay.steps(&["k-list", "k-list-bad", "k-batch", "k-update", "chunks", "chunk-update", "hybrid"]);
}

/// Search, two rounds of a session, and what is left of them.
fn talk(replay: &mut Replay) {
    replay.step("ksearch");
    let kb = json!({ "knowledge_base_id": replay.recording.known("<id6>") });
    replay.make("<id19>", "/api/v1/sessions", &kb);
    replay.steps(&["sess-create-full", "sess-get", "sess-list", "chat"]);
    let session = replay.recording.known("<id20>").to_owned();
    let second = replay.caller(&json!("key")).ask(&session, "And how are plugins limited?");
    assert!(!second.is_empty());
    replay.steps(&["messages", "continue-done", "title", "message-delete"]);
}
