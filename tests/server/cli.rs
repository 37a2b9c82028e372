//! The command line as people use it.

use knowhost_tests::{Server, knowhost_bin, repository};
use serde_json::Value;
use std::process::{Command, Output, Stdio};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs in a folder without a server.
fn alone(folder: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(knowhost_bin())
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("KNOWHOST_SAMPLE", "false")
        .stdin(Stdio::null())
        .output()
        .expect("the command runs")
}

#[test]
fn import_then_ask_talk_to_the_running_server() {
    let server = Server::empty();
    let corpus = repository("examples/corpus").join("pets.txt");
    let corpus = corpus.to_string_lossy();
    let first = server.run(&["import", &corpus, "--kb", "Ferry"]);
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(stdout(&first).contains("1 files: 1 taken in, 0 already there, 0 failed."), "{}", stdout(&first));
    let again = server.run(&["import", &corpus, "--kb", "Ferry"]);
    assert!(stdout(&again).contains("0 taken in, 1 already there"), "{}", stdout(&again));
    let asked = server.run(&["ask", "What does the pet ticket cost?"]);
    assert!(asked.status.success(), "{}", stderr(&asked));
    assert!(stdout(&asked).contains("five crowns") && stdout(&asked).contains("[1] pets.txt"), "{}", stdout(&asked));
    let json = server.run(&["ask", "What does the pet ticket cost?", "--json"]);
    let json: Value = serde_json::from_str(&stdout(&json)).expect("one JSON value");
    assert!(json["answer"].as_str().expect("a text").contains("five crowns"));
    let list = server.run(&["kb", "list", "--json"]);
    let list: Value = serde_json::from_str(&stdout(&list)).expect("one JSON value");
    assert_eq!((list["name"].as_str(), list["documents"].as_u64()), (Some("Ferry"), Some(1)));
    let deleted = server.run(&["kb", "delete", "Ferry"]);
    assert_eq!(deleted.status.code(), Some(1), "without a terminal nothing is deleted");
    let deleted = server.run(&["kb", "delete", "Ferry", "--yes"]);
    assert!(deleted.status.success(), "{}", stderr(&deleted));
    let key = server.run(&["key"]);
    assert_eq!(stdout(&key).trim(), server.api_key());
    let doctor = server.run(&["doctor"]);
    assert!(doctor.status.success() && stdout(&doctor).contains("All is well."), "{}{}", stdout(&doctor), stderr(&doctor));
    let model = serde_json::json!({
        "name": "inside", "type": "KnowledgeQA", "source": "remote", "parameters": { "base_url": "http://10.1.2.3:8000/v1", "api_key": "k" },
    });
    server.caller().post("/api/v1/models", &model).expect("answered").expect_status(201);
    let doctor = server.run(&["doctor"]);
    assert!(!doctor.status.success() && stdout(&doctor).contains("KNOWHOST_PRIVATE_HOSTS=10.1.2.3 "), "{}", stdout(&doctor));
}

#[test]
fn commands_work_on_a_data_folder_that_nobody_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("note.md"), "The ferryman whistles in fog.").expect("written");
    let imported = alone(folder.path(), &["import", "note.md", "--kb", "Notes"]);
    assert!(imported.status.success(), "{}", stderr(&imported));
    let asked = alone(folder.path(), &["ask", "Who whistles in fog?", "--kb", "Notes"]);
    assert!(asked.status.success() && stdout(&asked).contains("ferryman"), "{}{}", stdout(&asked), stderr(&asked));
    assert!(!folder.path().join("data/server.json").exists(), "nobody serves the folder any more");
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|_| panic!("{}{}", stdout(output), stderr(output)))
}

