//! Test components, a plugin room over a temporary folder, and a server that records every byte.

use crate::domain::{Model, ModelParameters, ModelStatus, ModelType, TenantId, Timestamp};
use crate::plugin::{Plugins, PluginsConfig, ShippedComponent};
use crate::provider::{
    CallContext, ChatDelta, ChatMessage, ChatRequest, ChatRole, ChatStream, ChatTask, PluginDesk, PluginSource, ProviderResult,
};
use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Builds packages of this workspace where the build script builds the shipped plugins; gives that folder.
fn built(arguments: &[&str], flags: &str) -> PathBuf {
    let target = Path::new(env!("OUT_DIR")).ancestors().nth(4).unwrap().join("plugins");
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    cargo.arg("build").args(arguments).arg("--target-dir").arg(&target);
    for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target
}

/// Builds the test plugins once for all tests.
fn components_dir() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let packages = ["-p", "echo", "-p", "hostile", "-p", "reader", "-p", "fickle", "-p", "broken"];
        let arguments = [&["--profile", "plugin", "--target", "wasm32-wasip2"], &packages[..]].concat();
        built(&arguments, "-Ctarget-feature=+simd128").join("wasm32-wasip2").join("plugin")
    })
}

/// The bytes of a plugin of this workspace as a native library; all of them are built once for all tests.
pub(super) fn library(name: &str) -> Vec<u8> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let packages = ["-p", "echo", "-p", "fickle", "-p", "embedder-local"];
        let arguments = [&["--profile", "native-plugin", "--features", "knowhost-plugin-sdk/dylib"], &packages[..]].concat();
        built(&arguments, "").join("native-plugin")
    });
    std::fs::read(folder.join(format!("lib{}.so", name.replace('-', "_")))).unwrap()
}

/// The component `name` with its manifest, perhaps changed.
pub(in crate::plugin) fn component_with(name: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = ["plugins", "tests/plugins"].map(|place| root.join(place).join(name)).into_iter().find(|folder| folder.is_dir()).unwrap();
    let toml = change(std::fs::read_to_string(folder.join("plugin.toml")).unwrap());
    let bytes = std::fs::read(components_dir().join(format!("{}.wasm", name.replace('-', "_")))).unwrap();
    knowhost_plugin_sdk::section::embed_manifest(&bytes, &toml)
}

pub(in crate::plugin) fn component(name: &str) -> Vec<u8> {
    component_with(name, |toml| toml)
}

/// A component of this very server.
pub(in crate::plugin) fn shipped_component(name: &str) -> Vec<u8> {
    let config = PluginsConfig::in_data_dir(Path::new("data"), Vec::new(), String::new());
    config.shipped.into_iter().find(|component| component.name == name).unwrap().bytes.into_owned()
}

/// A plugin room whose folder goes away with it.
pub(super) struct Room {
    pub(super) folder: TempDir,
    pub(super) plugins: Arc<Plugins>,
}

pub(super) fn config(folder: &Path, shipped: &[(&str, Vec<u8>)]) -> PluginsConfig {
    let shipped = shipped.iter().map(|(name, bytes)| ShippedComponent { name: (*name).to_owned(), bytes: bytes.clone().into() }).collect();
    let private = vec!["127.0.0.0/8".to_owned()];
    PluginsConfig { shipped, linked: vec![], ..PluginsConfig::in_data_dir(folder, private, "http://127.0.0.1:11434".into()) }
}

/// `shipped`: as if they were in the binary; `third_party`: put into the folder and allowed.
pub(super) fn room(shipped: &[&str], third_party: &[&str]) -> Room {
    let folder = tempfile::tempdir().unwrap();
    let shipped: Vec<_> = shipped.iter().map(|name| (*name, component(name))).collect();
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    for name in third_party {
        std::fs::write(folder.path().join("plugins").join(format!("{name}.wasm")), component(name)).unwrap();
    }
    let plugins = Plugins::open(config(folder.path(), &shipped)).unwrap();
    for name in third_party {
        plugins.allow(name, None).unwrap();
    }
    Room { folder, plugins }
}

/// A native library in the folder, allowed as one.
pub(super) fn native_room(name: &str) -> Room {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    std::fs::write(folder.path().join("plugins").join(format!("{name}.so")), library(name)).unwrap();
    let plugins = Plugins::open(config(folder.path(), &[])).unwrap();
    let digest = plugins.list().unwrap()[0].digest.clone();
    plugins.allow_native(name, &digest).unwrap();
    Room { folder, plugins }
}

/// A number of `tests/counts.toml`, from the column that `KNOWHOST_TEST_COUNTS` names (`ci` by default).
pub(super) fn counts(name: &str) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let column = std::env::var("KNOWHOST_TEST_COUNTS").unwrap_or_else(|_| "ci".to_owned());
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/counts.toml")).unwrap();
    let number = text.parse::<toml::Table>().unwrap()[&column][name].as_integer().unwrap();
    match (name, number) {
        ("seed", 0) => {
            let seed = std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64 | 1);
            eprintln!("seed {seed}");
            seed
        }
        _ => number.try_into().unwrap(),
    }
}

