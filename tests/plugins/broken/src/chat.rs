//! Says back what it is asked, in pieces.
//!
//! Not here: mistakes that every kind can make (`stumble`).

use crate::{Broken, stumble};
use knowhost_plugin_sdk::{Answer, ChatCtx, ChatModel, ChatRequest, Delta, Error, Finish, Part, Result, Task};

impl ChatModel for Broken {
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        let parts = request.messages.iter().flat_map(|message| &message.parts);
        let texts: Vec<String> = parts
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.clone()),
                Part::Image(_) => None,
            })
            .collect();
        stumble(&request.model, &texts)?;
        if request.model.name == "tasks" && request.task == Task::Title {
            return Err(Error::unsupported("no titles"));
        }
        for word in texts.iter().flat_map(|text| text.split_inclusive(' ')).take(5) {
            ctx.emit(Delta::Text(word.to_owned()));
            ctx.sleep_ms(1).await;
        }
        if texts.iter().all(String::is_empty) {
            return Err(Error::invalid("there is nothing to answer"));
        }
        if request.model.name == "stream" {
            ctx.emit(Delta::Reasoning("an afterthought".into()));
        }
        Ok(Answer { finish: Finish::Stop, usage: None })
    }
}
