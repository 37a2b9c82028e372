//! The description of the API against the running binary: made-up requests of every operation, every answer checked against it.

use knowhost_tests::{Server, count, repository};
use std::process::Command;

const OPERATOR_KEY: &str = "the operator of this test";

#[test]
fn no_made_up_request_is_answered_beside_the_description() {
    let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("KNOWHOST_OPERATOR_KEY", OPERATOR_KEY).start();
    let python = std::env::var("KNOWHOST_TEST_PYTHON").expect("KNOWHOST_TEST_PYTHON is set by `tests/run server`");
    let seed = match count("seed") {
        0 => std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs(),
        seed => seed,
    };
    let asked = Command::new(python)
        .arg(repository("tests/servers/fuzz_api.py"))
        .args([&server.url(), server.api_key(), OPERATOR_KEY, &seed.to_string(), &count("described_examples").to_string()])
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .output()
        .expect("python runs");
    let (said, faults) = (String::from_utf8_lossy(&asked.stdout), String::from_utf8_lossy(&asked.stderr));
    assert!(asked.status.success(), "seed {seed}:\n{said}\n{faults}");
}
