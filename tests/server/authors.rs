//! The tools for plugin authors as they use them: the tutorial as written, every template, and a new version in a running server.

use knowhost_tests::{Server, count, knowhost_bin, needed, plugins_target, repository, wait_for};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

/// The fenced blocks of a page, in order: language and text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (language, after) = after.split_once('\n').expect("a line end");
        let (text, after) = after.split_once("\n```").expect("an end");
        found.push((language.to_owned(), text.to_owned() + "\n"));
        rest = after;
    }
    found
}

/// A command in the server's folder that can also build plugins: with Rust, without the network, and with a target folder that is kept.
fn author(server: &Server, program: &str, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program);
    let home = std::env::var("HOME").unwrap_or_default();
    let or_home = |name: &str, place: &str| std::env::var(name).unwrap_or_else(|_| format!("{home}/{place}"));
    let bin = knowhost_bin().parent().expect("a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    command.args(arguments).current_dir(folder).env_clear().env("PATH", path).env("HOME", server.data_dir());
    command.env("CARGO_HOME", or_home("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", or_home("RUSTUP_HOME", ".rustup"));
    command.env("CARGO_TARGET_DIR", plugins_target().join("authors")).env("CARGO_NET_OFFLINE", "true");
    command.env("KNOWHOST_DATA_DIR", server.data_dir()).stdin(Stdio::null());
    command
}

fn succeeds(mut command: Command) -> Output {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    output
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

/// The tests that build with Rust share a target folder, and two builds of plugins of one name would take each other's files.
static TARGET: Mutex<()> = Mutex::new(());

#[test]
fn tutorial_for_rust_works_as_written() {
    let _alone = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
    let page = std::fs::read_to_string(repository("docs/plugins/rust.md")).expect("the tutorial");
    let server = Server::empty();
    let folder = tempfile::tempdir().expect("a folder");
    let (port, address) = (free_port().to_string(), server.url().trim_start_matches("http://").to_owned());
    let lock = repository("Cargo.lock").canonicalize().expect("a path");
    let mut script = "set -e\ntrap 'kill $! 2>/dev/null || true' EXIT\n".to_owned();
    for (language, text) in blocks(&page) {
        let text = text.replace("8090", &port).replace("127.0.0.1:8080", &address);
        let file = match language.as_str() {
            "sh" => {
                // The server under test has its data elsewhere, and the versions are those that are built here anyway.
                let text = text.replace("\"$PWD/data\"", &server.data_dir().display().to_string());
                script += &text.replace("cd letter-bins\n", &format!("cd letter-bins\ncp {} Cargo.lock\n", lock.display()));
                if text.contains("service.py") {
                    script += &format!("for try in $(seq 100); do curl -s http://127.0.0.1:{port} >/dev/null && break; sleep 0.1; done\n");
                }
                continue;
            }
            "python" => "service.py",
            "toml" => "plugin.toml",
            "rust" => "src/lib.rs",
            "text" => continue,
            other => panic!("what is to be done with a block of {other:?}?"),
        };
        script += &format!("cat > {file} <<'END_OF_FILE'\n{text}END_OF_FILE\n");
    }
    // What runs on behind the script would keep its output open.
    let script = script.replace(" &\n", " >/dev/null 2>&1 &\n");
    let done = succeeds(author(&server, "bash", &["-c", &script], folder.path()));
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("0 failed") && said.contains("Allowed letter-bins 0.1.0"), "{said}");
    let badge = std::fs::read_to_string(folder.path().join("letter-bins/conforms.svg")).expect("a badge");
    assert!(badge.contains("conforms"), "{badge}");
    for file in std::fs::read_dir(folder.path().join("letter-bins/exchanges")).expect("recordings").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a recording");
        assert!(!text.contains("a-key-for-trying"), "{} holds the key", file.path().display());
    }

    let caller = server.caller();
    let models = caller.get("/api/v1/models").expect("answered").expect_status(200);
    let is_ours = |model: &&Value| model["source"] == "letter-bins";
    assert!(models.json["data"].as_array().expect("a list").iter().any(|model| is_ours(&model)), "{}", models.text);
}

#[test]
fn every_template_is_built_tested_and_passes_the_check_on_the_first_try() {
    let _alone = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::empty();
    let folder = tempfile::tempdir().expect("a folder");
    let knowhost = knowhost_bin().display().to_string();
    for kind in ["embedder", "reranker", "chat-model", "catalogue", "tokenizer"] {
        let name = format!("a-{kind}");
        succeeds(author(&server, &knowhost, &["plugin", "new", &name, "--kind", kind], folder.path()));
        let place = folder.path().join(&name);
        std::fs::copy(repository("Cargo.lock"), place.join("Cargo.lock")).expect("copied");
        succeeds(author(&server, "cargo", &["test", "--quiet"], &place));
        let built = succeeds(author(&server, &knowhost, &["plugin", "build", "--json"], &place));
        let built: Value = serde_json::from_slice(&built.stdout).expect("JSON");
        assert_eq!(built["kinds"], json!([kind]));
        let checked = succeeds(author(&server, &knowhost, &["plugin", "check", &format!("{name}.wasm"), "--json"], &place));
        let report: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
        assert!(report["ok"] == true && report["passed"].as_u64() > Some(8), "{report}");
    }
    let again =
        author(&server, &knowhost, &["plugin", "new", "a-tokenizer", "--kind", "tokenizer"], folder.path()).output().expect("it runs");
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("is there already"));
    new_version_is_taken_up(&server, &folder.path().join("a-tokenizer"));
}