#[test]
fn the_index_of_a_running_server_is_compared_and_made_anew() {
    let server = Server::empty();
    let caller = server.caller();
    let kb_id = caller.a_kb("Index");
    caller.a_knowledge(&kb_id, "fog.txt", b"The ferryman whistles in fog.");
    let verified = server.run(&["index", "verify"]);
    assert!(
        verified.status.success() && stdout(&verified).contains("all 1 chunks can be found"),
        "{}{}",
        stdout(&verified),
        stderr(&verified)
    );
    let rebuilt = server.run(&["index", "rebuild", "--json"]);
    assert!(rebuilt.status.success(), "{}", stderr(&rebuilt));
    let found = json(&rebuilt);
    assert_eq!((&found["is_good"], &found["chunks_in_index"]), (&true.into(), &1.into()), "{found}");
    assert!(server.data_dir().join("index/2").exists(), "another generation of the index answers now");
    assert_eq!(caller.search(&kb_id, "ferryman").len(), 1);
}

#[test]
fn a_damaged_index_of_a_folder_is_told_and_mended() {
    let mut server = Server::empty();
    let kb_id = server.caller().a_kb("Index");
    server.caller().a_knowledge(&kb_id, "sun.txt", b"The ferryman sings in the sun.");
    server.caller().a_knowledge(&kb_id, "fog.txt", b"The ferryman whistles in fog.");
    assert!(server.stop().success());
    let log = server.data_dir().join("index/1/vectors/commits");
    let whole = std::fs::read(&log).expect("the log");
    // What is cut off is taken from the database again, which nobody has to hear about.
    std::fs::write(&log, &whole[..whole.len() - 9]).expect("written");
    let verified = server.run(&["index", "verify", "--json"]);
    assert!(verified.status.success(), "{}", stderr(&verified));
    assert_eq!((&json(&verified)["is_good"], &json(&verified)["found_at_start"]), (&true.into(), &Value::Null));
    // What is nonsense makes a new index.
    std::fs::write(&log, "nonsense").expect("written");
    let verified = server.run(&["index", "verify", "--repair"]);
    assert!(verified.status.success(), "{}", stderr(&verified));
    assert!(
        stdout(&verified).contains("Found when the folder was opened: the index is") && stdout(&verified).contains("all 2 chunks"),
        "{}",
        stdout(&verified)
    );
    std::fs::remove_dir_all(server.data_dir().join("index")).expect("removed");
    let rebuilt = server.run(&["index", "rebuild"]);
    assert!(rebuilt.status.success() && stdout(&rebuilt).contains("all 2 chunks"), "{}{}", stdout(&rebuilt), stderr(&rebuilt));
    server.start();
    assert_eq!(server.caller().search(&kb_id, "ferryman").len(), 2);

    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = alone(folder.path(), &["index", "verify"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).contains("no database") && !folder.path().join("data").exists(), "{}", stderr(&nowhere));
}

#[test]
fn mistakes_are_told_in_a_sentence() {
    let server = Server::empty();
    let second = server.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("already serves the data folder") && stderr(&second).contains(&server.url()), "{}", stderr(&second));

    let folder = tempfile::tempdir().expect("a folder");
    let taken = alone(folder.path(), &["serve", "--listen", server.url().trim_start_matches("http://")]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(stderr(&taken).contains("in use") && stderr(&taken).contains("--listen"), "{}", stderr(&taken));

    std::fs::write(folder.path().join("config.yaml"), "conversation:\n  max_round: 3\n").expect("written");
    let refused = alone(folder.path(), &["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("conversation.max_round") && stderr(&refused).contains("config.yaml"), "{}", stderr(&refused));

    let missing = server.run(&["ask", "Anything?"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("knowhost import"), "{}", stderr(&missing));
    assert_eq!(server.run(&["frobnicate"]).status.code(), Some(2));
    for arguments in [&["--help"][..], &["import", "--help"], &["model", "add", "--help"], &["--version"]] {
        assert!(server.run(arguments).status.success());
    }
}

#[test]
fn the_environment_file_of_the_working_folder_is_read() {
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").file(".env", "CONVERSATION_EMBEDDING_TOP_K=7\n").start();
    let caller = server.caller();
    let kb_id = caller.a_kb("Settings");
    let session = caller.get(&format!("/api/v1/sessions/{}", caller.a_session(&kb_id))).expect("answered").json["data"].take();
    assert_eq!(session["embedding_top_k"], 7);
}
