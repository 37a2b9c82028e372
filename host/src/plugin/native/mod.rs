//! Runs native plugins: libraries that the operator allowed by digest, and plugins that were linked in.
//!
//! Not here: whether a library may be loaded (`plugin::lock`), pools, asks and sockets, which are the same as for components. A native plugin
//! runs as the server itself: what it does with memory, time, files and sockets is its own affair. The room's unsafe code is here and in
//! `wasm::load`.

mod border;
mod instance;
mod library;

pub(super) use instance::Instance;
pub(super) use library::{Libraries, Library, linked_manifest};
