//! Event streams as a strict client reads them.

use anyhow::{Context, Result, bail};
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct SseEvent {
    pub data: Value,
}

impl SseEvent {
    pub fn kind(&self) -> &str {
        self.data["response_type"].as_str().unwrap_or_default()
    }

    pub fn content(&self) -> &str {
        self.data["content"].as_str().unwrap_or_default()
    }

    pub fn is_done(&self) -> bool {
        self.data["done"] == true
    }

    pub fn references(&self) -> &[Value] {
        self.data["knowledge_references"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Reads a whole stream; anything but `event:message`, `data:{json}`, an empty line and comments is an error.
pub fn read_events(text: &str) -> Result<Vec<SseEvent>> {
    let mut events = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (block, tail) = rest.split_once("\n\n").context("the stream ends inside an event")?;
        rest = tail;
        if block.starts_with(':') {
            continue;
        }
        let Some(data) = block.strip_prefix("event:message\ndata:") else { bail!("an odd block: {block:?}") };
        events.push(SseEvent { data: serde_json::from_str(data)? });
    }
    Ok(events)
}
