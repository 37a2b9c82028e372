//! The cut-over of `docs/migrating.md`: two servers behind nginx, one login for both.

use knowhost_tests::{Answer, Caller, Server, nginx, old_server};
use serde_json::json;

/// The constant that the old server signs with.
const OLD_SECRET: &str = "your-secret-key";

fn served_by_old(answer: &Answer) -> bool {
    answer.header("X-Served-By") == Some("old")
}

fn login(at: &Caller, email: &str) -> String {
    let body = json!({ "email": email, "password": "secret12" });
    let answer = at.post("/api/v1/auth/login", &body).expect("answered").expect_status(200);
    answer.json["token"].as_str().expect("a token").to_owned()
}

/// A route that still lies with the old server, and one that has moved.
const NOT_MOVED: &str = "/api/v1/knowledge-bases";
const MOVED: &str = "/api/v1/auth/me";

#[test]
fn one_login_serves_both_servers_behind_nginx_and_a_logout_on_either_ends_it() {
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("JWT_SECRET", OLD_SECRET).start();
    assert!(server.log().contains("JWT_SECRET"), "the start warns of the published secret:\n{}", server.log());
    server.stranger("ann");
    let old = old_server(&server);
    let front = nginx(old.url(), &server.url());
    let (front, old) = (Caller::new(front.url(), None), Caller::new(old.url(), None));

    let token = login(&front, "ann@example.com");
    let moved = front.with_bearer(&token).get(MOVED).expect("answered").expect_status(200);
    assert!(!served_by_old(&moved) && moved.json["data"]["user"]["email"] == "ann@example.com", "{}", moved.text);
    let stayed = front.with_bearer(&token).get(NOT_MOVED).expect("answered").expect_status(200);
    assert!(served_by_old(&stayed), "Knowhost's token is good at the old server: {}", stayed.text);

    let theirs = login(&old, "ann@example.com");
    let moved = front.with_bearer(&theirs).get(MOVED).expect("answered").expect_status(200);
    assert!(!served_by_old(&moved), "the old server's token is good at Knowhost: {}", moved.text);

    front.with_bearer(&token).post("/api/v1/auth/logout", &json!({})).expect("answered").expect_status(200);
    for path in [MOVED, NOT_MOVED] {
        front.with_bearer(&token).get(path).expect("answered").expect_status(401);
    }
    old.with_bearer(&theirs).post("/api/v1/auth/logout", &json!({})).expect("answered").expect_status(200);
    for path in [MOVED, NOT_MOVED] {
        front.with_bearer(&theirs).get(path).expect("answered").expect_status(401);
    }
}

#[test]
fn without_the_published_secret_tokens_of_the_old_server_are_refused_and_no_token_text_is_stored() {
    let server = Server::empty();
    server.stranger("ann");
    let old = old_server(&server);
    let (new, old) = (server.caller().anonymous(), Caller::new(old.url(), None));
    new.with_bearer(&login(&old, "ann@example.com")).get(MOVED).expect("answered").expect_status(401);
    let token = login(&new, "ann@example.com");
    new.with_bearer(&token).get(MOVED).expect("answered").expect_status(200);
    let signature = token.rsplit('.').next().expect("a signature");
    for entry in std::fs::read_dir(server.data_dir()).expect("the data folder").flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let found = bytes.windows(signature.len()).any(|window| window == signature.as_bytes());
        assert!(!found, "{} holds a token's text", entry.path().display());
    }
}
