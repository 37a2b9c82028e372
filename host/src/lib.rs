//! Knowhost, a self-hosted knowledge server: documents in, cited answers out, every model a plugin.
//!
//! The rooms stand on five floors; a room imports only from floors below its own (`tests/tidy.rs` holds the table).

// doors: what people and programs touch
/// The subcommands and what they print.
pub mod cli;
/// REST and SSE: the only room that knows axum, status codes and wire JSON.
pub mod http;

// work: what the server does
/// From a question to a streamed, cited answer.
pub mod chat;
/// Datasets, ranking and text metrics, evaluation runs.
pub mod evaluate;
/// From a document to chunks, vectors and index changes.
pub mod ingest;
/// Tenants, users, knowledge bases, knowledge, models: create, change, delete, quota, access.
pub mod library;
/// Query embedding, retrieval, fusion and rerank.
pub mod search;

// sockets: where models and engines plug in
/// The built-in retriever and the follower that feeds it.
pub mod index;
/// What fits into the sockets: manifests, grants, WASM components, their calls and asks.
pub mod plugin;
/// The traits behind which every model, tokenizer and retriever stands, and the registry that finds them.
pub mod provider;

// ground: what lasts
/// Uploaded bytes.
pub mod files;
/// The durable queue and its workers.
pub mod jobs;
/// SQL: the truth.
pub mod store;
/// Answers under way.
pub mod stream;

// cellar: what all share
/// Settings from defaults, files, environment and flags.
pub mod config;
/// Plain types and ids.
pub mod domain;
/// What a caller can do about a failure.
pub mod error;
/// Every limit, with its reason.
pub mod limits;

/// Every shared part, built once.
pub mod app;
