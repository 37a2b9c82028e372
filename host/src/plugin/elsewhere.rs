//! Compiling the shipped components in a child process of the same binary, so that the server never holds a compiler's memory.
//!
//! Not here: compiling itself and the cache that it fills (`wasm`). Whatever goes wrong here, the server compiles for itself.

use super::binary::{digest_of, manifest_of};
use super::config::{Compiler, PluginsConfig};
use super::files::PluginFiles;
use super::loaded::instance_limits;
use super::wasm::{self, CompiledCache, Engine};
use crate::limits::PLUGIN_COMPILE;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(10);

/// The child, started at most once.
pub(super) struct Elsewhere {
    compiler: Option<Compiler>,
    done: OnceLock<bool>,
}

impl Elsewhere {
    pub(super) fn new(compiler: Option<Compiler>) -> Self {
        Self { compiler, done: OnceLock::new() }
    }

    /// Whether the cache was filled. Those who ask while it is being filled wait.
    pub(super) fn compile(&self) -> bool {
        let Some(compiler) = &self.compiler else { return false };
        *self.done.get_or_init(|| {
            let done = run(compiler);
            if let Err(error) = &done {
                tracing::warn!("the plugins are compiled in the server itself: {error:#}");
            }
            done.is_ok()
        })
    }
}

fn run(compiler: &Compiler) -> anyhow::Result<()> {
    let mut command = Command::new(&compiler.program);
    // It needs no secret of the environment; the key of the cache stands in the data folder.
    command.args(&compiler.arguments).env_clear().current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let deadline = Instant::now() + PLUGIN_COMPILE;
    loop {
        if let Some(status) = child.try_wait()? {
            anyhow::ensure!(status.success(), "the process that compiles plugins ended with {status}");
            return Ok(());
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("the process that compiles plugins took more than {} s", PLUGIN_COMPILE.as_secs());
        }
        std::thread::sleep(POLL);
    }
}

/// `knowhost compile-plugins DATA_DIR`: fills the cache with the shipped components.
pub fn compile_main(data_dir: &Path) -> ExitCode {
    match fill(&PluginsConfig::in_data_dir(data_dir, Vec::new(), String::new())) {
        Ok(()) => ExitCode::SUCCESS,
        // The server compiles for itself then, and tells the reason if it meets the same.
        Err(_) => ExitCode::FAILURE,
    }
}

/// On all cores.
fn fill(config: &PluginsConfig) -> anyhow::Result<()> {
    // A server that is killed takes its child along.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let (engine, cache) = (Engine::new()?, CompiledCache::open(&config.compiled_dir, &config.key_file)?);
    let compile = |bytes: &[u8]| -> anyhow::Result<()> {
        let manifest = manifest_of(bytes)?;
        let files = PluginFiles::of(&config.models_dir, &manifest);
        if files.lacking().is_some() {
            return Ok(());
        }
        let (digest, limits) = (digest_of(bytes), instance_limits(&manifest));
        let source = wasm::Source { bytes, digest: &digest, label: &manifest.name, limits, files: &|| files.read() };
        match wasm::load(&engine, &cache, source, || false) {
            // The server meets wrong files too, and has somebody to tell.
            Err(error) if manifest.files.is_empty() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    };
    std::thread::scope(|scope| {
        let compile = &compile;
        let threads: Vec<_> = config.shipped.iter().map(|component| scope.spawn(move || compile(&component.bytes))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("compiling panicked"))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(program: &str, arguments: &[&str]) -> Elsewhere {
        let arguments = arguments.iter().map(Into::into).collect();
        Elsewhere::new(Some(Compiler { program: program.into(), arguments }))
    }

    #[test]
    fn a_child_that_fails_or_is_missing_leaves_the_work_to_the_server() {
        assert!(!Elsewhere::new(None).compile());
        assert!(!compiler("/no/such/program", &[]).compile());
        assert!(!compiler("/bin/sh", &["-c", "exit 3"]).compile());
        assert!(compiler("/bin/sh", &["-c", "exit 0"]).compile());
    }

    #[test]
    fn the_child_runs_once_however_many_components_are_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let marks = folder.path().join("marks");
        let one = compiler("/bin/sh", &["-c", &format!("echo x >> {}", marks.display())]);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| assert!(one.compile()));
            }
        });
        assert_eq!(std::fs::read_to_string(&marks).expect("it ran"), "x\n");
    }
}
