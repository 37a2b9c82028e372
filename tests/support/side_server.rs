//! A server beside the one under test: model servers, nginx, the stand-in for the old server.
//!
//! Not here: which ones there are (`models`, `cutover`).

use crate::{needed, wait_for};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Ended with the test, its folder removed.
pub struct SideServer {
    child: Child,
    url: String,
    folder: TempDir,
}

impl SideServer {
    pub(crate) fn new(child: Child, url: String, folder: TempDir) -> Self {
        Self { child, url, folder }
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SideServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// The Python of the tests, with the packages of `tests/servers/requirements.txt`.
pub(crate) fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new(needed("KNOWHOST_TEST_PYTHON"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Waits until an address answers with success.
pub(crate) fn wait_ready(url: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    wait_for("a server beside ours", || http.get(url).send().ok().filter(|answer| answer.status().is_success()));
}
