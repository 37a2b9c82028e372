//! The contract, route by route: what each answers to good and to bad input, seen from outside.
//!
//! The folders mirror the URLs, one file a route; `every_route_has_a_file` fails for a route without one.
//! A case is a sentence, a request and an inline snapshot: the status, the content type where it is not JSON, the body.
//! Ids, times, keys and tokens are filtered (`scene`). `cargo insta` is not needed: a failing case prints what came instead.
//!
//! Not here: the reference's recorded answers (`recorded.rs` replays them), other tenants' things (`server::tenants`).

mod auth;
mod chunks;
mod docs;
mod evaluation;
mod front;
mod health;
mod index;
mod initialization;
mod knowledge;
mod knowledge_bases;
mod messages;
mod models;
mod openapi;
mod plugins;
mod recorded;
mod routes;
mod scene;
mod sessions;
mod system;
mod tenants;
