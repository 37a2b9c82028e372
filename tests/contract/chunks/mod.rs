mod delete;
mod delete_all;
mod list;
mod update;

use crate::knowledge::a_document;
use crate::scene::Scene;

/// The ids of a base, its document and the document's only chunk.
fn a_chunk(scene: &Scene) -> (String, String, String) {
    let (kb_id, knowledge_id) = a_document(scene);
    let list = scene.key().send(&format!("GET /chunks/{knowledge_id}"), None);
    let id = list.json["data"][0]["id"].as_str().expect("a chunk").to_owned();
    (kb_id, knowledge_id, id)
}
