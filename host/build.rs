//! Builds the shipped plugins for WASM and writes an index that the server embeds.
//!
//! Not here: test plugins (the tests build those), and anything about loading. `KNOWHOST_PLUGINS_DIR` takes ready-made components instead.

#[path = "../plugin-sdk/src/section.rs"]
#[allow(dead_code, unreachable_pub, reason = "the SDK's own module; only its writing half is needed here")]
mod section;

#[path = "build/corpus.rs"]
mod corpus;

#[path = "build/sdk.rs"]
mod sdk;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const SHIPPED: [&str; 7] =
    ["chat-extractive", "embedder-full", "embedder-local", "ollama", "remote-api", "reranker-local", "tokenizer-jieba"];
const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "plugin";

type Result<T> = std::result::Result<T, String>;

fn main() {
    if let Err(error) = run() {
        for line in error.lines() {
            println!("cargo::error={line}");
        }
        std::process::exit(1);
    }
}

fn run() -> Result<()> {
    for variable in ["KNOWHOST_PLUGINS_DIR", "CLIPPY_ARGS", "RUSTC_WORKSPACE_WRAPPER"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(variable("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build/corpus.rs");
    corpus::write_index(&out)?;
    println!("cargo::rerun-if-changed=build/sdk.rs");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    for path in ["Cargo.toml", "plugin-sdk"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    sdk::write_index(&root, &out)?;
    // Clippy looks at the host alone; building plugins under its wrapper would check them instead of building them.
    if env::var_os("CLIPPY_ARGS").is_some() || env::var_os("RUSTC_WORKSPACE_WRAPPER").is_some() {
        // An index that is there stays, so that the build after clippy finds nothing changed.
        return if out.join("shipped.rs").is_file() { Ok(()) } else { write_index(&out, &[]) };
    }
    let components = match env::var_os("KNOWHOST_PLUGINS_DIR") {
        Some(folder) => ready_made(Path::new(&folder))?,
        None => build(&out)?,
    };
    write_index(&out, &components)
}

fn variable(name: &str) -> Result<String> {
    env::var_os(name).and_then(|value| value.into_string().ok()).ok_or_else(|| format!("{name} is not set"))
}

/// Components that were built elsewhere; they carry their manifests.
fn ready_made(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut components = Vec::new();
    for name in SHIPPED {
        let file = folder.join(format!("{name}.wasm"));
        if file.is_file() {
            let file = file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
            components.push((name.to_owned(), file));
        }
    }
    if components.is_empty() {
        return Err(format!(
            "KNOWHOST_PLUGINS_DIR={} holds none of {}",
            folder.display(),
            SHIPPED.map(|name| format!("{name}.wasm")).join(", ")
        ));
    }
    Ok(components)
}

fn build(out: &Path) -> Result<Vec<(String, PathBuf)>> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    let present: Vec<&str> = SHIPPED.into_iter().filter(|name| root.join("plugins").join(name).join("plugin.toml").is_file()).collect();
    for path in ["Cargo.toml", "Cargo.lock", "plugin-sdk/Cargo.toml", "plugin-sdk/src", "plugin-sdk/wit"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    for name in present.iter().copied().chain(["embedder-core"]) {
        println!("cargo::rerun-if-changed={}", root.join("plugins").join(name).display());
    }
    if present.is_empty() {
        return Ok(Vec::new());
    }
    ensure_target()?;
    let target_dir = plugins_target_dir(out)?;
    run_cargo(&root, &target_dir, &present)?;
    present
        .into_iter()
        .map(|name| {
            let built = target_dir.join(TARGET).join(PROFILE).join(format!("{}.wasm", name.replace('-', "_")));
            let component = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
            let manifest = root.join("plugins").join(name).join("plugin.toml");
            let toml = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
            let file = out.join(format!("{name}.wasm"));
            write_if_new(&file, &section::embed_manifest(&component, &toml))?;
            Ok((name.to_owned(), file))
        })
        .collect()
}

/// Beside the profiles, so that a change of profile or features does not build the plugins again: `<target>/plugins`.
fn plugins_target_dir(out: &Path) -> Result<PathBuf> {
    let target = out.ancestors().nth(4).ok_or_else(|| format!("{} does not lie in a target folder", out.display()))?;
    Ok(target.join("plugins"))
}

/// The WASM target of the very rustc that builds the host.
fn ensure_target() -> Result<()> {
    if target_is_there()? {
        return Ok(());
    }
    let advice = format!("the Rust target {TARGET} is missing; run: rustup target add {TARGET}");
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    match added {
        Ok(status) if status.success() && target_is_there()? => Ok(()),
        Ok(_) | Err(_) => Err(advice),
    }
}

fn target_is_there() -> Result<bool> {
    let rustc = variable("RUSTC")?;
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("{rustc}: {error}"))?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_core = |name: &str| name.starts_with("libcore") && name.ends_with(".rlib");
    Ok(fs::read_dir(folder).is_ok_and(|mut files| files.any(|file| file.is_ok_and(|file| file.file_name().to_str().is_some_and(is_core)))))
}

fn run_cargo(root: &Path, target_dir: &Path, names: &[&str]) -> Result<()> {
    let cargo = variable("CARGO")?;
    let mut command = Command::new(&cargo);
    command.current_dir(root).args(["build", "--profile", PROFILE, "--target", TARGET, "--target-dir"]).arg(target_dir);
    for name in names {
        command.args(["-p", name]);
    }
    if let Ok(jobs) = variable("NUM_JOBS") {
        command.args(["-j", &jobs]);
    }
    // Flags, wrappers and folders of the outer build are not meant for these: they would be built again whenever those change.
    let kept = ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let of_cargo = name.starts_with("CARGO") && !kept.iter().any(|prefix| name.starts_with(prefix));
        if of_cargo || matches!(name, "RUSTFLAGS" | "RUSTC_WRAPPER" | "RUSTC_WORKSPACE_WRAPPER" | "RUSTDOCFLAGS" | "MAKEFLAGS" | "TARGET") {
            command.env_remove(name);
        }
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+simd128");
    let output = command.output().map_err(|error| format!("{cargo}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("the plugins {} do not build:\n{}", names.join(", "), String::from_utf8_lossy(&output.stderr)))
}

fn write_index(out: &Path, components: &[(String, PathBuf)]) -> Result<()> {
    let mut index = String::from("&[\n");
    for (name, file) in components {
        writeln!(index, "    ({name:?}, include_bytes!({:?})),", file.display().to_string()).map_err(|error| error.to_string())?;
    }
    index.push_str("]\n");
    write_if_new(&out.join("shipped.rs"), index.as_bytes())
}

fn write_if_new(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
}
