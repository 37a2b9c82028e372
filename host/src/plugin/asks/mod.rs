//! Carries out what plugins ask for: HTTP, timers, log lines, cache, other models; each under the plugin's grants.
//!
//! Not here: components and turns (`wasm`), calls (`calls`). The only room that sends what plugins ask.

mod address;
mod auth;
mod cache;
mod env;
mod grants;
mod http;
mod models;
mod ops;
mod pages;
mod redaction;
mod secrets;
mod sigv4;
mod tape;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a test names what it expects and fails on everything else")]
mod tests;

pub(super) use address::PrivateHosts;
pub use address::closed_models;
pub(super) use env::{AskRoom, CallEnv};
pub(super) use grants::{Grants, origin_of};
pub(super) use http::{Failure, HttpDoor, failure, transport_failure};
pub use models::{ModelAnswer, ModelCalls, ModelRequest};
pub(super) use ops::Ops;
pub(super) use redaction::Redaction;
pub(super) use secrets::Secrets;
pub(super) use tape::Tape;
