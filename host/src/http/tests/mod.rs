//! The routes from outside: requests to the router in process, over a real SQLite store.
//!
//! Not here: the binary and its start (package `knowhost-tests`).

mod auth;
mod bad_input;
mod chat;
mod copies;
mod docs;
mod evaluation;
mod front;
mod imports;
mod index;
mod initialization;
mod isolation;
mod knowledge;
mod library;
mod matrix;
#[path = "../../../../tests/support/matrix.rs"]
#[expect(unreachable_pub, reason = "the tests of the server from outside use it too")]
mod matrix_rows;
mod nonsense;
mod openapi;
mod partial;
mod plugins;
mod support;

pub(in crate::http) use support::TestApp;
