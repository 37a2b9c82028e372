//! The real binary, started in a folder of its own and ended with the test.

use crate::side_server::python;
use crate::{Caller, PATIENCE, repository, wait_for};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;
use tempfile::TempDir;

/// The binary under test.
///
/// # Panics
/// When `KNOWHOST_BIN` is not set, or the binary is older than the sources: a test of yesterday's server proves nothing.
pub fn knowhost_bin() -> &'static Path {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(|| {
        let Ok(bin) = std::env::var("KNOWHOST_BIN") else {
            panic!("KNOWHOST_BIN is not set; run `tests/run server`, or build with `cargo build --release` and set it to the binary");
        };
        let bin = PathBuf::from(bin);
        let built = std::fs::metadata(&bin).and_then(|file| file.modified()).unwrap_or_else(|error| panic!("{}: {error}", bin.display()));
        let newest = newest_source(&repository("host/src"), SystemTime::UNIX_EPOCH);
        assert!(built >= newest, "{} is older than the sources; build it again", bin.display());
        bin
    })
}

fn newest_source(folder: &Path, newest: SystemTime) -> SystemTime {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.fold(newest, |newest, entry| {
        let path = entry.path();
        if path.is_dir() {
            newest_source(&path, newest)
        } else {
            entry.metadata().and_then(|file| file.modified()).map_or(newest, |time| newest.max(time))
        }
    })
}

pub struct ServerBuilder {
    environment: Vec<(String, String)>,
    files: Vec<(String, String)>,
    program: PathBuf,
}

impl ServerBuilder {
    /// Another file than `KNOWHOST_BIN`, such as a copy of it.
    pub fn program(mut self, path: &Path) -> Self {
        self.program = path.to_owned();
        self
    }

    /// An environment variable of the server.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file in the server's working folder.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    pub fn start(self) -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in &self.files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
        let (environment, program) = (self.environment, self.program);
        let mut server = Server { folder, environment, program, child: None, address: String::new(), api_key: String::new() };
        server.start();
        server
    }
}

/// A running server. Dropping it kills the process and removes the folder.
pub struct Server {
    folder: TempDir,
    environment: Vec<(String, String)>,
    program: PathBuf,
    child: Option<Child>,
    address: String,
    api_key: String,
}

impl Server {
    /// A server without the sample.
    pub fn empty() -> Self {
        Self::builder().env("KNOWHOST_SAMPLE", "false").start()
    }

    pub fn builder() -> ServerBuilder {
        ServerBuilder { environment: Vec::new(), files: Vec::new(), program: knowhost_bin().to_owned() }
    }

    /// Starts the process (again) and waits until it answers.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "the server runs already");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path()).expect("a log");
        let child = self
            .command(&["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a handle"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let pid = child.id();
        self.child = Some(child);
        let note = wait_for("server.json", || {
            if let Some(status) = self.child.as_mut().expect("a child").try_wait().expect("a status") {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            let note: Value = serde_json::from_slice(&std::fs::read(self.data_dir().join("server.json")).ok()?).ok()?;
            (note["pid"] == pid).then_some(note)
        });
        self.address = note["address"].as_str().expect("an address").to_owned();
        self.api_key = wait_for("the API key", || std::fs::read_to_string(self.data_dir().join("secrets/api-key")).ok()).trim().to_owned();
        wait_for("/health", || self.caller().anonymous().get("/health").map(|answer| (answer.status == 200).then_some(())).ok().flatten());
    }

    /// A command of the binary in the server's folder, with its environment and nothing of the tester's.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path());
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("the command runs")
    }

    /// The process is gone at once, as after a power cut of the process.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("a running server");
        let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        assert!(status.success());
        wait_for("the server's end", || child.try_wait().expect("a status"))
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running server").id()
    }

    /// Changes the database behind the running server's back.
    pub fn run_sql(&self, statement: &str) {
        let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=60).executescript(sys.argv[2])";
        let database = self.data_dir().join("knowhost.db");
        let status = python(&["-c", script, &database.to_string_lossy(), statement]).status().expect("python runs");
        assert!(status.success(), "{statement} failed");
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// All that the server printed so far.
    pub fn log(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = std::fs::File::open(self.log_path()) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }

    /// The owner of the first tenant's API key.
    pub fn caller(&self) -> Caller {
        Caller::new(&self.url(), Some(&self.api_key))
    }

    /// Somebody who registers, and so owns a tenant of their own.
    pub fn stranger(&self, name: &str) -> Caller {
        let anonymous = self.caller().anonymous();
        let email = format!("{name}@example.com");
        let body = serde_json::json!({ "username": name, "email": email, "password": "secret12" });
        anonymous.post("/api/v1/auth/register", &body).expect("registered").expect_status(201);
        let login =
            anonymous.post("/api/v1/auth/login", &serde_json::json!({ "email": email, "password": "secret12" })).expect("logged in");
        let key = login.expect_status(200).json["tenant"]["api_key"].as_str().expect("a key").to_owned();
        Caller::new(&self.url(), Some(&key))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            // A request that went well explains nothing.
            let tail: Vec<&str> = log.lines().rev().filter(|line| !line.contains(r#""message":"request""#)).take(60).collect();
            eprintln!("the end of the server's log:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        self.kill();
    }
}

/// The operator's key of [`shared_server`].
pub const OPERATOR_KEY: &str = "operator's own key";

/// The server that all cases of one test program share, without the sample. It ends when the program does.
pub fn shared_server() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| {
        let server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("KNOWHOST_OPERATOR_KEY", OPERATOR_KEY).start();
        // A static is never dropped: a shell waits for the end of its input, which is the end of this program, and clears up.
        let watch = format!("read gone; kill {}; rm -rf '{}'", server.pid(), server.folder().display());
        #[expect(clippy::zombie_processes, reason = "it ends after this program, when nobody can wait for it any more")]
        let mut watcher = Command::new("sh").args(["-c", &watch]).stdin(Stdio::piped()).spawn().expect("a shell");
        std::mem::forget(watcher.stdin.take());
        server
    })
}

/// The patience of a single request.
pub(crate) fn request_time() -> std::time::Duration {
    PATIENCE
}
