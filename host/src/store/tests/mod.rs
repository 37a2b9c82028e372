//! The store against a real database. Not here: the queue (`jobs`).

mod documents;
