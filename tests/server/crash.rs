//! Killed at random moments, the server loses nothing, doubles nothing and leaves nothing stuck.

use knowhost_tests::{Random, Server, count, knowhost_bin, wait_for};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A document of several chunks, each with a word that occurs nowhere else.
fn document(number: u64) -> (String, String) {
    let parts = 4 + number % 5;
    let text: Vec<String> = (0..parts)
        .map(|part| {
            let filler =
                "The tide table of the strait is read from left to right and from top to bottom by everybody who sails. ".repeat(4);
            format!("Paragraph marker{number}x{part} begins here. {filler}")
        })
        .collect();
    (format!("document-{number}.txt"), text.join("\n\n"))
}

#[test]
fn documents_survive_kill_9_at_any_moment() {
    let mut random = Random::from_counts();
    let points = count("kill_points");
    let mut server = Server::empty();
    let kb_id = server.caller().a_kb("Crash");
    let mut documents = BTreeMap::new();
    for point in 0..points {
        let caller = server.caller();
        for number in point * 3..point * 3 + 3 {
            let (name, text) = document(number);
            let answer = caller.upload(&kb_id, &name, text.as_bytes()).expect("answered").expect_status(200);
            documents.insert(answer.json["data"]["id"].as_str().expect("an id").to_owned(), number);
        }
        if point % 4 == 3
            && let Some(id) = documents.keys().next().cloned()
        {
            caller.delete(&format!("/api/v1/knowledge/{id}")).expect("answered").expect_status(200);
            documents.remove(&id);
        }
        std::thread::sleep(Duration::from_millis(random.below(700)));
        server.kill();
        server.start();
    }
    let caller = server.caller();
    let listed = wait_for("all documents to be completed", || {
        let mut listed = BTreeMap::new();
        for page in 1.. {
            let answer = caller.get(&format!("/api/v1/knowledge-bases/{kb_id}/knowledge?page={page}&page_size=100")).ok()?;
            let items = answer.json["data"].as_array()?.clone();
            if items.is_empty() {
                break;
            }
            for item in items {
                listed.insert(item["id"].as_str()?.to_owned(), item);
            }
        }
        listed.values().all(|item| matches!(item["parse_status"].as_str(), Some("completed" | "failed"))).then_some(listed)
    });
    assert_eq!(listed.keys().collect::<Vec<_>>(), documents.keys().collect::<Vec<_>>(), "documents were lost or came back");
    for (id, number) in &documents {
        assert_eq!(listed[id]["parse_status"], "completed", "{}", listed[id]["error_message"]);
        check_document(&server, &kb_id, id, *number);
    }
}

/// Each part stands in exactly one text chunk, and a search for its word finds that chunk once.
fn check_document(server: &Server, kb_id: &str, id: &str, number: u64) {
    let caller = server.caller();
    let chunks = caller.get(&format!("/api/v1/chunks/{id}?page_size=100")).expect("answered").expect_status(200).json["data"].take();
    let texts: Vec<&str> = chunks.as_array().expect("a list").iter().filter_map(|chunk| chunk["content"].as_str()).collect();
    let unique: BTreeSet<&&str> = texts.iter().collect();
    assert_eq!(unique.len(), texts.len(), "document {number} has doubled chunks");
    for part in 0..4 + number % 5 {
        let word = format!("marker{number}x{part}");
        assert!(texts.iter().any(|text| text.contains(&word)), "{word} is in no chunk");
        let hits = caller.search(kb_id, &word);
        let direct: Vec<_> =
            hits.iter().filter(|hit| hit["knowledge_id"] == id && hit["content"].as_str().unwrap_or_default().contains(&word)).collect();
        assert!(!direct.is_empty(), "{word} is not found");
        let ids: BTreeSet<_> = hits.iter().filter_map(|hit| hit["id"].as_str()).collect();
        assert_eq!(ids.len(), hits.len(), "a chunk was found twice");
    }
}

#[test]
fn an_answer_cut_off_by_a_crash_does_not_stay_open() {
    let mut server = Server::empty();
    let caller = server.caller();
    let kb_id = caller.a_kb("Cut");
    caller.a_knowledge(&kb_id, "note.txt", b"The beacon burns whale oil.");
    let session_id = caller.a_session(&kb_id);
    caller.ask(&session_id, "What does the beacon burn?");
    server.kill();
    server.start();
    let answer = server.caller().get(&format!("/api/v1/messages/{session_id}/load")).expect("answered").expect_status(200);
    for message in answer.json["data"].as_array().expect("a list") {
        assert_eq!(message["is_completed"], true, "{message}");
    }
}

#[test]
fn a_server_whose_binary_was_replaced_goes_on_reading_documents() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("knowhost");
    std::fs::copy(knowhost_bin(), &program).expect("copied");
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").program(&program).start();
    let caller = server.caller();
    let kb_id = caller.a_kb("Upgrade");
    std::fs::remove_file(&program).expect("removed");
    caller.a_knowledge(&kb_id, "gone.txt", b"The old binary is gone.");
    std::fs::write(&program, "#!/bin/false\n").expect("written");
    caller.a_knowledge(&kb_id, "new.txt", b"Another file has its name.");
}
