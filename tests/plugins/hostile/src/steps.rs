//! The exports, made by hand: steps that the SDK would not make, and the SDK's executor for the rest.
//!
//! Not here: what a call does on its way (`calls`).

use crate::calls;
use knowhost_plugin_sdk::bindings::io::{Ask, Event, HttpRequest, Timer};
use knowhost_plugin_sdk::bindings::{chat_model, embedder, reranker, tokenizer};
use knowhost_plugin_sdk::call::{Calls, Step};
use knowhost_plugin_sdk::{Answer, Delta, Embeddings, Error, Finish, Never, Ranking};

/// All kinds in one.
pub struct Hostile;

thread_local! {
    static EMBEDS: Calls<Never, Embeddings> = const { Calls::new() };
    static RERANKS: Calls<Never, Ranking> = const { Calls::new() };
    static CHATS: Calls<Delta, Answer> = const { Calls::new() };
}

/// Asks that break the protocol; `None` for the names that keep to it.
fn broken_asks(name: &str) -> Option<Vec<Ask>> {
    match name {
        "silent" => Some(vec![]),
        "flood" => Some((1..=10_000).map(|op| Ask::Sleep(Timer { op, ms: 60_000 })).collect()),
        "twice" => Some(vec![Ask::Sleep(Timer { op: 7, ms: 60_000 }), Ask::Sleep(Timer { op: 7, ms: 60_000 })]),
        "read-busy" => Some(vec![Ask::Sleep(Timer { op: 1, ms: 60_000 }), Ask::Read(1)]),
        "strange-op" => Some(vec![Ask::Read(4_711)]),
        _ => None,
    }
}

fn embed_step(step: Step<Never, Embeddings>) -> embedder::Step {
    embedder::Step { asks: step.asks, end: step.end }
}

impl embedder::Guest for Hostile {
    fn start(id: u64, request: embedder::Request) -> embedder::Step {
        calls::misbehave(&request.model.name);
        match broken_asks(&request.model.name) {
            Some(asks) => embedder::Step { asks, end: None },
            None => embed_step(EMBEDS.with(|calls| calls.start(id, |ctx| calls::embed(ctx, request)))),
        }
    }

    fn resume(id: u64, event: Event) -> embedder::Step {
        embed_step(EMBEDS.with(|calls| calls.resume(id, event)))
    }

    fn cancel(id: u64) {
        EMBEDS.with(|calls| calls.cancel(id));
    }
}

fn rerank_step(step: Step<Never, Ranking>) -> reranker::Step {
    reranker::Step { asks: step.asks, end: step.end }
}

impl reranker::Guest for Hostile {
    fn start(id: u64, request: reranker::Request) -> reranker::Step {
        calls::misbehave(&request.model.name);
        match broken_asks(&request.model.name) {
            Some(asks) => reranker::Step { asks, end: None },
            None => rerank_step(RERANKS.with(|calls| calls.start(id, |ctx| calls::rerank(ctx, request)))),
        }
    }

    fn resume(id: u64, event: Event) -> reranker::Step {
        rerank_step(RERANKS.with(|calls| calls.resume(id, event)))
    }

    fn cancel(id: u64) {
        RERANKS.with(|calls| calls.cancel(id));
    }
}

/// Ends, and asks in the same breath for something that would go on after its end.
fn last_wish(url: String) -> chat_model::Step {
    let request = HttpRequest { op: 1, method: "GET".into(), url, headers: vec![], auth: vec![], body: vec![], timeout_ms: None };
    let end = Some(Ok(Answer { finish: Finish::Stop, usage: None }));
    chat_model::Step { asks: vec![Ask::Http(request)], deltas: vec![], end }
}

fn chat_step(step: Step<Delta, Answer>) -> chat_model::Step {
    chat_model::Step { asks: step.asks, deltas: step.deltas, end: step.end }
}

impl chat_model::Guest for Hostile {
    fn start(id: u64, request: chat_model::Request) -> chat_model::Step {
        calls::misbehave(&request.model.name);
        if request.model.name == "last-wish" {
            return last_wish(request.model.base_url);
        }
        match broken_asks(&request.model.name) {
            Some(asks) => chat_model::Step { asks, deltas: vec![], end: None },
            None => chat_step(CHATS.with(|calls| calls.start(id, |ctx| calls::chat(ctx, request)))),
        }
    }

    fn resume(id: u64, event: Event) -> chat_model::Step {
        chat_step(CHATS.with(|calls| calls.resume(id, event)))
    }

    fn cancel(id: u64) {
        CHATS.with(|calls| calls.cancel(id));
    }
}

impl tokenizer::Guest for Hostile {
    fn tokenize(texts: Vec<String>, _mode: tokenizer::Mode) -> Result<tokenizer::Tokens, Error> {
        let count = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let length = texts.first().map_or(0, |text| u32::try_from(text.len()).unwrap_or(u32::MAX));
        let one_span = |start, end| {
            let mut counts = vec![0; texts.len()];
            if let Some(first) = counts.first_mut() {
                *first = 1;
            }
            tokenizer::Tokens { counts, spans: vec![start, end] }
        };
        let said = texts.first().map(|text| text.split_whitespace().next().unwrap_or_default());
        Ok(match said {
            // The text is expected to end with a character of several bytes.
            Some("bad-utf8-spans") => one_span(0, length.saturating_sub(1)),
            Some("bad-counts") => tokenizer::Tokens { counts: vec![7; texts.len() + 1], spans: vec![0, 1, 2] },
            Some("backwards") => one_span(3, 1),
            Some("beyond") => one_span(0, length + 1),
            Some(name) => {
                calls::misbehave(name);
                tokenizer::Tokens { counts: vec![0; texts.len()], spans: vec![] }
            }
            None => tokenizer::Tokens { counts: vec![0; count as usize], spans: vec![] },
        })
    }
}
