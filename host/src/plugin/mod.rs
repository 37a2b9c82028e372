//! What fits into the sockets: manifests, grants, WASM components, their calls and asks. Not here: the store, HTTP routes, chat.

mod asks;
mod calls;
mod wasm;
