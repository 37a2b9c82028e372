//! The native form of a plugin: the same source as a library (`cdylib`), or linked into the server.
//!
//! Not here: the executor (`call`), which is the same in all forms, and loading (the server). A native plugin runs as the server itself.

pub mod abi;
#[doc(hidden)]
pub mod kinds;
pub mod section;
#[doc(hidden)]
pub mod serve;

pub use abi::Table;

#[cfg(all(feature = "dylib", panic = "abort"))]
compile_error!(
    "a native plugin must unwind, or its panics end the server: build it with `--profile native-plugin` or another profile with panic = \"unwind\""
);
