//! Brings generated documents into a knowledge base through the public upload.
//!
//! Not here: searching them.

use crate::corpus::Corpus;
use crate::report::say;
use knowhost_tests::{Caller, Server};
use serde_json::json;
use std::ops::Range;
use std::time::{Duration, Instant};

const CHUNKS_PER_DOCUMENT: usize = 200;

/// Uploads documents with the paragraphs `numbers` and waits until all are completed; answers how long it took.
pub(crate) fn fill(server: &Server, kb_id: &str, corpus: &Corpus, numbers: Range<usize>) -> Duration {
    let caller = server.caller();
    let started = Instant::now();
    let mut ids = Vec::new();
    let total = numbers.len();
    for first in numbers.clone().step_by(CHUNKS_PER_DOCUMENT) {
        let last = (first + CHUNKS_PER_DOCUMENT).min(numbers.end);
        ids.push(upload(&caller, kb_id, corpus, first..last));
    }
    let mut told = Instant::now();
    let (documents, first) = (ids.len(), ids[0].clone());
    for (place, id) in ids.into_iter().enumerate() {
        assert_eq!(caller.wait_parsed(&id)["parse_status"], "completed");
        if told.elapsed() > Duration::from_secs(5) {
            say(&format!("{} of {documents} documents are in", place + 1));
            told = Instant::now();
        }
    }
    say(&format!("{total} chunks are in after {:.1} s", started.elapsed().as_secs_f64()));
    let time = started.elapsed();
    let made = caller.get(&format!("/api/v1/chunks/{first}?page_size=1")).expect("answered").expect_status(200).json["total"].as_u64();
    assert_eq!(made, Some(total.min(CHUNKS_PER_DOCUMENT) as u64), "a paragraph is a chunk");
    time
}

/// One document; its id.
pub(crate) fn upload(caller: &Caller, kb_id: &str, corpus: &Corpus, numbers: Range<usize>) -> String {
    let name = format!("bench-{}.txt", numbers.start);
    let text: Vec<String> = numbers.map(|number| corpus.paragraph(number)).collect();
    let answer = caller.upload(kb_id, &name, text.join("\n\n").as_bytes()).expect("answered").expect_status(200);
    answer.json["data"]["id"].as_str().expect("an id").to_owned()
}

/// A knowledge base whose embedder takes thousands of chunks a second; vectors have as many numbers as the default's.
pub(crate) fn static_kb(caller: &Caller) -> String {
    let model = json!({ "name": "knowhost-embed-static", "type": "Embedding", "source": "embedder-local", "parameters": {} });
    let model = caller.post("/api/v1/models", &model).expect("answered").expect_status(201).json["data"]["id"].take();
    let kb = json!({ "name": "Large", "embedding_model_id": model });
    let kb = caller.post("/api/v1/knowledge-bases", &kb).expect("answered").expect_status(201);
    kb.json["data"]["id"].as_str().expect("an id").to_owned()
}
