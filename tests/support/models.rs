//! Real model servers on this machine: llama.cpp's own HTTP server and Ollama, with a tiny random model made on the spot.

use crate::side_server::{SideServer, free_port, python, wait_ready};
use crate::{needed, repository, wait_for};
use std::path::Path;
use std::process::{Command, Stdio};

fn tiny_model(folder: &Path) -> String {
    let script = repository("tests/servers/tiny_model.py");
    let path = folder.join("tiny.gguf").to_string_lossy().into_owned();
    let status = python(&[&script.to_string_lossy(), &path]).status().expect("python runs");
    assert!(status.success(), "the tiny model could not be made");
    path
}

/// llama.cpp's HTTP server: an OpenAI-compatible chat API.
pub fn openai_compatible() -> SideServer {
    openai_compatible_for("chat", None)
}

/// The same for `chat`, `embedding` or `rerank`, open to those who have the key.
pub fn openai_compatible_for(mode: &str, api_key: Option<&str>) -> SideServer {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, port) = (tiny_model(folder.path()), free_port());
    let script = repository("tests/servers/openai_compatible.py");
    let mut command = python(&[&script.to_string_lossy(), &model, &port.to_string(), mode]);
    command.args(api_key);
    let child = command.spawn().expect("the server starts");
    let server = SideServer::new(child, format!("http://127.0.0.1:{port}"), folder);
    wait_ready(&format!("{}/health", server.url()));
    server
}

/// What spoke behind the recorded answers, as far as the recording tells.
pub fn recorded_models() -> SideServer {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let script = repository("tests/servers/recorded_models.py");
    let child = python(&[&script.to_string_lossy(), &port.to_string()]).spawn().expect("the server starts");
    let server = SideServer::new(child, format!("http://127.0.0.1:{port}"), folder);
    wait_ready(server.url());
    server
}

/// Scripted servers of Anthropic, Voyage (`/voyage/v1`) and Jina (`/jina/v1`), with the key `test-key`.
pub fn provider_apis() -> SideServer {
    script_server(&repository("tests/servers/provider_apis.py"), &mut python(&[]))
}

/// A server that is a script with the port as its argument, run by `program`.
pub fn script_server(script: &Path, program: &mut Command) -> SideServer {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let child = program.arg(script).arg(port.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the server starts");
    let server = SideServer::new(child, format!("http://127.0.0.1:{port}"), folder);
    wait_for("a scripted server", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    server
}

/// Ollama without any model. `trusted`: a certificate that it trusts beside those of the machine.
fn empty_ollama(trusted: Option<&Path>) -> (SideServer, impl Fn(&[&str]) -> Command + use<>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (binary, host) = (needed("KNOWHOST_TEST_OLLAMA"), format!("127.0.0.1:{}", free_port()));
    let (home, models) = (folder.path().to_owned(), folder.path().join("models"));
    let url = format!("http://{host}");
    let command = move |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        command.args(arguments).env("HOME", &home).env("OLLAMA_HOST", &host).env("OLLAMA_MODELS", &models);
        command.current_dir(&home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut serve = command(&["serve"]);
    if let Some(certificate) = trusted {
        serve.env("SSL_CERT_FILE", certificate);
    }
    let child = serve.spawn().expect("Ollama starts");
    wait_ready(&url);
    (SideServer::new(child, url, folder), command)
}

/// Ollama with the tiny model under the name `tiny`.
pub fn ollama() -> SideServer {
    let (server, command) = empty_ollama(None);
    let model = tiny_model(server.folder());
    let recipe = format!(
        "FROM {model}\nTEMPLATE \"{{{{ range .Messages }}}}{{{{ .Content }}}}{{{{ end }}}}\"\nPARAMETER num_predict 24\nPARAMETER num_ctx 512\nPARAMETER num_thread 1\n"
    );
    std::fs::write(server.folder().join("Modelfile"), recipe).expect("written");
    let made = command(&["create", "tiny", "-f", "Modelfile"]).status().expect("ollama create runs");
    assert!(made.success(), "the tiny model could not be created");
    server
}

/// A registry with the tiny model, and an Ollama without any model that trusts it.
pub struct Registry {
    registry: SideServer,
    port: u16,
    pub ollama: SideServer,
    _source: SideServer,
}

impl Registry {
    pub fn start() -> Self {
        let source = ollama();
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", &file("key.pem"), "-out", &file("certificate.pem")])
            .stderr(Stdio::null())
            .status()
            .expect("openssl is installed");
        assert!(made.success(), "no certificate could be made");
        let (port, data_port) = (free_port(), free_port());
        let script = repository("tests/servers/model_registry.py").to_string_lossy().into_owned();
        let models = source.folder().join("models").to_string_lossy().into_owned();
        let child = python(&[&script, &models, &port.to_string(), &data_port.to_string(), &file("")]).spawn().expect("it starts");
        wait_for("the registry", || folder.path().join("ready").exists().then_some(()));
        let (ollama, _) = empty_ollama(Some(&folder.path().join("certificate.pem")));
        let registry = SideServer::new(child, format!("https://127.0.0.1:{port}"), folder);
        Self { registry, port, ollama, _source: source }
    }

    /// The tiny model by its address.
    pub fn model(&self) -> String {
        format!("127.0.0.1:{}/library/tiny", self.port)
    }

    /// Lets the second half of the model through.
    pub fn open_gate(&self) {
        std::fs::write(self.registry.folder().join("gate"), "").expect("written");
    }

    /// Waits until somebody who waited at the gate has gone.
    pub fn wait_left(&self) {
        wait_for("a download that was dropped", || self.registry.folder().join("left").exists().then_some(()));
    }
}