/// A model row of the plugin `source`.
pub(super) fn row(source: &str, name: &str, model_type: ModelType) -> Model {
    Model {
        id: format!("{source}-{name}"),
        tenant_id: TenantId(10_000),
        name: name.into(),
        model_type,
        source: source.into(),
        description: String::new(),
        parameters: ModelParameters::default(),
        is_default: false,
        status: ModelStatus::Active,
        created_at: Timestamp::now(),
        updated_at: Timestamp::now(),
        deleted_at: None,
    }
}

pub(super) fn context() -> CallContext {
    CallContext::interactive(TenantId(10_000), "test", Duration::from_secs(60))
}

pub(super) fn question(text: &str) -> ChatRequest {
    let messages = vec![ChatMessage::text(ChatRole::User, text)];
    ChatRequest { question: Some(text.into()), ..ChatRequest::new(ChatTask::Answer, messages, crate::provider::ChatOptions::default()) }
}

impl Room {
    pub(super) async fn chat(&self, model: &Model, text: &str) -> ProviderResult<ChatStream> {
        self.plugins.chat_model(model)?.chat_stream(&context(), question(text)).await
    }

    /// The whole answer, or the error it ended with.
    pub(super) async fn say(&self, model: &Model, text: &str) -> ProviderResult<String> {
        collect(self.chat(model, text).await?).await
    }

    pub(super) async fn embed(&self, model: &Model, texts: &[&str]) -> ProviderResult<crate::provider::Embeddings> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        self.plugins.embedder(model)?.embed(&context(), crate::provider::EmbedPurpose::Chunk, &texts).await
    }

    pub(super) fn instances(&self, plugin: &str) -> usize {
        self.plugins.list().unwrap().into_iter().find(|listing| listing.name == plugin).unwrap().instances
    }
}

pub(super) async fn collect(mut stream: ChatStream) -> ProviderResult<String> {
    let mut text = String::new();
    while let Some(delta) = stream.next().await {
        match delta? {
            ChatDelta::Text(piece) => text.push_str(&piece),
            ChatDelta::Reasoning(_) | ChatDelta::Tool(_) => {}
            ChatDelta::End { .. } => {
                assert!(stream.next().await.is_none(), "nothing follows the end");
                return Ok(text);
            }
        }
    }
    panic!("the stream ended without its end: {text:?}")
}

/// Records what arrives; what it answers is up to the test.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) heard: Arc<Mutex<Vec<u8>>>,
    pub(super) requests: tokio::sync::watch::Receiver<usize>,
    /// Connections that the client closed before it had its answer.
    pub(super) abandoned: tokio::sync::watch::Receiver<usize>,
}

/// Each request gets `answer`, as soon as `open` says so.
pub(super) async fn server(answer: Vec<u8>, open: tokio::sync::watch::Receiver<bool>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (count, requests) = tokio::sync::watch::channel(0);
    let (leave, abandoned) = tokio::sync::watch::channel(0);
    let (log, answer, counts) = (heard.clone(), Arc::new(answer), Arc::new((count, leave)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, log.clone(), answer.clone(), open.clone(), counts.clone()));
        }
    });
    Server { url, heard, requests, abandoned }
}

async fn serve(
    mut stream: TcpStream,
    log: Arc<Mutex<Vec<u8>>>,
    answer: Arc<Vec<u8>>,
    mut open: tokio::sync::watch::Receiver<bool>,
    counts: Arc<(tokio::sync::watch::Sender<usize>, tokio::sync::watch::Sender<usize>)>,
) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => {
                log.lock().unwrap().extend_from_slice(&buffer[..read]);
                head.extend_from_slice(&buffer[..read]);
            }
            Ok(_) | Err(_) => return,
        }
    }
    counts.0.send_modify(|count| *count += 1);
    tokio::select! {
        opened = open.wait_for(|open| *open) => drop(opened),
        read = stream.read(&mut buffer) => {
            assert_eq!(read.unwrap_or(0), 0, "the request was complete");
            counts.1.send_modify(|count| *count += 1);
            return;
        }
    }
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
    // What else arrives is recorded too.
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        log.lock().unwrap().extend_from_slice(&buffer[..read]);
    }
}

/// A body without a length, ended by the connection's end.
pub(super) fn ok_response(body: &[u8]) -> Vec<u8> {
    let mut response = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n".to_vec();
    response.extend_from_slice(body);
    response
}

pub(super) fn always_open() -> tokio::sync::watch::Receiver<bool> {
    tokio::sync::watch::channel(true).1
}
