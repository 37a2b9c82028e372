//! Plugins written in Python and JavaScript: the tutorials done exactly as written, and the examples against scripted services.

use knowhost_plugin_sdk::section::embed_manifest;
use knowhost_tests::{Caller, Server, SseEvent, cargo, needed, plugins_target, provider_apis, repository, script_server};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A piece of a tutorial, in the order of the page.
enum Block {
    /// A file that the reader writes: path and content.
    File(String, String),
    Commands(String),
    /// What the commands before it print, among other things.
    Output(String),
}

/// The blocks of a page. `console` holds what runs in other terminals; the test starts that itself.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut path = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let body = body.join("\n") + "\n";
            match language {
                "sh" => blocks.push(Block::Commands(body)),
                "text" => blocks.push(Block::Output(body.trim().to_owned())),
                "console" => {}
                _ => blocks.push(Block::File(path.take().unwrap_or_else(|| panic!("a {language} block without a path")), body)),
            }
        } else if let Some(named) = line.strip_prefix('`').and_then(|line| line.strip_suffix("`:")) {
            path = Some(named.to_owned());
        }
    }
    blocks
}

/// Does what the page says in the server's folder. `installed` takes the place of a line that fetches tools: those are there already.
fn follow(page: &str, installed: &dyn Fn(&str, &Path) -> bool, service: impl Fn(&Path) -> knowhost_tests::SideServer) {
    let page = std::fs::read_to_string(repository(page)).expect("the page");
    let server = Server::builder().start();
    let folder = server.folder();
    std::os::unix::fs::symlink(repository("").canonicalize().expect("a path"), folder.join("knowhost")).expect("a link");
    let program = folder.join("bin");
    std::fs::create_dir(&program).expect("a folder");
    std::os::unix::fs::symlink(knowhost_tests::knowhost_bin().canonicalize().expect("a path"), program.join("knowhost")).expect("a link");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let (mut running, mut printed) = (None, String::new());
    let mut outputs = 0;
    for block in blocks(&page) {
        match block {
            Block::File(name, content) => {
                let file = folder.join(name);
                std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
                std::fs::write(file, content).expect("written");
            }
            Block::Commands(commands) => {
                let lines: Vec<&str> = commands.lines().filter(|line| !installed(line, folder)).collect();
                let service = running.get_or_insert_with(|| service(folder));
                let script =
                    lines.join("\n").replace("http://127.0.0.1:8080", &server.url()).replace("http://127.0.0.1:9000", service.url());
                let output = Command::new("sh")
                    .args(["-ec", &script])
                    .current_dir(folder)
                    .env("PATH", &path)
                    .env("PYTHONDONTWRITEBYTECODE", "1")
                    .output()
                    .expect("a shell");
                printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{script}\n{printed}");
            }
            Block::Output(text) => {
                outputs += 1;
                assert!(printed.contains(&text), "{text:?} is promised, but this came:\n{printed}");
            }
        }
    }
    assert!(outputs >= 3, "the page shows what comes of it");
}

#[test]
fn python_tutorial_works_as_written() {
    let python = needed("KNOWHOST_TEST_GUEST_PYTHON");
    let venv = Path::new(&python).ancestors().nth(2).expect("a virtual environment").to_owned();
    let installed = |line: &str, folder: &Path| {
        if line == "python3 -m venv poet/venv" {
            std::os::unix::fs::symlink(&venv, folder.join("poet/venv")).ok();
        }
        if line == "mkdir poet" {
            std::fs::create_dir(folder.join("poet")).expect("a folder");
        }
        line == "mkdir poet" || line.starts_with("python3 -m venv ") || line.starts_with("poet/venv/bin/pip install ")
    };
    follow("docs/plugins/python.md", &installed, |folder| {
        // The service is written further down the page than the first commands stand.
        let script = folder.join("poet/service.py");
        let page = std::fs::read_to_string(repository("docs/plugins/python.md")).expect("the page");
        let content = blocks(&page).into_iter().find_map(|block| match block {
            Block::File(name, content) if name == "poet/service.py" => Some(content),
            Block::File(..) | Block::Commands(_) | Block::Output(_) => None,
        });
        std::fs::write(&script, content.expect("the service")).expect("written");
        script_server(&script, &mut Command::new(&python))
    });
}

