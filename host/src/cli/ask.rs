//! `knowhost ask`: one question, one streamed answer, its sources.

use super::EXIT_DONE;
use super::arguments::Ask;
use super::client::{Client, failure, text};
use super::output::Output;
use crate::config::Settings;
use anyhow::{Result, anyhow, bail};
use reqwest::Method;
use serde_json::{Value, json};

const LINE_BYTES_MAX: usize = 64 << 20;

pub(super) async fn run(settings: Settings, ask: Ask, output: &Output) -> Result<u8> {
    let client = Client::connect(settings).await?;
    let result = answer(&client, &ask, output).await;
    client.close().await?;
    result.map(|()| EXIT_DONE)
}

async fn answer(client: &Client, ask: &Ask, output: &Output) -> Result<()> {
    let session_id = match &ask.session {
        Some(id) => id.clone(),
        None => make_session(client, ask.kb.as_deref()).await?,
    };
    let request = client.request(Method::POST, &format!("/knowledge-chat/{session_id}")).json(&json!({ "query": ask.question }));
    let mut response = request.send().await?;
    if !response.status().is_success() {
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        bail!("{}", failure(&body).unwrap_or_else(|| format!("the server answered {status}")));
    }
    let mut events = Events::default();
    let mut shown = Shown::default();
    while let Some(bytes) = response.chunk().await? {
        for event in events.push(&bytes)? {
            shown.event(&event, output);
        }
    }
    if !shown.done {
        bail!("the answer was cut off; try again");
    }
    output.piece("\n");
    shown.sources(output);
    output.line(format!("\nGo on with: knowhost ask --session {session_id} \"...\""));
    output.value(&json!({ "session_id": session_id, "answer": shown.text, "references": shown.references }));
    Ok(())
}

async fn make_session(client: &Client, kb: Option<&str>) -> Result<String> {
    let kb = match kb {
        Some(name) => client
            .find_knowledge_base(name)
            .await?
            .ok_or_else(|| anyhow!("no knowledge base is called {name:?}; see `knowhost kb list`"))?,
        None => client
            .knowledge_bases()
            .await?
            .pop()
            .ok_or_else(|| anyhow!("there is no knowledge base yet; `knowhost import PATH --kb NAME` makes one"))?,
    };
    let made = client.post("/sessions", &json!({ "knowledge_base_id": kb["id"] })).await?;
    Ok(text(&made["data"], "id").to_owned())
}

/// What was shown of an answer so far.
#[derive(Default)]
struct Shown {
    text: String,
    references: Vec<Value>,
    done: bool,
}

impl Shown {
    fn event(&mut self, event: &Value, output: &Output) {
        if let Some(references) = event["knowledge_references"].as_array() {
            self.references.clone_from(references);
        }
        let piece = text(event, "content");
        self.text.push_str(piece);
        output.piece(piece);
        self.done |= event["done"] == true;
    }

    fn sources(&self, output: &Output) {
        for (number, reference) in (1..).zip(&self.references) {
            if number == 1 {
                output.line("\nSources");
            }
            let excerpt: String = text(reference, "content").split_whitespace().collect::<Vec<_>>().join(" ").chars().take(90).collect();
            output.line(format!(
                "  [{number}] {} (score {:.2}): {excerpt}...",
                text(reference, "knowledge_title"),
                reference["score"].as_f64().unwrap_or_default()
            ));
        }
    }
}

/// Data lines of an event stream, whole ones only.
#[derive(Default)]
struct Events {
    rest: Vec<u8>,
}

impl Events {
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<Value>> {
        self.rest.extend_from_slice(bytes);
        if self.rest.len() > LINE_BYTES_MAX {
            bail!("the server sent a line of more than {LINE_BYTES_MAX} bytes");
        }
        let mut events = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            if let Some(data) = line.strip_prefix(b"data:") {
                events.push(serde_json::from_slice(data)?);
            }
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_wherever_the_stream_is_cut() {
        let stream = "event:message\ndata:{\"content\":\"中\"}\n\n: silence\n\nevent:message\ndata:{\"content\":\"b\"}\n\n".as_bytes();
        for cut in 0..stream.len() {
            let mut events = Events::default();
            let mut found = events.push(&stream[..cut]).expect("valid");
            found.extend(events.push(&stream[cut..]).expect("valid"));
            assert_eq!(found, [json!({ "content": "中" }), json!({ "content": "b" })]);
        }
    }
}
