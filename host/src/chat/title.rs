//! Names a conversation after its first question.
//!
//! Not here: changing a title by hand (`library::sessions`).

use super::budget::Budget;
use super::{Chat, steps};
use crate::domain::TenantScope;
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{ChatOptions, ChatTask};
use crate::store::SessionPatch;
use tokio_util::sync::CancellationToken;

impl Chat {
    /// The session's title, made now if it has none. `question` is the client's; without one the oldest stored question counts.
    pub async fn generate_title(&self, scope: &TenantScope, request_id: &str, session_id: &str, question: Option<&str>) -> Result<String> {
        let parts = &self.parts;
        let session = parts.store.get_session(scope, session_id).await?;
        if !session.title.is_empty() {
            return Ok(session.title);
        }
        let question = match question {
            Some(question) => question.to_owned(),
            None => {
                let stored = parts.store.find_first_user_message(scope, session_id).await?;
                stored.map(|message| message.content).ok_or_else(|| Error::not_found("record not found"))?
            }
        };
        let model = parts.registry.chat_model(scope, &session.summary_model_id).await?;
        let title = if model.can(ChatTask::Title) {
            let cancel = CancellationToken::new();
            let _guard = cancel.clone().drop_guard();
            let budget = Budget::new(scope.tenant_id(), request_id, limits::TITLE_TIME, cancel);
            let context = budget.context(limits::TITLE_TIME);
            let options = ChatOptions { temperature: Some(0.3), thinking: Some(false), ..ChatOptions::default() };
            let user = format!("{question} /no_think");
            let system = &parts.conversation.generate_session_title_prompt;
            let call = steps::collect(&*model, &context, ChatTask::Title, system, user, options);
            budget.run("the title", &context, call).await?
        } else {
            String::new()
        };
        let title = shortened(if title.is_empty() { &question } else { &title });
        parts.store.update_session(scope, session_id, &SessionPatch { title: Some(title.clone()), ..SessionPatch::default() }).await?;
        Ok(title)
    }
}

/// One line of at most as many characters as a title may have.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('\0', "");
    line.chars().take(limits::NAME_CHARS_MAX).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_one_line_of_bounded_length() {
        assert_eq!(shortened("  What\n is\0 this? "), "What is this?");
        assert_eq!(shortened(&"中".repeat(300)).chars().count(), 255);
    }
}
