//! Breaks every rule of the contract, one for each model name, so that the host's answers can be tested.
//!
//! Not here: anything a real plugin should do. The steps are made by hand where the SDK would not let them through.
//!
//! | `model.name` | what it does |
//! | --- | --- |
//! | `loop` | never comes back from `start` |
//! | `alloc` | takes memory without end |
//! | `trap` | panics |
//! | `sleep` | sleeps an hour on the clock of the system |
//! | `silent` | answers with a step that neither asks nor ends |
//! | `flood` | asks for 10,000 timers in one step |
//! | `strange-op` | reads an operation that it never opened |
//! | `stranger` | asks for a host that nobody granted |
//! | `leak` | tries to carry the secret `api_key` in address, header, body and to another host |
//! | `log-flood` | writes 10,000 long lines into the log |
//! | `big` | answers with 40 MB |
//! | `wrong-rows` | a row too few, an index too high |
//! | `rows` | rows as long as they were asked for |
//! | `nan` | numbers that are none |
//! | `deep-trap` | emits `count` pieces (5), then panics when the user's text contains `trap`, else emits as many again and ends |
//! | `models` | asks the other models of its tenant, by kind and the row that the setting `other` names, and says how each answered |
//! | `relay` | emits each line of what `base_url` answers; does what the lines `!trap`, `!loop`, `!pause` and `!mood` say |
//! | `count` | emits one numbered piece for each chunk of the body at `base_url`, at most `count` |
//! | `forged-usage` | claims the most tokens that can be claimed |
//! | `last-wish` | ends, and asks for a request in the same step |
//! | others | see `zoo` |
//!
//! The tokenizer has no model; it looks at the first text: `bad-utf8-spans`, `bad-counts`, `backwards`, `beyond`, `loop`, `trap`.
#![allow(unsafe_code, clippy::panic, reason = "exports are made by hand, a text that is none is made so, and panics are the point")]

mod calls;
mod relay;
mod steps;
mod zoo;

pub use steps::Hostile;

#[cfg(target_family = "wasm")]
mod exports {
    use crate::steps::Hostile;
    use knowhost_plugin_sdk::bindings as b;

    b::embedder::export_embedder!(Hostile with_types_in b::embedder);
    b::reranker::export_reranker!(Hostile with_types_in b::reranker);
    b::chat_model::export_chat_model!(Hostile with_types_in b::chat_model);
    b::tokenizer::export_tokenizer!(Hostile with_types_in b::tokenizer);
}
