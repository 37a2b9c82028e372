//! The store against a real database. Not here: the queue (`jobs`).

mod chunks;
mod conversations;
mod documents;
mod kept;
mod opening;
mod people;
mod retention;
mod tenants_apart;
