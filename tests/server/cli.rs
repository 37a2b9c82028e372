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
