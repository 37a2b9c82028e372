//! What the host keeps beside each instance: its memory limit, its turn's clock, and what it wrote to stderr.
//!
//! Not here: the functions that a guest may call (`standins`).

use super::clock::TurnClock;
use crate::limits;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A refusal of the host that ends the instance; its text goes to the user.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(pub(super) String);

/// What a plugin may read while it warms up, by name.
pub(in crate::plugin) type WarmFiles = BTreeMap<String, Vec<u8>>;

pub(in crate::plugin) struct HostState {
    pub(super) clock: TurnClock,
    /// Name and version of the plugin, for the log.
    label: Arc<str>,
    memory_bytes: usize,
    memory_bytes_max: usize,
    stderr: Vec<u8>,
    /// The last whole line on stderr: mostly the panic message, which a trap does not carry.
    pub(super) last_words: Option<String>,
    stderr_lines: u32,
    /// `None` except while `warm` runs.
    pub(super) files: Option<WarmFiles>,
}

impl HostState {
    pub(super) fn new(label: Arc<str>, memory_bytes_max: usize) -> Self {
        Self {
            clock: TurnClock::new(Duration::ZERO),
            label,
            memory_bytes: 0,
            memory_bytes_max: memory_bytes_max.min(limits::PLUGIN_MEMORY_BYTES_MAX),
            stderr: Vec::new(),
            last_words: None,
            stderr_lines: 0,
            files: None,
        }
    }

    /// The file of this name, if it may be read now.
    pub(super) fn file(&self, name: &str) -> Result<&[u8], Refusal> {
        match self.files.as_ref().map(|files| files.get(name)) {
            Some(Some(bytes)) => Ok(bytes),
            Some(None) => Err(Refusal(format!("it asked for the file {:?}, which its manifest does not list", shortened(name)))),
            None => Err(Refusal(format!("it asked for the file {:?}, but files can be read only while it warms up", shortened(name)))),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Takes bytes of the guest's stdout or stderr; whole lines go to the log, and no more of them than a call may log.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                self.end_line();
            } else if self.stderr.len() < limits::PLUGIN_LOG_LINE_BYTES_MAX {
                self.stderr.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.stderr).trim_end().to_owned();
        self.stderr.clear();
        if line.is_empty() {
            return;
        }
        self.stderr_lines = self.stderr_lines.saturating_add(1);
        if self.stderr_lines as usize <= limits::PLUGIN_LOG_LINES_PER_CALL_MAX {
            tracing::info!(plugin = %self.label, "{line}");
        }
        // The note about backtraces that follows a panic says nothing about its cause.
        if !line.starts_with("note: ") {
            self.last_words = Some(match self.last_words.take() {
                Some(head) if head.len() <= limits::PLUGIN_LOG_LINE_BYTES_MAX && head.starts_with("thread ") && head.ends_with(':') => {
                    format!("{head} {line}")
                }
                Some(_) | None => line,
            });
        }
    }
}

/// A guest's text as it may stand in a message.
fn shortened(name: &str) -> String {
    name.chars().take(100).collect()
}

impl wasmtime::ResourceLimiter for HostState {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_sub(current).saturating_add(desired);
        if total > self.memory_bytes_max {
            return Err(Refusal(format!("it asked for more than its {} MiB of memory", self.memory_bytes_max >> 20)).into());
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= limits::PLUGIN_TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        limits::PLUGIN_CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        limits::PLUGIN_CORE_INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::ResourceLimiter;

    #[test]
    fn memory_over_the_limit_is_refused_with_a_sentence() {
        let mut state = HostState::new("x 1".into(), 4 << 20);
        assert!(state.memory_growing(0, 1 << 20, None).unwrap());
        assert_eq!(state.memory_bytes(), 1 << 20);
        let refusal = state.memory_growing(1 << 20, 5 << 20, None).unwrap_err();
        assert_eq!(refusal.to_string(), "it asked for more than its 4 MiB of memory");
    }

    #[test]
    fn panic_message_is_kept_as_last_words() {
        let mut state = HostState::new("x 1".into(), 4 << 20);
        state.write(b"\nthread 'main' panicked at src/lib.rs:3:5:\nbroken\nnote: run with RUST_BACK");
        state.write(b"TRACE=1\n");
        assert_eq!(state.last_words.as_deref(), Some("thread 'main' panicked at src/lib.rs:3:5: broken"));
    }

    #[test]
    fn last_words_do_not_grow_with_lines_that_look_like_the_start_of_a_panic() {
        let mut state = HostState::new("x 1".into(), 4 << 20);
        state.write(b"thread x:\n");
        let mut longest = 0;
        for _ in 0..100 {
            state.write(&[&[b'x'; 1_000][..], b":\n"].concat());
            longest = longest.max(state.last_words.as_ref().map_or(0, String::len));
        }
        assert!((1_001..2 * limits::PLUGIN_LOG_LINE_BYTES_MAX).contains(&longest), "{longest}");
    }
}
