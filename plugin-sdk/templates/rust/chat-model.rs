//! Answers with a small HTTP API: `POST {base_url}/chat` with `{"model", "messages"}` streams events `data: {"text"}` up to `data: [DONE]`.

use knowhost_plugin_sdk::{Answer, ChatCtx, ChatModel, ChatRequest, Delta, Error, Finish, Part, Result, Role, export_plugin};
use serde_json::{Value, json};

struct Plugin;

impl ChatModel for Plugin {
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        let messages: Vec<Value> =
            request.messages.iter().map(|message| json!({ "role": role(message.role), "text": text(&message.parts) })).collect();
        let body = json!({ "model": request.model.name, "messages": messages });
        let url = request.model.url("", "chat");
        // The host puts the key in, if the model row has one; the plugin never sees it.
        let mut asking = ctx.post(url).json(&body);
        if request.model.setting_bool("api_key_present") == Some(true) {
            asking = asking.bearer("api_key");
        }
        let mut events = asking.await?.accepted().await?.events();
        while let Some(event) = events.next().await? {
            if event.data.trim() == "[DONE]" {
                return Ok(Answer { finish: Finish::Stop, usage: None });
            }
            let piece: Value = serde_json::from_str(&event.data).map_err(|_| Error::upstream("an event of the answer is no JSON"))?;
            match piece["text"].as_str() {
                Some("") => {}
                // Each piece is on its way to the reader when the next one is waited for.
                Some(text) => ctx.emit(Delta::Text(text.to_owned())),
                None => return Err(Error::upstream("an event of the answer holds no text")),
            }
        }
        Err(Error::upstream("the answer broke off"))
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

fn text(parts: &[Part]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Image(_) => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

export_plugin!(Plugin: chat_model);

#[cfg(test)]
mod tests {
    use super::*;
    use knowhost_plugin_sdk::testing::{Exchange, cancel_at_every_step, same_at_every_cut};
    use knowhost_plugin_sdk::{Message, Model, Options, Task};

    fn question() -> ChatRequest {
        let message = Message {
            role: Role::User,
            parts: vec![Part::Text("When does the ferry leave?".into())],
            tool_calls: vec![],
            tool_call_id: None,
        };
        let options = Options {
            temperature: None,
            top_p: None,
            max_tokens: None,
            max_completion_tokens: None,
            frequency_penalty: None,
            presence_penalty: None,
            seed: None,
            stop: vec![],
            thinking: None,
            format: None,
        };
        let model = Model { name: "small".into(), base_url: "http://127.0.0.1:8090".into(), settings: vec![] };
        ChatRequest { model, task: Task::Answer, messages: vec![message], tools: vec![], tool_choice: None, options, question: None, sources: vec![] }
    }

    #[test]
    fn recorded_call_gives_its_text() {
        let script = Exchange::recorded(include_str!("../exchanges/chat.json"));
        let said = same_at_every_cut(&script, |host| host.chat::<Plugin>(question()).text());
        assert_eq!(said, "The ferry leaves at seven.");
        assert!(cancel_at_every_step(&script, |host| host.chat::<Plugin>(question())) > 0);
    }
}
