//! Prompts: what is filled into templates, and the request that a model gets.
//!
//! Not here: the templates' language (`template`) and their texts (settings and sessions).

use super::template::{Template, TemplateError, Value};
use super::text::history::Round;
use super::text::{Hit, passages};
use crate::config::Conversation;
use crate::domain::{Session, SummaryParameters, zone};
use crate::error::{Error, Result};
use crate::provider::{ChatMessage, ChatOptions, ChatRequest, ChatRole, ChatSource, ChatTask};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// The name under which the contract reports errors of context templates.
const CONTEXT: &str = "searchContent";
/// Rounds that the model sees beside the question.
const ROUNDS_SHOWN: usize = 2;

pub(super) fn now() -> OffsetDateTime {
    zone::local(OffsetDateTime::now_utc())
}

pub(super) fn render(name: &str, text: &str, data: &Value) -> Result<String, TemplateError> {
    Template::parse(name, text)?.render(data)
}

/// Refuses a context template that could not be used: it must parse, and render with and without passages.
pub fn check_template(text: &str) -> Result<()> {
    let time = OffsetDateTime::UNIX_EPOCH;
    let samples = [context_data("question", &[], time), context_data("question", &["passage".into()], time)];
    let checked = Template::parse(CONTEXT, text).and_then(|template| samples.iter().try_for_each(|data| template.render(data).map(drop)));
    checked.map_err(|error| Error::bad_request(error.to_string()))
}

fn moment(time: OffsetDateTime) -> String {
    time.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]")).unwrap_or_default()
}

fn context_data(question: &str, contexts: &[String], now: OffsetDateTime) -> Value {
    Value::map([
        ("Query", Value::text(question)),
        ("Contexts", Value::list(contexts.iter().map(Value::text))),
        ("CurrentTime", Value::text(moment(now))),
        ("CurrentWeek", Value::text(passages::weekday(now))),
    ])
}

pub(super) fn rewrite_data(question: &str, rounds: &[Round], now: OffsetDateTime) -> Value {
    let yesterday = (now - Duration::days(1)).format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
    let round = |round: &Round| Value::map([("Query", Value::text(&round.question)), ("Answer", Value::text(&round.answer))]);
    Value::map([
        ("Query", Value::text(question)),
        ("Conversation", Value::list(rounds.iter().map(round))),
        ("CurrentTime", Value::text(moment(now))),
        ("Yesterday", Value::text(yesterday)),
    ])
}

/// What the model is asked, with the passages beside the prompt for those that do not read prompts.
pub(super) fn answer_request(
    session: &Session,
    conversation: &Conversation,
    question: &str,
    rounds: &[Round],
    hits: &[Hit],
    now: OffsetDateTime,
) -> Result<ChatRequest> {
    let parameters = &session.summary_parameters;
    let texts: Vec<String> = hits.iter().map(|hit| passages::for_prompt(&hit.result)).collect();
    let data = context_data(question, &texts, now);
    let builtin = &conversation.summary.context_template;
    let template = if parameters.context_template.trim().is_empty() { builtin } else { &parameters.context_template };
    let user = match render(CONTEXT, template, &data) {
        Ok(text) => text,
        Err(error) => {
            tracing::warn!(session_id = session.id, %error, "the session's context template is broken: the built-in one is used");
            render(CONTEXT, builtin, &data).map_err(|error| Error::internal(anyhow::Error::new(error)))?
        }
    };
    let mut messages = Vec::new();
    if !parameters.prompt.is_empty() {
        messages.push(ChatMessage::text(ChatRole::System, &parameters.prompt));
    }
    for round in &rounds[rounds.len().saturating_sub(ROUNDS_SHOWN)..] {
        messages.push(ChatMessage::text(ChatRole::User, &round.question));
        messages.push(ChatMessage::text(ChatRole::Assistant, &round.answer));
    }
    messages.push(ChatMessage::text(ChatRole::User, user));
    let sources =
        hits.iter().zip(texts).map(|(hit, text)| ChatSource { id: hit.result.id.clone(), title: hit.result.knowledge_title.clone(), text });
    let request = ChatRequest::new(ChatTask::Answer, messages, options(parameters));
    Ok(ChatRequest { question: Some(question.to_owned()), sources: sources.collect(), ..request })
}

