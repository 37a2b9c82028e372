mod chat;
mod continue_stream;
mod create;
mod delete;
mod get;
mod list;
mod stop;
mod title;
mod update;

use crate::knowledge::a_document;
use crate::scene::Scene;
use serde_json::{Value, json};

/// A session over a base with one document; its id.
pub(crate) fn a_session(scene: &Scene) -> String {
    let (kb_id, _) = a_document(scene);
    scene.caller().a_session(&kb_id)
}

/// A session as the list shows it, with the texts of prompts cut out.
fn without_prompts(mut answer: Value) -> Value {
    let session = if answer["data"].is_array() { &mut answer["data"][0] } else { &mut answer["data"] };
    for name in ["prompt", "context_template"] {
        assert!(session["summary_parameters"][name].as_str().is_some_and(|text| !text.is_empty()), "{name} is filled");
        session["summary_parameters"][name] = json!("<text>");
    }
    session["fallback_response"] = json!("<text>");
    answer
}
