//! The contract between Knowhost and its plugins, and the comfort of writing one.
//!
//! Not here: the host. A plugin is asked (`start`), says what it needs, and is told what happened (`resume`) until it has an answer;
//! authors see none of that: they write `async` functions on a [`Ctx`], and [`export_plugin!`] does the rest.

pub mod bindings;
pub mod call;
mod ctx;
mod error;
mod export;
mod export_native;
pub mod files;
mod http;
mod join;
mod kinds;
mod model;
mod read;
mod refusal;
pub mod text;

#[cfg(not(target_family = "wasm"))]
pub mod manifest;
#[cfg(not(target_family = "wasm"))]
pub mod native;
#[cfg(not(target_family = "wasm"))]
pub mod section;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use bindings::catalogue::{Entry, Progress, Query as CatalogueQuery, Reply as CatalogueReply, Request as CatalogueRequest};
pub use bindings::chat_model::{
    Answer, Delta, Finish, Image, Message, Options, Part, Request as ChatRequest, Role, Source, Task, Tool, ToolCall, ToolDelta,
};
pub use bindings::embedder::{Embeddings, Purpose, Request as EmbedRequest};
pub use bindings::io::{
    Auth, Error, Fault, Header, HttpRequest, Level, Model, ModelAnswer, ModelRequest, RateLimit, RerankQuery, Setting, Turn, Usage, Vectors,
};
pub use bindings::reranker::{Hit, Ranking, Request as RerankRequest};
pub use bindings::tokenizer::{Mode as TokenizeMode, Tokens};
pub use bindings::{graph_builder, retriever};
pub use ctx::{Ctx, StreamCtx};
pub use error::HostFault;
pub use http::{BODY_BYTES_MAX, Body, Request};
pub use join::{join, join_all};
pub use kinds::{Catalogue, CatalogueCtx, ChatModel, Embedder, GraphBuilder, Reranker, Retriever, Tokenizer, Warm, answer_catalogue};
pub use read::{Events, LINE_BYTES_MAX, Lines, SseEvent};

/// The handle of a chat call: `ctx.emit` sends a piece of the answer.
pub type ChatCtx = StreamCtx<Delta>;

/// What kinds emit that have no deltas.
pub type Never = std::convert::Infallible;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The interface version that this crate speaks.
pub const INTERFACE: &str = "0.1";

/// The code blocks of the tutorial compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
