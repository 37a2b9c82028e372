//! What `app` tells the plugin room: folders, addresses, components.
//!
//! Not here: where these settings come from (`config`).

use knowhost_plugin_sdk::native::Table;
use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The components that the build script built, by name.
static SHIPPED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// A component that ships with the server; allowed by being in the binary.
#[derive(Clone, Debug)]
pub struct ShippedComponent {
    pub name: String,
    pub bytes: Cow<'static, [u8]>,
}

#[derive(Clone, Debug)]
pub struct PluginsConfig {
    /// Plugins that an operator put there: `*.wasm`, `*.so`, `*.dylib`.
    pub plugins_dir: PathBuf,
    /// What the operator allowed.
    pub lock_file: PathBuf,
    /// Compiled components; private to this server.
    pub compiled_dir: PathBuf,
    /// Files of plugins that are too large for components, in a folder for each plugin.
    pub models_dir: PathBuf,
    /// Key of the seals on compiled components; made when it is missing.
    pub key_file: PathBuf,
    /// Names, addresses and networks whose private addresses plugins may reach.
    pub private_hosts: Vec<String>,
    /// For rows and catalogues of the plugin `ollama` that name no address; its host is private-listed by itself.
    pub ollama_base_url: String,
    pub shipped: Vec<ShippedComponent>,
    /// Plugins that are part of this binary (a Cargo feature); allowed like shipped ones.
    pub linked: Vec<&'static Table>,
    /// Compiles the shipped components into `compiled_dir` in a process of its own; `None`: this process does.
    pub compiler: Option<Compiler>,
}

/// A program that runs [`super::compile_main`] and what to tell it.
#[derive(Clone, Debug)]
pub struct Compiler {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

impl Compiler {
    /// The running binary. A compiler leaves a hundred megabytes of memory behind that its process never gives back, so it has its own.
    pub fn of_this_binary(data_dir: &Path) -> std::io::Result<Self> {
        // The child has another working folder.
        let data_dir = std::path::absolute(data_dir)?;
        Ok(Self { program: std::env::current_exe()?, arguments: vec!["compile-plugins".into(), data_dir.into()] })
    }
}

impl PluginsConfig {
    /// The usual places in a data folder, with the components in this binary.
    pub fn in_data_dir(data_dir: &Path, private_hosts: Vec<String>, ollama_base_url: String) -> Self {
        Self {
            plugins_dir: data_dir.join("plugins"),
            lock_file: data_dir.join("plugins.lock"),
            compiled_dir: data_dir.join("cache").join("compiled"),
            models_dir: data_dir.join("models"),
            key_file: data_dir.join("secrets").join("compiled-plugins.key"),
            private_hosts,
            ollama_base_url,
            shipped: shipped_components(),
            linked: linked_plugins(),
            compiler: None,
        }
    }
}

/// What the features of this build link in.
fn linked_plugins() -> Vec<&'static Table> {
    vec![
        #[cfg(feature = "linked-embedder")]
        &embedder_local::KNOWHOST_PLUGIN,
    ]
}

/// Without those that are linked in.
fn shipped_components() -> Vec<ShippedComponent> {
    let is_linked = |name: &str| cfg!(feature = "linked-embedder") && name == "embedder-local";
    SHIPPED
        .iter()
        .filter(|(name, _)| !is_linked(name))
        .map(|(name, bytes)| ShippedComponent { name: (*name).to_owned(), bytes: Cow::Borrowed(*bytes) })
        .collect()
}