/// A number of 0 or less leaves the choice to the provider.
fn options(parameters: &SummaryParameters) -> ChatOptions {
    let number = |value: f64| (value > 0.0).then_some(value as f32);
    let count = |value: i64| u32::try_from(value).ok().filter(|value| *value > 0);
    ChatOptions {
        temperature: number(parameters.temperature),
        top_p: number(parameters.top_p),
        max_tokens: count(parameters.max_tokens),
        max_completion_tokens: count(parameters.max_completion_tokens),
        frequency_penalty: number(parameters.frequency_penalty),
        presence_penalty: number(parameters.presence_penalty),
        seed: (parameters.seed > 0).then_some(parameters.seed),
        stop: Vec::new(),
        thinking: None,
        format: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::testing::hit;
    use crate::provider::ChatPart;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 08:05:09 +8);

    fn session(template: &str) -> Session {
        let parameters =
            SummaryParameters { context_template: template.into(), prompt: "Rules.".into(), temperature: 0.5, ..Default::default() };
        Session { summary_parameters: parameters, ..Session::default() }
    }

    fn texts(request: &ChatRequest) -> Vec<&str> {
        request
            .messages
            .iter()
            .flat_map(|message| &message.parts)
            .map(|part| match part {
                ChatPart::Text(text) => text.as_str(),
                ChatPart::Image { .. } => "image",
            })
            .collect()
    }

    #[test]
    fn the_request_holds_rules_two_rounds_and_the_filled_template() {
        let rounds: Vec<Round> =
            (1..4).map(|number| Round { question: format!("q{number}"), answer: format!("a{number}"), references: vec![] }).collect();
        let session = session("{{range .Contexts}}<{{.}}>{{end}} {{.Query}} {{.CurrentTime}} {{.CurrentWeek}} {{.Nothing}}");
        let hits = [hit("c1", 0, "5 < 6 & \"so\"", 0.9)];
        let request = answer_request(&session, &Conversation::builtin(), "why?", &rounds, &hits, NOW).expect("made");
        assert_eq!(texts(&request), ["Rules.", "q2", "a2", "q3", "a3", "<5 < 6 & \"so\"> why? 2026-11-22 08:05:09 星期日 "]);
        assert_eq!(request.question.as_deref(), Some("why?"));
        assert_eq!(request.sources, [ChatSource { id: "c1".into(), title: "note.txt".into(), text: "5 < 6 & \"so\"".into() }]);
        assert_eq!(request.options, ChatOptions { temperature: Some(0.5), ..ChatOptions::default() });
    }

    #[test]
    fn a_broken_template_gives_way_to_the_built_in_one() {
        let hits = [hit("c1", 0, "passage text", 0.9)];
        for broken in ["", "{{query}}", "{{.Query.Deep}}", "{{range 100000000}}{{end}}"] {
            let request = answer_request(&session(broken), &Conversation::builtin(), "why?", &[], &hits, NOW).expect("made");
            assert!(texts(&request).iter().any(|text| text.contains("passage text") && text.contains("why?")), "{broken}");
        }
    }

    #[test]
    fn templates_are_checked_with_and_without_passages() {
        assert!(check_template("Réponds en une ligne.").is_ok());
        assert!(check_template(&Conversation::builtin().summary.context_template).is_ok());
        assert_eq!(
            check_template("{{query}}").expect_err("unknown").to_string(),
            "template: searchContent:1: function \"query\" not defined"
        );
        assert!(check_template("{{if .Contexts}}{{index .Contexts 5}}{{end}}").is_err());
        assert!(check_template("{{if not .Contexts}}{{.Query.Deep}}{{end}}").is_err());
    }

    #[test]
    fn the_built_in_prompts_render() {
        let conversation = Conversation::builtin();
        let context =
            render("t", &conversation.summary.context_template, &context_data("q?", &["one".into(), "two".into()], NOW)).expect("renders");
        assert!(context.contains("[1] one") && context.contains("[2] two") && context.contains("q?"), "{context}");
        let round = Round { question: "What is A?".into(), answer: "A thing.".into(), references: vec![] };
        let data = rewrite_data("And B?", &[round], NOW);
        let user = render("t", &conversation.rewrite_prompt_user, &data).expect("renders");
        assert!(
            user.contains("What is A?") && user.contains("A thing.") && user.contains("And B?") && user.contains("2026-11-21"),
            "{user}"
        );
        render("t", &conversation.rewrite_prompt_system, &data).expect("renders");
    }
}
