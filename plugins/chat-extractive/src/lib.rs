//! Answers without a model: it quotes the sentences of the sources that fit the question best, and says that it only quotes.
//!
//! Not here: writing. It never says anything that does not stand in a source; when nothing there fits, it says nothing at all, and the
//! host tells that the answer was not found. Same question, same sources, same answer.

mod pick;
mod sentences;
#[cfg(test)]
mod tests;

use knowhost_plugin_sdk::text::is_chinese;
use knowhost_plugin_sdk::{Answer, ChatCtx, ChatModel, ChatRequest, Delta, Error, Finish, Part, Result, Role, Task, export_plugin};

struct ChatExtractive;

impl ChatModel for ChatExtractive {
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        match request.task {
            Task::Answer => {}
            Task::Rewrite | Task::Summary | Task::Title | Task::Extract => {
                return Err(Error::unsupported("the built-in answerer only answers questions from sources"));
            }
        }
        let question = question(&request);
        let quotes = pick::quotes(&question, &request.sources);
        if !quotes.is_empty() {
            let chinese = is_chinese(&question);
            ctx.emit(Delta::Text(if chinese { "资料中的相关内容：\n\n" } else { "From the sources:\n\n" }.into()));
            for quote in &quotes {
                ctx.emit(Delta::Text(format!("- {} [{}]\n", quote.text, quote.source + 1)));
            }
            let note = if chinese {
                "\n*（尚未配置对话模型，这是内置的摘录式回答：只引用原文，不作归纳。）*"
            } else {
                "\n*(No chat model is configured. This is the built-in answerer: it only quotes and draws no conclusions.)*"
            };
            ctx.emit(Delta::Text(note.into()));
        }
        Ok(Answer { finish: Finish::Stop, usage: None })
    }
}

/// As typed; else the last thing that the user said.
fn question(request: &ChatRequest) -> String {
    if let Some(question) = request.question.as_ref().filter(|question| !question.trim().is_empty()) {
        return question.clone();
    }
    let last = request.messages.iter().rev().find(|message| message.role == Role::User);
    let texts = last.map(|message| message.parts.as_slice()).unwrap_or_default().iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Image(_) => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

export_plugin!(ChatExtractive: chat_model);