#[test]
fn javascript_tutorial_works_as_written() {
    let modules = needed("KNOWHOST_TEST_NODE_MODULES");
    let installed = |line: &str, folder: &Path| {
        let fetches = line == "npm install --prefix parrot";
        if fetches {
            let place = folder.join("parrot/node_modules");
            std::fs::create_dir_all(&place).expect("a folder");
            for (name, target) in
                [("knowhost-plugin", repository("plugin-sdk/js")), ("componentize-qjs", Path::new(&modules).join("componentize-qjs"))]
            {
                std::os::unix::fs::symlink(target.canonicalize().expect("a path"), place.join(name)).expect("a link");
            }
        }
        fetches
    };
    follow("docs/plugins/javascript.md", &installed, |folder| {
        let script = folder.join("parrot/service.mjs");
        let page = std::fs::read_to_string(repository("docs/plugins/javascript.md")).expect("the page");
        let content = blocks(&page).into_iter().find_map(|block| match block {
            Block::File(name, content) if name == "parrot/service.mjs" => Some(content),
            Block::File(..) | Block::Commands(_) | Block::Output(_) => None,
        });
        std::fs::write(&script, content.expect("the service")).expect("written");
        script_server(&script, &mut Command::new("node"))
    });
}

/// A server with an example of `examples/plugins` in it, allowed.
fn server_with(name: &str, component: &[u8]) -> Server {
    let server = Server::empty();
    std::fs::create_dir_all(server.data_dir().join("plugins")).expect("a folder");
    std::fs::write(server.data_dir().join(format!("plugins/{name}.wasm")), component).expect("written");
    let allowed = server.run(&["plugin", "allow", name, "--yes"]);
    assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
    server
}

