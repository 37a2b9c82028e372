//! What the tests of the server from outside share: a real server in a folder of its own, callers, builders.
//!
//! Not here: knowledge of the server's code; these tests speak its public API and its command line alone.

mod caller;
mod components;
mod cutover;
pub mod matrix;
mod models;
mod random;
mod recording;
mod server;
mod side_server;
mod sse;

pub use caller::{Answer, Caller};
pub use components::{cargo, component, component_with, library, plugins_target};
pub use cutover::{nginx, old_server};
pub use models::{Registry, ollama, openai_compatible, openai_compatible_for, provider_apis, recorded_models, script_server};
pub use random::Random;
pub use recording::{Deviation, Recording, events};
pub use server::{OPERATOR_KEY, Server, ServerBuilder, knowhost_bin, shared_server};
pub use side_server::SideServer;
pub use sse::{SseEvent, read_events};

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks again and again until `check` gives something, and fails with `what` after [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A variable that `tests/run` sets.
pub fn needed(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run `tests/run server`, which installs the real servers"))
}

/// A path of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A number of `tests/counts.toml`, from the column that `KNOWHOST_TEST_COUNTS` names (`ci` by default).
pub fn count(name: &str) -> u64 {
    let column = std::env::var("KNOWHOST_TEST_COUNTS").unwrap_or_else(|_| "ci".to_owned());
    let text = std::fs::read_to_string(repository("tests/counts.toml")).expect("counts.toml");
    let section = text.split(&format!("[{column}]")).nth(1).unwrap_or_else(|| panic!("counts.toml has no column {column}"));
    let section = section.split("\n[").next().unwrap_or_default();
    let line = section.lines().find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == name));
    let (_, value) = line.unwrap_or_else(|| panic!("counts.toml has no {name} in {column}"));
    value.split('#').next().unwrap_or_default().trim().parse().expect("a number")
}
