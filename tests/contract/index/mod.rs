//! The search index: state, comparison with the database, and making it anew.

mod rebuild;
mod status;
mod verify;
