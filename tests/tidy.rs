//! The rules of `host/ARCHITECTURE.md` that a program can check: who imports whom, module headers, one maker of scopes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A room and the rooms that it may import. The cellar (`CELLAR`) is open to all.
const ROOMS: &[(&str, &[&str])] = &[
    ("app", &["*"]),
    ("cli", &["app", "ingest", "plugin"]),
    ("http", &["chat", "search", "ingest", "library", "evaluate", "jobs", "stream", "store", "files", "provider"]),
    ("evaluate", &["chat", "search", "ingest", "library", "jobs", "provider", "store"]),
    ("chat", &["search", "provider", "store", "stream"]),
    ("ingest", &["provider", "store", "files", "jobs", "index"]),
    ("library", &["provider", "store", "files", "jobs", "index"]),
    ("search", &["provider", "store"]),
    ("plugin", &["provider"]),
    ("provider", &[]),
    ("index", &["provider", "store"]),
    ("jobs", &["store"]),
    ("store", &[]),
    ("files", &[]),
    ("stream", &[]),
    ("config", &[]),
    ("domain", &[]),
    ("error", &["provider"]),
    ("limits", &[]),
];

const CELLAR: &[&str] = &["config", "domain", "error", "limits"];

/// A crate that only some rooms may name.
const CRATES: &[(&str, &[&str])] = &[
    ("axum", &["http", "app"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("reqwest", &["plugin", "cli"]),
    ("sqlx", &["store"]),
    ("tantivy", &["index"]),
    ("wasmtime", &["plugin"]),
];

/// Where unsafe code may stand, with `SAFETY:` beside it.
const UNSAFE: &[&str] =
    &["index/embedded/map.rs", "index/embedded/simd.rs", "plugin/native/", "plugin/wasm/load.rs", "plugin/wasm/bindings.rs"];

#[derive(Debug, PartialEq, Eq)]
struct Broken {
    file: String,
    rule: String,
}

/// Checks one source file of the room `room`.
fn check(room: &str, file: &str, text: &str) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut report = |rule: String| broken.push(Broken { file: file.to_owned(), rule });
    let unsafe_blocks = text.lines().filter(|line| line.contains("unsafe {") && !line.trim_start().starts_with("//")).count();
    if unsafe_blocks > 0 && !text.contains("// SAFETY") {
        report("unsafe code says why it is sound (`// SAFETY:`)".to_owned());
    }
    if !text.starts_with("//!") && !file.ends_with("tests.rs") {
        report("a module starts with `//!`: what it is and what it is not".to_owned());
    }
    // What follows is test code, which may reach further.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    if file.ends_with("tests.rs") || file.contains("/tests/") {
        return broken;
    }
    let allowed = ROOMS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, rooms)| rooms);
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for target in crate_paths(line) {
            let known = ROOMS.iter().any(|(name, _)| *name == target);
            if known && target != room && !CELLAR.contains(&target) && !allowed.contains(&target) && !allowed.contains(&"*") {
                report(format!("{room} must not import {target} (see the table in host/ARCHITECTURE.md)"));
            }
        }
        for (name, rooms) in CRATES {
            let named = line.contains(&format!("{name}::")) && !line.contains(&format!("_{name}::"));
            if named && !rooms.contains(&room) {
                report(format!("only {} may name the crate {name}", rooms.join(", ")));
            }
        }
        // Only code, not the reasons of lints.
        let is_unsafe = ["unsafe {", "unsafe impl", "unsafe fn", "unsafe extern"].iter().any(|word| line.contains(word));
        if is_unsafe && !UNSAFE.iter().any(|place| file.starts_with(place)) {
            report(format!("unsafe code stands in {} only", UNSAFE.join(", ")));
        }
        if line.contains("libloading::") && !file.starts_with("plugin/native/") {
            report("only plugin/native loads libraries".to_owned());
        }
        if line.contains("TenantScope::mint") && file != "library/access.rs" && !file.starts_with("library/access/") {
            report("only library::access makes a TenantScope".to_owned());
        }
        if (line.contains("std::env::var") || line.contains("env::var(")) && room != "config" {
            report("only config reads the environment".to_owned());
        }
    }
    broken
}

/// `a` for each `crate::a` in a line; for `use crate::{a::x, b}` both.
fn crate_paths(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (place, letter) in group.char_indices() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push(word(&group[start..place]));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(word(&group[start..place]));
                        start = place + 1;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(word(rest));
        }
    }
    found
}

