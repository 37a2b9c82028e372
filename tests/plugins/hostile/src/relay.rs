//! Hands on what a server says, line by line, and misbehaves when the server says so: the test holds all the strings.
//!
//! Not here: misdeeds that need no server (`calls`).

use crate::calls::endless;
use knowhost_plugin_sdk::{ChatRequest, Delta, Model, Part, Result, Role, StreamCtx};
use std::sync::atomic::{AtomicU32, Ordering};

/// Lives as long as the instance: a call that shows it is not deterministic.
static CALLS_SEEN: AtomicU32 = AtomicU32::new(0);

fn said(request: &ChatRequest) -> String {
    let last = request.messages.iter().rev().find(|message| message.role == Role::User);
    let parts = last.map(|message| message.parts.as_slice()).unwrap_or_default();
    let texts = parts.iter().map(|part| match part {
        Part::Text(text) => text.as_str(),
        Part::Image(_) => "",
    });
    texts.collect()
}

/// Sends what the user said to `base_url` and emits each line of the answer.
///
/// `!trap` and `!loop` do what they say, `!mood` emits how many calls this instance has seen, `!pause` waits a moment.
pub(crate) async fn relay(ctx: &StreamCtx<Delta>, request: &ChatRequest) -> Result<()> {
    let mood = CALLS_SEEN.fetch_add(1, Ordering::Relaxed);
    let Model { base_url, .. } = &request.model;
    let mut lines = ctx.post(base_url.clone()).body(said(request)).await?.lines();
    while let Some(line) = lines.next().await? {
        match line.as_str() {
            "!trap" => panic!("as told, by the server"),
            "!loop" => endless(),
            "!pause" => ctx.sleep_ms(1).await,
            "!mood" => ctx.emit(Delta::Text(format!("call {mood} of this instance"))),
            text => ctx.emit(Delta::Text(text.to_owned())),
        }
    }
    Ok(())
}
