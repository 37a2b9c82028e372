//! Breaks one rule of the conformance kit for each model name, so that the kit can be shown to catch it.
//!
//! Not here: attacks on the host (`hostile`). Each of these is a mistake that an author could make.
//!
//! A model is called after the rule that it breaks (`huge`, `scores`, ...); `good` breaks none.
#![allow(clippy::panic, reason = "panics are the point")]

mod chat;
mod embed;
mod rerank;
mod words;

use knowhost_plugin_sdk::{Error, Model, Result, export_plugin};

struct Broken;

/// No text is looked at further than this, so that a turn ends in time on a busy machine too.
const LETTERS_MAX: usize = 4_096;

/// The mistakes that any kind can make when it is asked.
fn stumble(model: &Model, texts: &[String]) -> Result<()> {
    let long = texts.iter().any(|text| text.len() > 100_000);
    match model.name.as_str() {
        "answers" => Err(Error::invalid("this model answers nobody")),
        "empty" if texts.iter().all(|text| text.trim().is_empty()) => panic!("there is always a text"),
        "huge" if long => panic!("no text is that long"),
        "unicode" if texts.iter().any(|text| text.contains('\0')) => panic!("no text holds a zero"),
        "malformed" if model.setting("nested").is_some() => panic!("no such setting"),
        "deadline" if long => loop {
            std::hint::black_box(());
        },
        _ => Ok(()),
    }
}

/// Says that a call was given up, far too loudly.
struct Alarm(bool);

impl Drop for Alarm {
    fn drop(&mut self) {
        assert!(!self.0, "nobody gives up");
    }
}

export_plugin!(Broken: embedder, reranker, chat_model, tokenizer);