fn word(text: &str) -> &str {
    let text = text.trim_start();
    &text[..text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len())]
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn host_sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src");
    sources(&root)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("readable"))
        })
        .collect()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let mut broken = Vec::new();
    for (file, text) in host_sources() {
        let room = file.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        if matches!(room.as_str(), "main" | "lib") {
            continue;
        }
        assert!(ROOMS.iter().any(|(name, _)| *name == room), "the room {room} is missing in the table");
        broken.extend(check(&room, &file, &text));
    }
    let lines: Vec<String> = broken.iter().map(|broken| format!("host/src/{}: {}", broken.file, broken.rule)).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn a_planted_violation_is_found() {
    let rules = |room: &str, text: &str| check(room, "planted.rs", text).into_iter().map(|broken| broken.rule).collect::<Vec<_>>();
    assert_eq!(rules("store", "//! x\nuse crate::chat::Chat;\n"), ["store must not import chat (see the table in host/ARCHITECTURE.md)"]);
    assert_eq!(rules("chat", "//! x\nuse crate::{domain::Chunk, http::sse};\n").len(), 1);
    assert_eq!(rules("chat", "//! x\nfn f() { axum::serve(); }\n"), ["only http, app may name the crate axum"]);
    assert_eq!(rules("chat", "//! x\nlet s = TenantScope::mint(id);\n"), ["only library::access makes a TenantScope"]);
    assert_eq!(rules("chat", "use crate::search::Search;\n").len(), 1, "a missing header");
    assert_eq!(rules("chat", "//! x\nstd::env::var(\"HOME\");\n"), ["only config reads the environment"]);
    assert_eq!(rules("chat", "//! x\n// SAFETY: x\nunsafe { f() }\n").len(), 1, "unsafe code in a room that has none");
    assert_eq!(rules("index", "//! x\nlibloading::os::unix::Library::this();\n"), ["only plugin/native loads libraries"]);
    assert!(
        rules("chat", "//! x\nuse crate::search::Search;\n// crate::http is a door\n#[cfg(test)]\nmod tests { use crate::http; }\n")
            .is_empty()
    );
}

#[test]
fn the_table_names_only_rooms_that_exist() {
    let files = host_sources();
    for (room, _) in ROOMS {
        assert!(files.keys().any(|file| file.starts_with(&format!("{room}/")) || *file == format!("{room}.rs")), "there is no room {room}");
    }
}

#[test]
fn no_file_is_longer_than_anybody_wants_to_open() {
    for (file, text) in host_sources() {
        let lines = text.lines().count();
        let explained = text.lines().next().is_some_and(|line| line.contains("long because"));
        assert!(lines <= 800 || explained, "host/src/{file} has {lines} lines: split it, or say in its first line why it is long");
    }
}

/// What must not be in the server itself: words are cut and models run inside plugins.
fn forbidden_in_the_host(tree: &str) -> Vec<&str> {
    let shipped = [
        "chat-extractive",
        "embedder-core",
        "embedder-full",
        "embedder-local",
        "ollama",
        "remote-api",
        "reranker-local",
        "tokenizer-jieba",
    ];
    let engines =
        ["jieba", "cedarwood", "tokenizers", "sentencepiece", "candle", "ort", "onnxruntime", "tract", "burn", "llama", "tch", "fastembed"];
    let is_forbidden = |name: &&str| {
        shipped.contains(name)
            || engines
                .iter()
                .any(|engine| name == engine || name.starts_with(&format!("{engine}-")) || name.starts_with(&format!("{engine}_")))
    };
    tree.lines().filter_map(|line| line.split_whitespace().next()).filter(is_forbidden).collect()
}

#[test]
fn the_host_holds_no_model_code() {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = std::process::Command::new(cargo)
        .args(["tree", "-p", "knowhost", "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--offline", "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(tree.lines().any(|line| line.starts_with("wasmtime ")), "not the tree of the host: {tree}");
    assert_eq!(forbidden_in_the_host(&tree), Vec::<&str>::new());
    let planted = "axum v0.8.9\njieba-rs v0.8.0\nembedder-local v0.1.0 (path)\nsqlx v0.8\ncandle-core v0.9\nportable-atomic v1\n";
    assert_eq!(forbidden_in_the_host(planted), ["jieba-rs", "embedder-local", "candle-core"]);
}
