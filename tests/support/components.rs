//! Plugins for tests: built where the build script builds the shipped ones, packed with their manifests.

use crate::{knowhost_bin, repository};
use knowhost_plugin_sdk::section::embed_manifest;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of built plugins beside the profiles of the binary under test.
pub fn plugins_target() -> PathBuf {
    knowhost_bin().ancestors().nth(2).expect("a target folder").join("plugins")
}

/// Cargo without what the outer build has set for itself.
pub fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.current_dir(folder);
    for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    cargo
}

/// The component `name` (`echo` or `hostile`) with its manifest, perhaps changed.
pub fn component_with(name: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let mut build = cargo(&repository(""));
        build.args(["build", "--profile", "plugin", "--target", "wasm32-wasip2", "-p", "echo", "-p", "hostile", "--target-dir"]);
        let output = build.arg(plugins_target()).env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+simd128").output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        plugins_target().join("wasm32-wasip2/plugin")
    });
    let places = ["plugins", "tests/plugins"].map(|place| repository(place).join(name).join("plugin.toml"));
    let manifest = places.into_iter().find(|manifest| manifest.is_file()).expect("a plugin of this repository");
    let toml = change(std::fs::read_to_string(manifest).expect("a manifest"));
    embed_manifest(&std::fs::read(built.join(format!("{name}.wasm"))).expect("a component"), &toml)
}

pub fn component(name: &str) -> Vec<u8> {
    component_with(name, |toml| toml)
}

/// The plugin `name` of this workspace as a native library.
pub fn library(name: &str) -> PathBuf {
    let mut build = cargo(&repository(""));
    build.args(["build", "--profile", "native-plugin", "-p", name, "--features", "knowhost-plugin-sdk/dylib", "--target-dir"]);
    let output = build.arg(plugins_target()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    plugins_target().join("native-plugin").join(format!("lib{}.so", name.replace('-', "_")))
}
