//! Calls into plugins: who sits in which instance, one step after another, and what happens when an instance dies.
//!
//! Not here: wasmtime (`wasm`), the operations that a plugin asks for (`asks`), the sockets (`adapters`).

mod breaker;
mod call;
mod pool;
mod pools;
mod rebuild;
mod record;
mod slot;

pub(super) use call::{Call, Output};
pub(super) use pools::{Cores, Pools, Use};
pub(super) use record::RecordBudget;
