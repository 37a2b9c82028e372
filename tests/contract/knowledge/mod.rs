mod batch;
mod delete;
mod download;
mod get;
mod hybrid_search;
mod import_url;
mod list;
mod search;
mod update;
mod update_image;
mod upload;

use crate::scene::Scene;
use serde_json::json;

/// A knowledge base with one document of one chunk; their ids.
pub(crate) fn a_document(scene: &Scene) -> (String, String) {
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let id = scene.caller().a_knowledge(&kb_id, "ferry.txt", b"The ferry to the island leaves at seven in the morning.");
    (kb_id, id)
}
