//! What a call gave, in the words of reports and recordings.
//!
//! Not here: whether it is right (`rules`).

use crate::plugin::wasm::wit::{catalogue, chat_model, embedder, io, reranker, tokenizer};
use crate::provider::{ProviderError, ProviderErrorKind, Usage};
use serde_json::{Value, json};
use std::time::Duration;

/// As the plugin gave it, before the host's sockets put it right.
#[derive(Clone, Debug, PartialEq)]
pub enum CallAnswer {
    Embeddings { dimension: u32, data: Vec<f32>, usage: Option<Usage> },
    Ranking { hits: Vec<(u32, f32)>, usage: Option<Usage> },
    Said { pieces: Vec<Piece>, finish: &'static str, usage: Option<Usage> },
    Words { counts: Vec<u32>, spans: Vec<u32> },
    Reply { progress: Vec<Progress>, reply: Reply },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Reasoning(String),
    Tool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub status: String,
    pub completed_bytes: u64,
    pub total_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Status(String),
    /// Names and sizes.
    Models(Vec<(String, u64)>),
    Check(bool),
    Done,
}

/// One call, and what it cost.
#[derive(Clone, Debug)]
pub struct Performed {
    pub result: Result<CallAnswer, ProviderError>,
    pub time: Duration,
    /// How often the plugin was at work; the first is its start.
    pub turns: u32,
    pub instances: usize,
    /// Linear memory of all instances after the call.
    pub memory_bytes: usize,
}

impl CallAnswer {
    pub fn to_json(&self) -> Value {
        match self {
            Self::Embeddings { dimension, data, usage } => {
                let rows: Vec<&[f32]> = data.chunks((*dimension).max(1) as usize).collect();
                json!({ "dimension": dimension, "rows": rows, "usage": usage_json(*usage) })
            }
            Self::Ranking { hits, usage } => {
                let hits: Vec<Value> = hits.iter().map(|(index, score)| json!({ "index": index, "score": score })).collect();
                json!({ "hits": hits, "usage": usage_json(*usage) })
            }
            Self::Said { pieces, finish, usage } => {
                let reasoning = reasoning(pieces);
                let mut value = json!({ "text": text(pieces), "pieces": pieces.len(), "finish": finish, "usage": usage_json(*usage) });
                if !reasoning.is_empty() {
                    value["reasoning"] = json!(reasoning);
                }
                value
            }
            Self::Words { counts, spans } => {
                let pairs: Vec<[u32; 2]> = spans.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
                json!({ "counts": counts, "spans": pairs })
            }
            Self::Reply { progress, reply } => {
                let reply = match reply {
                    Reply::Status(version) => json!({ "status": version }),
                    Reply::Models(models) => {
                        json!({ "models": models.iter().map(|(name, size)| json!({ "name": name, "size_bytes": size })).collect::<Vec<_>>() })
                    }
                    Reply::Check(there) => json!({ "check": there }),
                    Reply::Done => json!("done"),
                };
                json!({ "progress": progress.len(), "reply": reply })
            }
        }
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        match self {
            Self::Embeddings { usage, .. } | Self::Ranking { usage, .. } | Self::Said { usage, .. } => *usage,
            Self::Words { .. } | Self::Reply { .. } => None,
        }
    }
}

fn usage_json(usage: Option<Usage>) -> Value {
    usage.map_or(Value::Null, |usage| json!({ "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens }))
}

/// All text without reasoning.
pub(super) fn text(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => Some(text.clone()),
        Piece::Reasoning(_) | Piece::Tool => None,
    };
    pieces.iter().filter_map(text).collect()
}

pub(super) fn reasoning(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Reasoning(text) => Some(text.clone()),
        Piece::Text(_) | Piece::Tool => None,
    };
    pieces.iter().filter_map(text).collect()
}

/// The contract's word for a kind of error.
pub(super) fn error_word(kind: &ProviderErrorKind) -> &'static str {
    match kind {
        ProviderErrorKind::Invalid => "invalid",
        ProviderErrorKind::Unauthorised => "unauthorised",
        ProviderErrorKind::Denied => "denied",
        ProviderErrorKind::NotFound => "not-found",
        ProviderErrorKind::RateLimited { .. } => "rate-limited",
        ProviderErrorKind::TooLong => "too-long",
        ProviderErrorKind::Upstream => "upstream",
        ProviderErrorKind::Unsupported => "unsupported",
        ProviderErrorKind::Timeout => "timeout",
        ProviderErrorKind::Cancelled => "cancelled",
        ProviderErrorKind::PluginFault => "plugin-fault",
    }
}

/// An answer, or an error by its word and text.
pub fn result_json(result: &Result<CallAnswer, ProviderError>) -> Value {
    match result {
        Ok(answer) => json!({ "answer": answer.to_json() }),
        Err(error) => json!({ "error": { "kind": error_word(&error.kind), "text": error.message } }),
    }
}

fn usage(usage: Option<io::Usage>) -> Option<Usage> {
    usage.map(|usage| Usage { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens })
}

pub(super) fn embeddings(answer: embedder::Embeddings) -> CallAnswer {
    CallAnswer::Embeddings { dimension: answer.dimension, data: answer.data, usage: usage(answer.usage) }
}

pub(super) fn ranking(answer: reranker::Ranking) -> CallAnswer {
    CallAnswer::Ranking { hits: answer.hits.iter().map(|hit| (hit.index, hit.relevance_score)).collect(), usage: usage(answer.usage) }
}

pub(super) fn said(deltas: Vec<chat_model::Delta>, answer: chat_model::Answer) -> CallAnswer {
    let piece = |delta| match delta {
        chat_model::Delta::Text(text) => Piece::Text(text),
        chat_model::Delta::Reasoning(text) => Piece::Reasoning(text),
        chat_model::Delta::Tool(_) => Piece::Tool,
    };
    let finish = match answer.finish {
        chat_model::Finish::Stop => "stop",
        chat_model::Finish::Length => "length",
        chat_model::Finish::Tool => "tool",
        chat_model::Finish::Filter => "filter",
        chat_model::Finish::Other => "other",
    };
    CallAnswer::Said { pieces: deltas.into_iter().map(piece).collect(), finish, usage: usage(answer.usage) }
}

pub(super) fn words(answer: tokenizer::Tokens) -> CallAnswer {
    CallAnswer::Words { counts: answer.counts, spans: answer.spans }
}

pub(super) fn reply(progress: Vec<catalogue::Progress>, reply: catalogue::Reply) -> CallAnswer {
    let step = |progress: catalogue::Progress| Progress {
        status: progress.status,
        completed_bytes: progress.completed_bytes,
        total_bytes: progress.total_bytes,
    };
    let reply = match reply {
        catalogue::Reply::Status(version) => Reply::Status(version),
        catalogue::Reply::Models(entries) => Reply::Models(entries.into_iter().map(|entry| (entry.name, entry.size_bytes)).collect()),
        catalogue::Reply::Check(there) => Reply::Check(there),
        catalogue::Reply::Done => Reply::Done,
    };
    CallAnswer::Reply { progress: progress.into_iter().map(step).collect(), reply }
}
