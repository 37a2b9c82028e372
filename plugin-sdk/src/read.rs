//! Readers over a body: lines, NDJSON, server-sent events. Their buffers are bounded.
//!
//! Not here: what the lines mean.

use crate::bindings::io::Fault;
use crate::error::HostFault;
use crate::http::Body;
use crate::{Error, Result};
use std::collections::VecDeque;

/// The longest line a reader takes, unless told otherwise.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// Lines of a body. Ends are LF or CRLF; the last one may have none. Bytes that are no UTF-8 become the replacement character.
pub struct Lines {
    body: Body,
    buffer: Vec<u8>,
    /// Up to here there is no line end.
    searched: usize,
    done: bool,
    max: usize,
}

impl Lines {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, buffer: Vec::new(), searched: 0, done: false, max: LINE_BYTES_MAX }
    }

    /// Another bound for a line.
    pub fn max_bytes(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// The next line without its end; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<String>, HostFault> {
        loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let end = self.searched + at;
                let line = text(&self.buffer[..end]);
                self.buffer.drain(..=end);
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.searched > self.max {
                return Err(HostFault::new(Fault::TooLarge, format!("the response has a line of more than {} bytes", self.max)));
            }
            if self.done {
                self.searched = 0;
                let rest = std::mem::take(&mut self.buffer);
                return Ok((!rest.is_empty()).then(|| text(&rest)));
            }
            match self.body.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.done = true,
            }
        }
    }

    /// The next line that is not blank, as JSON (NDJSON).
    pub async fn next_json<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>> {
        while let Some(line) = self.next().await? {
            if !line.trim().is_empty() {
                return serde_json::from_str(&line)
                    .map(Some)
                    .map_err(|error| Error::upstream(format!("a line of the response is not the expected JSON: {error}")));
            }
        }
        Ok(None)
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// `event:`, empty when absent
    pub event: String,
    /// the `data:` lines, joined with line ends
    pub data: String,
    pub id: Option<String>,
}

/// Server-sent events of a body. Comments are skipped; the last event needs no blank line after it.
pub struct Events {
    lines: Lines,
    /// A lone CR is a line end too, so one line may hold several.
    parts: VecDeque<String>,
    first: bool,
}

impl Events {
    pub(crate) fn new(lines: Lines) -> Self {
        Self { lines, parts: VecDeque::new(), first: true }
    }

    /// The next event that carries data; `None` at the end of the body.
    pub async fn next(&mut self) -> Result<Option<SseEvent>, HostFault> {
        let mut event = SseEvent::default();
        let mut has_data = false;
        loop {
            let Some(line) = self.line().await? else { return Ok(has_data.then_some(event)) };
            if line.is_empty() {
                if has_data {
                    return Ok(Some(event));
                }
                event = SseEvent::default();
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => {
                    if has_data {
                        event.data.push('\n');
                    }
                    if event.data.len() + value.len() > self.lines.max {
                        return Err(HostFault::new(Fault::TooLarge, format!("an event of more than {} bytes", self.lines.max)));
                    }
                    event.data.push_str(value);
                    has_data = true;
                }
                "event" => event.event = value.into(),
                "id" => event.id = Some(value.into()),
                // An empty field is a comment; `retry` and the unknown mean nothing to a plugin.
                _ => {}
            }
        }
    }

    async fn line(&mut self) -> Result<Option<String>, HostFault> {
        if let Some(part) = self.parts.pop_front() {
            return Ok(Some(part));
        }
        let Some(mut line) = self.lines.next().await? else { return Ok(None) };
        if std::mem::take(&mut self.first)
            && let Some(rest) = line.strip_prefix('\u{feff}')
        {
            line = rest.into();
        }
        if line.contains('\r') {
            self.parts = line.split('\r').map(str::to_owned).collect();
            return Ok(self.parts.pop_front());
        }
        Ok(Some(line))
    }
}
