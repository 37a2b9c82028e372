//! The tutorial of `plugin-sdk/README.md`, done exactly as written: build, pack, put, allow, ask.

use knowhost_tests::{Server, SseEvent, cargo, plugins_target, repository};
use serde_json::json;
use std::path::Path;

/// The first block of `language` after `heading`.
fn block(readme: &str, heading: &str, language: &str) -> String {
    let after = readme.split_once(heading).unwrap_or_else(|| panic!("no {heading:?}")).1;
    let body = after.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no {language} after {heading:?}")).1;
    body.split_once("\n```").expect("an end").0.to_owned() + "\n"
}

/// Runs a line of the tutorial; only where Cargo keeps what it built is the test's choice.
fn run(line: &str, folder: &Path) {
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[0], "cargo", "{line}");
    let target = plugins_target().join("tutorial");
    let output = cargo(folder).args(&words[1..]).env("CARGO_TARGET_DIR", target).output().expect("cargo runs");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn hello_plugin_of_the_tutorial_works_as_written() {
    let readme = std::fs::read_to_string(repository("plugin-sdk/README.md")).expect("the tutorial");
    let source = block(&readme, "## Hello, plugin", "rust");
    assert!(source.lines().filter(|line| !line.trim().is_empty()).count() <= 20, "twenty lines are promised");
    // A folder with the plugin beside a checkout.
    let folder = tempfile::tempdir().expect("a folder");
    let hello = folder.path().join("hello");
    std::fs::create_dir_all(hello.join("src")).expect("a folder");
    std::os::unix::fs::symlink(repository("").canonicalize().expect("a path"), folder.path().join("knowhost")).expect("a link");
    std::fs::write(hello.join("src/lib.rs"), source).expect("written");
    std::fs::write(hello.join("Cargo.toml"), block(&readme, "`Cargo.toml` beside it", "toml")).expect("written");
    std::fs::write(hello.join("plugin.toml"), block(&readme, "## The manifest", "toml")).expect("written");
    // The versions that are built here anyway, so that nothing is fetched.
    std::fs::copy(repository("Cargo.lock"), hello.join("Cargo.lock")).expect("copied");

    let building = block(&readme, "## Building", "sh");
    let build = building.lines().find(|line| line.starts_with("cargo build")).expect("a line that builds");
    run(build, &hello);
    let built = plugins_target().join("tutorial/wasm32-wasip2/release/hello.wasm");
    std::fs::create_dir_all(hello.join("target/wasm32-wasip2/release")).expect("a folder");
    std::fs::copy(built, hello.join("target/wasm32-wasip2/release/hello.wasm")).expect("built where the tutorial says");
    let rest = readme.split_once("put it there with the SDK's packer").expect("the packer").1;
    let pack = block(rest, "", "sh");
    run(pack.lines().next().expect("a line that packs"), &hello);

    let server = Server::empty();
    std::fs::create_dir_all(server.data_dir().join("plugins")).expect("a folder");
    std::fs::copy(hello.join("hello.wasm"), server.data_dir().join("plugins/hello.wasm")).expect("packed");
    let allowed = server.run(&["plugin", "allow", "hello", "--yes"]);
    assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
    let caller = server.caller();
    let model = json!({ "name": "any", "type": "KnowledgeQA", "source": "hello", "is_default": true });
    caller.post("/api/v1/models", &model).expect("answered").expect_status(201);
    let kb_id = caller.a_kb("Hello");
    caller.a_knowledge(&kb_id, "note.txt", b"The ferry leaves at seven in the morning.");
    let session = caller.a_session(&kb_id);
    let events = caller.ask(&session, "When does the ferry leave?");
    let said: String = events.iter().map(SseEvent::content).collect();
    assert_eq!(said, "Hello, When does the ferry leave?!");
}
