//! The routes from outside: requests to the router in process, over a real SQLite store.
//!
//! Not here: the binary and its start (package `knowhost-tests`).

mod auth;
mod bad_input;
mod chat;
mod docs;
mod front;
mod index;
mod initialization;
mod isolation;
mod knowledge;
mod library;
mod openapi;
mod plugins;
mod replay;
mod support;

pub(in crate::http) use support::TestApp;
