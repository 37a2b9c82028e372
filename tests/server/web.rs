//! What the server fetches for its tenants, what it copies through a kill, and what it writes about each request.

use knowhost_tests::{Caller, Server, wait_for};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;

const PAGE: &str = "<html><head><title>Harbour notes</title></head><body><p>The ferry to Skarholm leaves at seven.</p></body></html>";

/// Serves the page, and a redirect to it, on a port of this machine until the test ends.
fn a_web_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = [0; 4_096];
            let read = stream.read(&mut head).unwrap_or(0);
            let answer = if head[..read].starts_with(b"GET /moved ") {
                "HTTP/1.1 302 Found\r\nLocation: /page\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
            } else if head[..read].starts_with(b"GET /metadata ") {
                "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
            } else {
                let length = PAGE.len();
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{PAGE}")
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

fn import(caller: &Caller, kb: &str, url: &str) -> Value {
    let path = format!("/api/v1/knowledge-bases/{kb}/knowledge/url");
    let taken = caller.post(&path, &json!({ "url": url })).expect("answered").expect_status(201).json;
    let id = taken["data"]["id"].as_str().expect("an id").to_owned();
    wait_for("the end of the import", || {
        let row = caller.get(&format!("/api/v1/knowledge/{id}")).ok()?.json["data"].clone();
        matches!(row["parse_status"].as_str(), Some("completed" | "failed")).then_some(row)
    })
}

#[test]
fn addresses_of_this_machine_are_closed_to_everybody_until_the_operator_opens_them() {
    let web = a_web_server();
    let server = Server::empty();
    // The first tenant's models may stand on this machine; its pages may not, nor anybody else's.
    for caller in [server.caller(), server.stranger("other")] {
        let kb = caller.a_kb("Notes");
        for url in [format!("{web}/page"), web.replace("127.0.0.1", "localhost"), web.replace("127.0.0.1", "[::ffff:127.0.0.1]")] {
            let row = import(&caller, &kb, &url);
            assert_eq!(row["parse_status"], "failed", "{url}");
            assert!(row["error_message"].as_str().expect("a text").contains("may not be fetched"), "{row}");
        }
    }
    drop(server);
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("KNOWHOST_PRIVATE_HOSTS", "127.0.0.1").start();
    let caller = server.caller();
    let kb = caller.a_kb("Notes");
    let row = import(&caller, &kb, &format!("{web}/moved"));
    assert_eq!((&row["parse_status"], &row["title"]), (&json!("completed"), &json!("Harbour notes")), "{row}");
    assert!(caller.search(&kb, "when does the ferry leave").iter().any(|hit| hit["knowledge_id"] == row["id"]));
    let row = import(&caller, &kb, &format!("{web}/metadata"));
    assert_eq!(row["parse_status"], "failed", "{row}");
}

#[test]
fn a_copy_goes_on_after_a_kill() {
    let mut server = Server::empty();
    let caller = server.caller();
    let kb = caller.a_kb("Source");
    for number in 0..12 {
        let text = format!("Note {number}: the lamp of pier {number} is lit at dusk.");
        let id = caller.a_knowledge(&kb, &format!("{number}.txt"), text.as_bytes());
        caller.wait_parsed(&id);
    }
    let target = caller.a_kb("Target");
    let body = json!({ "source_id": kb, "target_id": target });
    caller.post("/api/v1/knowledge-bases/copy", &body).expect("answered").expect_status(200);
    server.kill();
    server.start();
    let caller = server.caller();
    let rows = wait_for("the copies", || {
        let path = format!("/api/v1/knowledge-bases/{target}/knowledge?page_size=100");
        let rows = caller.get(&path).ok()?.json["data"].as_array()?.clone();
        (rows.len() == 12 && rows.iter().all(|row| row["parse_status"] == "completed")).then_some(rows)
    });
    let names: std::collections::BTreeSet<&str> = rows.iter().filter_map(|row| row["file_name"].as_str()).collect();
    assert_eq!(names.len(), 12, "nothing is doubled");
    assert!(!caller.search(&target, "lamp of pier 7").is_empty());
}

#[test]
fn the_references_secret_is_warned_of() {
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("JWT_SECRET", "your-secret-key").start();
    assert!(server.log().contains("WARNING: JWT_SECRET"), "{}", server.log());
    let doctor = server.run(&["doctor"]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(told.contains("WARN tokens") && doctor.status.success(), "{told}");
}