/// A new plugin whose tools are linked to, because they are there already: what is missing is told before, and then it builds.
fn template_works(language: &str, kind: &str, links: &[(&str, &Path)], test: &[&str]) {
    let server = Server::empty();
    let folder = tempfile::tempdir().expect("a folder");
    let knowhost = knowhost_bin().display().to_string();
    let name = format!("a-{kind}");
    succeeds(author(&server, &knowhost, &["plugin", "new", &name, "--kind", kind, "--lang", language], folder.path()));
    let place = folder.path().join(&name);
    let early = author(&server, &knowhost, &["plugin", "build"], &place).output().expect("it runs");
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(!early.status.success() && said.contains(" is missing; run: "), "{said}");
    for (link, target) in links {
        let link = place.join(link);
        std::fs::create_dir_all(link.parent().expect("a parent")).expect("a folder");
        std::os::unix::fs::symlink(target, link).expect("a link");
    }
    succeeds(author(&server, test[0], &test[1..], &place));
    let built = succeeds(author(&server, &knowhost, &["plugin", "build", "--json"], &place));
    let built: Value = serde_json::from_slice(&built.stdout).expect("JSON");
    assert_eq!(built["kinds"], json!([kind]));
    let checked = succeeds(author(&server, &knowhost, &["plugin", "check", &format!("{name}.wasm"), "--json"], &place));
    let report: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert!(report["ok"] == true && report["passed"].as_u64() > Some(8), "{report}");
}

#[test]
fn every_template_in_javascript_works_on_the_first_try() {
    if count("guest_templates") == 0 {
        eprintln!("not built with these counts; tests/nightly does");
        return;
    }
    let tool = Path::new(&needed("KNOWHOST_TEST_NODE_MODULES")).join("componentize-qjs");
    let links = [("node_modules/componentize-qjs", tool.as_path()), ("node_modules/knowhost-plugin", Path::new("../sdk"))];
    for kind in ["embedder", "reranker", "chat-model", "catalogue", "tokenizer"] {
        template_works("js", kind, &links, &["node", "--test", "plugin.test.js"]);
    }
}

#[test]
fn templates_in_python_work_on_the_first_try() {
    if count("guest_templates") == 0 {
        eprintln!("not built with these counts; tests/nightly does");
        return;
    }
    let python = needed("KNOWHOST_TEST_GUEST_PYTHON");
    let environment = Path::new(&python).ancestors().nth(2).expect("a virtual environment");
    for kind in ["embedder", "chat-model"] {
        template_works("python", kind, &[("venv", environment)], &["venv/bin/python", "-m", "pytest", "-q"]);
    }
}

/// The second build with `--install` needs no question, because it asks for nothing new; a broken manifest names its line.
fn new_version_is_taken_up(server: &Server, folder: &Path) {
    let knowhost = knowhost_bin().display().to_string();
    let build = |arguments: &[&str]| author(server, &knowhost, &[&["plugin", "build", "--json"], arguments].concat(), folder);
    let last = |output: Output| -> Value {
        let text = String::from_utf8(output.stdout).expect("text");
        serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
    };
    assert_eq!(last(succeeds(build(&["--install"])))["allowed"], false, "nobody was there to ask");
    assert_eq!(last(succeeds(build(&["--install", "--yes"])))["allowed"], true);
    let manifest = folder.join("plugin.toml");
    let toml = std::fs::read_to_string(&manifest).expect("a manifest");
    std::fs::write(&manifest, toml.replace("0.1.0", "0.2.0")).expect("written");
    assert_eq!(last(succeeds(build(&["--install"])))["allowed"], true);
    wait_for("the new version", || {
        let listed = server.run(&["plugin", "list", "--json"]);
        String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.contains("\"a-tokenizer\"") && line.contains("0.2.0")).then_some(())
    });
    std::fs::write(&manifest, toml.replace("profile = \"compute\"", "profile = \"fast\"")).expect("written");
    let broken = build(&[]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&broken.stderr).contains("plugin.toml:6: `profile`"), "{}", String::from_utf8_lossy(&broken.stderr));
    let removed = server.run(&["plugin", "remove", "a-tokenizer", "--yes"]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    let doctor = server.run(&["plugin", "doctor"]);
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
}
