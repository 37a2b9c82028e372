//! Real model servers on this machine: llama.cpp's own HTTP server and Ollama, with a tiny random model made on the spot.

use crate::side_server::{SideServer, free_port, python, wait_ready};
use crate::{needed, repository};
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn tiny_model(folder: &TempDir) -> String {
    let script = repository("tests/servers/tiny_model.py");
    let path = folder.path().join("tiny.gguf").to_string_lossy().into_owned();
    let status = python(&[&script.to_string_lossy(), &path]).status().expect("python runs");
    assert!(status.success(), "the tiny model could not be made");
    path
}

/// llama.cpp's HTTP server: an OpenAI-compatible chat API.
pub fn openai_compatible() -> SideServer {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, port) = (tiny_model(&folder), free_port());
    let script = repository("tests/servers/openai_compatible.py");
    let child = python(&[&script.to_string_lossy(), &model, &port.to_string()]).spawn().expect("the server starts");
    let server = SideServer::new(child, format!("http://127.0.0.1:{port}"), folder);
    wait_ready(&format!("{}/health", server.url()));
    server
}

/// Ollama with the tiny model under the name `tiny`.
pub fn ollama() -> SideServer {
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
    SideServer::new(child, url, folder)
}
