//! GET /initialization/ollama/status: whether the server of local models answers.

use super::data;
use crate::scene::Scene;

#[test]
fn a_server_that_is_not_there_is_no_failure_of_the_route() {
    let scene = Scene::new();
    let status = data(&scene, "GET /initialization/ollama/status", None);
    assert_eq!((status["available"].as_bool(), status["baseUrl"].as_str()), (Some(false), Some("http://localhost:11434")));
    assert!(status["error"].as_str().is_some_and(|error| error.starts_with("Ollama service unavailable: ollama")), "{status}");
    assert_eq!(status.get("version"), None);
}
