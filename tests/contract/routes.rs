//! Each route of the served document has a file of cases.

use knowhost_tests::repository;
use serde_json::Value;

/// Where a route's cases stand: `GET /api/v1/knowledge-bases/{id}` -> `knowledge_bases/get.rs`; the verb is the file's own word where several
/// routes share a method, so a line of each file says `//! METHOD /path`.
#[test]
fn every_route_has_a_file() {
    let document: Value =
        serde_json::from_slice(&std::fs::read(repository("docs/openapi.json")).expect("the document")).expect("the document is JSON");
    let mut heads = String::new();
    read_heads(&repository("tests/contract"), &mut heads);
    let mut missing = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let line = format!("//! {} {}", method.to_uppercase(), path.trim_start_matches("/api/v1"));
            if !heads.lines().any(|head| head.trim_end_matches(':').starts_with(&line) && head[line.len()..].starts_with([':', '.'])) {
                missing.push(line);
            }
        }
    }
    assert!(missing.is_empty(), "no file in tests/contract begins with\n{}", missing.join("\n"));
}

fn read_heads(folder: &std::path::Path, heads: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_heads(&path, heads);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            heads.push_str(std::fs::read_to_string(&path).expect("readable").lines().next().unwrap_or_default());
            heads.push('\n');
        }
    }
}
