//! Puts a checked `plugin.toml` into a component: `pack COMPONENT MANIFEST OUT`.
//!
//! Not here: building the component; `cargo build --target wasm32-wasip2` does that.

use knowhost_plugin_sdk::manifest::Manifest;
use knowhost_plugin_sdk::section::{embed_manifest, read_manifest};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, manifest, out] = &arguments[..] else {
        eprintln!("usage: pack COMPONENT MANIFEST OUT");
        return ExitCode::from(2);
    };
    match pack(component, manifest, out) {
        Ok(manifest) => {
            eprintln!("{out}: {} {} for interface {}", manifest.name, manifest.version, manifest.interface);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn pack(component: &str, manifest: &str, out: &str) -> Result<Manifest, String> {
    let bytes = std::fs::read(component).map_err(|error| format!("{component}: {error}"))?;
    let toml = std::fs::read_to_string(manifest).map_err(|error| format!("{manifest}: {error}"))?;
    let checked = Manifest::parse(&toml).map_err(|error| format!("{manifest}: {error}"))?;
    let packed = embed_manifest(&bytes, &toml);
    // What can not be read back is no component, or a broken one.
    if read_manifest(&packed) != Some(&toml) {
        return Err(format!("{component} is no WebAssembly component; was it built for wasm32-wasip2?"));
    }
    std::fs::write(out, packed).map_err(|error| format!("{out}: {error}"))?;
    Ok(checked)
}
