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
use crate::scene::{Asker, Scene};
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

/// What is said to each body in the place where the contract's server puts the words of its JSON reader.
pub(crate) fn check_refusals(asker: Asker<'_>, route: &str, refusals: &[(&str, &str)]) {
    for (body, text) in refusals {
        let answer = asker.send(route, Some((*body).to_owned()));
        let error = json!({ "code": 1000, "details": null, "message": text });
        assert_eq!((answer.status, &answer.json), (400, &json!({ "error": error, "success": false })), "{route} {body}");
    }
}

/// What every route says to bodies that are no JSON.
pub(crate) const BROKEN: [(&str, &str); 9] = [
    ("", "EOF"),
    (" ", "EOF"),
    ("{", "unexpected EOF"),
    ("{\"query\":", "unexpected EOF"),
    ("{x}", "invalid character 'x' looking for beginning of object key string"),
    ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
    ("{\"a\" 1}", "invalid character '1' after object key"),
    ("nul", "unexpected EOF"),
    ("\u{feff}{}", "invalid character 'ï' looking for beginning of value"),
];
