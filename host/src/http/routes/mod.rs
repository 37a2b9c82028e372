//! Handlers by noun: parse, call a work room, shape the answer.
//!
//! Not here: paths (`router`) and rules about data (`library`, `chat`, `ingest`, `search`).

pub(super) mod auth;
pub(super) mod chat;
pub(super) mod chunks;
pub(super) mod docs;
pub(super) mod evaluation;
pub(super) mod health;
pub(super) mod hybrid_search;
pub(super) mod index;
pub(super) mod initialization;
pub(super) mod knowledge;
pub(super) mod knowledge_bases;
pub(super) mod messages;
pub(super) mod models;
pub(super) mod plugins;
pub(super) mod sessions;
pub(super) mod system;
pub(super) mod tenants;
