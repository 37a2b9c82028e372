//! Runs WASM components: the only room that knows wasmtime.
//!
//! Not here: grants, asks, pools and sockets; this room gives typed turns with deadlines, and sentences when they fail.

mod bindings;
mod cache;
mod clock;
mod component;
mod engine;
mod instance;
mod kinds;
mod load;
mod standins;
mod state;
mod trace;
mod warm;

pub(super) use cache::CompiledCache;
pub(super) use component::{Component, INTERFACE_VERSIONS, InstanceLimits};
pub(super) use engine::Engine;
pub(super) use instance::{Fault, Instance};
pub(super) use kinds::{CatalogueKind, ChatModelKind, EmbedderKind, Kind, RerankerKind, Step, TokenizeRequest, TokenizerKind};
pub(super) use load::{Loaded, Source, load};
pub(super) use state::WarmFiles;
pub(super) use trace::Trace;

/// The types of interface 0.1.
pub(super) mod wit {
    pub(in crate::plugin) use super::bindings::exports::knowhost::plugin::{catalogue, chat_model, embedder, reranker, tokenizer};
    pub(in crate::plugin) use super::bindings::knowhost::plugin::io;
}
