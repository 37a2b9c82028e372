//! REST and SSE: the only room that knows axum, status codes and wire JSON.
//!
//! Not here: SQL, plugins, or any decision about data; handlers parse, call a work room and shape its answer.

pub mod auth;
mod cors;
pub mod envelope;
pub mod error;
pub mod extract;
pub mod go_json;
mod middleware;
pub mod openapi;
mod route_table;
mod router;
mod routes;
mod serve;
pub mod sse;
mod state;

pub use middleware::RequestId;
pub use router::{router, routes_listed};
pub use serve::serve;
pub use state::AppState;

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a test names what it expects and fails on everything else")]
mod tests;