fn built(command: &mut Command, name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.wasm");
    let example = repository("examples/plugins").join(name).canonicalize().expect("a path");
    let output = command.arg(example).arg("-o").arg(&out).output().expect("the build runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(out).expect("built")
}

fn a_model(caller: &Caller, model: &Value) -> String {
    let answer = caller.post("/api/v1/models", model).expect("answered").expect_status(201);
    answer.json["data"]["id"].as_str().expect("an id").to_owned()
}

fn a_note(caller: &Caller) -> String {
    let kb_id = caller.a_kb("Ferry");
    caller.a_knowledge(&kb_id, "note.txt", b"The ferry leaves at seven in the morning.");
    kb_id
}

#[test]
fn anthropic_example_in_python_streams_and_says_why_not() {
    let services = provider_apis();
    let mut build = Command::new(needed("KNOWHOST_TEST_GUEST_PYTHON"));
    let server = server_with("anthropic", &built(build.arg(repository("plugin-sdk/python/build.py")), "anthropic"));
    let caller = server.caller();
    let kb_id = a_note(&caller);
    let row = |name: &str, key: &str| {
        json!({ "name": name, "type": "KnowledgeQA", "source": "anthropic", "is_default": true,
            "parameters": { "base_url": services.url(), "api_key": key } })
    };
    a_model(&caller, &row("claude-test", "test-key"));
    let session_id = caller.a_session(&kb_id);
    let said: String = caller.ask(&session_id, "When does the ferry leave?").iter().map(SseEvent::content).collect();
    assert!(said.starts_with("Grüß dich 你好 😀 (0 pictures): ") && said.contains("The ferry leaves at seven"), "{said}");
    for (name, key, wanted) in [
        ("claude-test", "wrong", "the service answered 401: invalid key"),
        ("limited", "test-key", "the service answered 429: too many requests"),
        ("overloaded", "test-key", "the service answered 529: Overloaded"),
    ] {
        a_model(&caller, &row(name, key));
        let session_id = caller.a_session(&kb_id);
        let request =
            caller.request("POST", &format!("/api/v1/knowledge-chat/{session_id}")).json(&json!({ "query": "When does the ferry leave?" }));
        let answer = caller.send(request).expect("answered");
        assert!(answer.text.contains("anthropic 0.1.0") && answer.text.contains(wanted), "{name}: {}", answer.text);
    }
}

#[test]
fn voyage_example_in_javascript_reranks() {
    let services = provider_apis();
    // The SDK finds the tool beside itself, in the author's folder, or where it is called.
    let place = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(needed("KNOWHOST_TEST_NODE_MODULES"), place.path().join("node_modules")).expect("a link");
    let mut build = Command::new("node");
    build.arg(repository("plugin-sdk/js/build.mjs").canonicalize().expect("a path")).current_dir(place.path());
    let server = server_with("voyage", &built(&mut build, "voyage"));
    reranks(&server, "voyage", &format!("{}/voyage/v1", services.url()), &services, "/voyage/v1/rerank");
}

#[test]
fn jina_example_in_rust_embeds_and_reranks() {
    let services = provider_apis();
    let mut build = cargo(&repository(""));
    build.args(["build", "--profile", "plugin", "--target", "wasm32-wasip2", "-p", "jina", "--target-dir"]).arg(plugins_target());
    let output = build.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+simd128").output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let component = std::fs::read(plugins_target().join("wasm32-wasip2/plugin/jina.wasm")).expect("built");
    let toml = std::fs::read_to_string(repository("examples/plugins/jina/plugin.toml")).expect("a manifest");
    let server = server_with("jina", &embed_manifest(&component, &toml));
    let url = format!("{}/jina/v1", services.url());
    let caller = server.caller();
    let parameters = json!({ "base_url": url, "api_key": "test-key", "embedding_parameters": { "dimension": 32 } });
    let model = a_model(&caller, &json!({ "name": "any", "type": "Embedding", "source": "jina", "parameters": parameters }));
    let body = json!({ "name": "Embedded", "embedding_model_id": model });
    let kb = caller.post("/api/v1/knowledge-bases", &body).expect("answered").expect_status(201);
    let kb_id = kb.json["data"]["id"].as_str().expect("an id");
    let id = caller.a_knowledge(kb_id, "note.txt", b"Gulls follow the plough.");
    assert!(caller.search(kb_id, "What do gulls follow?").iter().any(|hit| hit["knowledge_id"] == id.as_str()));
    reranks(&server, "jina", &url, &services, "/jina/v1/rerank");
}

/// A session whose candidates this plugin ranks answers from them, and the service was asked.
fn reranks(server: &Server, source: &str, base_url: &str, services: &knowhost_tests::SideServer, path: &str) {
    let caller = server.caller();
    let kb_id = a_note(&caller);
    let parameters = json!({ "base_url": base_url, "api_key": "test-key" });
    let model = a_model(&caller, &json!({ "name": "rerank-test", "type": "Rerank", "source": source, "parameters": parameters }));
    let strategy = json!({
        "max_rounds": 5, "enable_rewrite": false, "embedding_top_k": 10, "vector_threshold": 0.3, "keyword_threshold": 0.3,
        "rerank_top_k": 5, "rerank_threshold": 0.3, "rerank_model_id": model,
    });
    let body = json!({ "knowledge_base_id": kb_id, "session_strategy": strategy });
    let session = caller.post("/api/v1/sessions", &body).expect("answered").expect_status(201).json["data"].take();
    let events = caller.ask(session["id"].as_str().expect("an id"), "When does the ferry leave?");
    assert_eq!(events[0].references().len(), 1, "{events:?}");
    let counts = Caller::new(services.url(), None).get("/").expect("answered").json;
    assert!(counts[path].as_u64().is_some_and(|count| count > 0), "{counts}\n{}", server.log());
}
