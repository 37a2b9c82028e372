//! GET /initialization/ollama/models: what the server of local models has.

use super::check_unavailable;
use crate::scene::Scene;

#[test]
fn a_server_that_is_not_there_is_told() {
    check_unavailable(&Scene::new(), "GET /initialization/ollama/models", None);
}
