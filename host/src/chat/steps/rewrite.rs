//! Makes a follow-up question understandable on its own: by a model that can, else by rule.
//!
//! Not here: what is then searched.

use super::collect;
use crate::chat::budget::Budget;
use crate::chat::text::follow_up::{Earlier, search_text};
use crate::chat::text::history::Round;
use crate::chat::text::preprocess;
use crate::chat::{ChatParts, prompt};
use crate::domain::{Session, TenantScope};
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{ChatOptions, ChatTask};

/// What is searched for, in words and as keywords.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) struct Searched {
    pub(in crate::chat) text: String,
    pub(in crate::chat) keywords: String,
}

/// Never fails the answer: in the worst case the question is searched as it stands.
pub(in crate::chat) async fn rewrite(
    parts: &ChatParts,
    budget: &Budget,
    scope: &TenantScope,
    session: &Session,
    question: &str,
    rounds: &[Round],
) -> Result<Searched> {
    let text = if rounds.is_empty() || !session.enable_rewrite {
        question.to_owned()
    } else {
        match by_model(parts, budget, scope, session, question, rounds).await {
            Ok(Some(text)) => text,
            Ok(None) => by_rule(parts, question, rounds).await?,
            Err(error) => {
                tracing::warn!(request_id = budget.request_id(), %error, "the question was not rewritten by the model");
                by_rule(parts, question, rounds).await?
            }
        }
    };
    let keywords = preprocess::keywords(&*parts.registry.tokenizer(), &text).await?;
    Ok(Searched { text, keywords })
}

/// `None` when the model can not rewrite or says nothing.
async fn by_model(
    parts: &ChatParts,
    budget: &Budget,
    scope: &TenantScope,
    session: &Session,
    question: &str,
    rounds: &[Round],
) -> Result<Option<String>> {
    let model = parts.registry.chat_model(scope, &session.summary_model_id).await?;
    if !model.can(ChatTask::Rewrite) {
        return Ok(None);
    }
    let data = prompt::rewrite_data(question, rounds, prompt::now());
    let conversation = &parts.conversation;
    let render = |name: &str, text: &str| prompt::render(name, text, &data).map_err(|error| Error::bad_request(error.to_string()));
    let system = render("rewrite_prompt_system", &conversation.rewrite_prompt_system)?;
    let user = render("rewrite_prompt_user", &conversation.rewrite_prompt_user)?;
    let options = ChatOptions { temperature: Some(0.3), max_completion_tokens: Some(50), thinking: Some(false), ..ChatOptions::default() };
    let context = budget.context(limits::REWRITE_TIME);
    let call = collect(&*model, &context, ChatTask::Rewrite, &system, user, options);
    let text = budget.run("rewriting the question", &context, call).await?;
    Ok((!text.is_empty() && text.len() <= limits::QUERY_BYTES_MAX).then_some(text))
}

async fn by_rule(parts: &ChatParts, question: &str, rounds: &[Round]) -> Result<String> {
    let tokenizer = parts.registry.tokenizer();
    let words = preprocess::words(&*tokenizer, question).await?;
    let mut earlier = Vec::with_capacity(rounds.len());
    for round in rounds {
        earlier.push(Earlier { question: &round.question, words: preprocess::words(&*tokenizer, &round.question).await? });
    }
    Ok(search_text(question, &words, &earlier))
}
