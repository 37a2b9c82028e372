//! Real model servers on this machine: llama.cpp's own HTTP server and Ollama, with a tiny random model made on the spot.

use crate::{repository, wait_for};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A model server, ended with the test.
pub struct ModelServer {
    child: Child,
    url: String,
    folder: TempDir,
}

impl ModelServer {
    /// `http://127.0.0.1:port`
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

fn needed(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run `tests/run server`, which installs the real servers"))
}

fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new(needed("KNOWHOST_TEST_PYTHON"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn tiny_model(folder: &TempDir) -> String {
    let script = repository("tests/servers/tiny_model.py");
    let path = folder.path().join("tiny.gguf").to_string_lossy().into_owned();
    let status = python(&[&script.to_string_lossy(), &path]).status().expect("python runs");
    assert!(status.success(), "the tiny model could not be made");
    path
}

fn wait_ready(url: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    wait_for("a model server", || http.get(url).send().ok().filter(|answer| answer.status().is_success()));
}

/// llama.cpp's HTTP server: an OpenAI-compatible chat API.
pub fn openai_compatible() -> ModelServer {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, port) = (tiny_model(&folder), free_port());
    let script = repository("tests/servers/openai_compatible.py");
    let child = python(&[&script.to_string_lossy(), &model, &port.to_string()]).spawn().expect("the server starts");
    let server = ModelServer { child, url: format!("http://127.0.0.1:{port}"), folder };
    wait_ready(&format!("{}/health", server.url));
    server
}

/// Ollama with the tiny model under the name `tiny`.
pub fn ollama() -> ModelServer {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, port) = (tiny_model(&folder), free_port());
    let binary = needed("KNOWHOST_TEST_OLLAMA");
    let host = format!("127.0.0.1:{port}");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        command.args(arguments).env("HOME", folder.path()).env("OLLAMA_HOST", &host).env("OLLAMA_MODELS", folder.path().join("models"));
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let child = command(&["serve"]).spawn().expect("Ollama starts");
    let url = format!("http://{host}");
    wait_ready(&url);
    let recipe = format!(
        "FROM {model}\nTEMPLATE \"{{{{ range .Messages }}}}{{{{ .Content }}}}{{{{ end }}}}\"\nPARAMETER num_predict 24\nPARAMETER num_ctx 512\nPARAMETER num_thread 1\n"
    );
    std::fs::write(folder.path().join("Modelfile"), recipe).expect("written");
    let made = command(&["create", "tiny", "-f", "Modelfile"]).status().expect("ollama create runs");
    assert!(made.success(), "the tiny model could not be created");
    ModelServer { child, url, folder }
}
