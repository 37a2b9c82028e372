use super::*;
use knowhost_plugin_sdk::testing::{Exchange, Host, Outcome, cancel_at_every_step, same_at_every_cut};
use knowhost_plugin_sdk::{
    Auth, CatalogueQuery, CatalogueReply, CatalogueRequest, Delta, Error, Fault, Finish, Message, Options, Part, Progress, Purpose, Role,
    Setting, Task, Usage,
};
use serde_json::json;

const BASE: &str = "http://127.0.0.1:11434";

fn model(name: &str) -> Model {
    Model { name: name.into(), base_url: BASE.into(), settings: vec![] }
}

fn url(path: &str) -> String {
    format!("{BASE}{path}")
}

fn ask(task: Task, thinking: Option<bool>) -> ChatRequest {
    ChatRequest {
        model: model("qwen3"),
        task,
        messages: vec![Message { role: Role::User, parts: vec![Part::Text("hi".into())], tool_calls: vec![], tool_call_id: None }],
        tools: vec![],
        tool_choice: None,
        options: Options {
            temperature: Some(0.3),
            top_p: Some(0.0),
            max_tokens: Some(64),
            max_completion_tokens: Some(9),
            frequency_penalty: Some(1.0),
            presence_penalty: None,
            seed: Some(1),
            stop: vec![],
            thinking,
            format: None,
        },
        question: None,
        sources: vec![],
    }
}

const STREAM: &str = "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n\
    {\"message\":{\"content\":\"你\"},\"done\":false}\n{\"message\":{\"content\":\"好\"},\"done\":false}\n\
    {\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":11,\"eval_count\":2}\n";

fn chat(host: &mut Host) -> Outcome<Delta, Answer> {
    host.chat::<Ollama>(ask(Task::Answer, None))
}

#[test]
fn streamed_answer_is_the_same_at_every_cut() {
    let script = [Exchange::new("POST", &url("/api/chat")).body(STREAM)];
    let outcome = same_at_every_cut(&script, chat);
    let reasoning = |text: &str| Delta::Reasoning(text.into());
    assert_eq!(outcome.deltas, [reasoning(""), reasoning("hm"), Delta::Text("你".into()), Delta::Text("好".into())]);
    let usage = Some(Usage { input_tokens: 11, output_tokens: 2 });
    assert_eq!(outcome.result().unwrap(), Answer { finish: Finish::Stop, usage });
    assert!(cancel_at_every_step(&script, chat) > 10);
}

#[test]
fn chat_request_has_the_fields_of_the_reference() {
    let mut host = Host::new([Exchange::new("POST", &url("/api/chat")).body(STREAM)]);
    chat(&mut host);
    let expected = json!({
        "model": "qwen3",
        "messages": [{ "role": "user", "content": "hi" }],
        "stream": true,
        "options": { "temperature": 0.3, "num_predict": 64 },
    });
    assert_eq!(host.request_json(0), expected);
    assert_eq!(host.requests[0].auth, []);

    let mut host = Host::new([Exchange::new("POST", &url("/api/chat")).body("{\"message\":{\"content\":\"t\"},\"done\":true}")]);
    let outcome = host.chat::<Ollama>(ask(Task::Title, Some(false)));
    assert_eq!(outcome.deltas, [Delta::Text("t".into())], "nobody waits for the beginning of a title");
    assert_eq!(host.request_json(0)["think"], false);
    assert_eq!(host.request_json(0)["stream"], false);
}

#[test]
fn model_that_can_not_think_is_asked_again_without_it() {
    let refusal = || Exchange::new("POST", &url("/api/chat")).status(400).body("{\"error\":\"\\\"qwen3\\\" does not support thinking\"}");
    let mut host = Host::new([refusal(), Exchange::new("POST", &url("/api/chat")).body(STREAM)]);
    assert_eq!(host.chat::<Ollama>(ask(Task::Answer, Some(true))).text(), "你好");
    assert!(host.request_json(1).get("think").is_none());
    let other = Exchange::new("POST", &url("/api/chat")).status(400).body("{\"error\":\"bad options\"}");
    let outcome = Host::new([other]).chat::<Ollama>(ask(Task::Answer, Some(true)));
    assert_eq!(outcome.result(), Err(Error::invalid("Ollama answered 400: bad options")));
}

#[test]
fn refusals_breaks_and_cuts_are_errors_with_the_words_of_the_server() {
    let error = |exchange: Exchange| chat(&mut Host::new([exchange])).result().unwrap_err();
    let refused = chat(&mut Host::new([Exchange::new("POST", &url("/api/chat")).status(500).body("no memory")]));
    assert_eq!(refused.deltas, [], "an answer that is refused was never opened");
    let at = || Exchange::new("POST", &url("/api/chat"));
    let missing = at().status(404).body("{\"error\":\"model 'qwen3' not found\"}");
    assert_eq!(error(missing), Error::not_found("Ollama answered 404: model 'qwen3' not found"));
    assert_eq!(error(at().status(500).body("no memory")), Error::upstream("Ollama answered 500: no memory"));
    assert!(matches!(error(at().status(400).body("{\"error\":\"input exceeds the context length\"}")), Error::TooLong(_)));
    let line = "{\"message\":{\"content\":\"a\"}}\n{\"error\":\"runner died\"}\n";
    assert_eq!(error(at().body(line)), Error::upstream("Ollama broke off: runner died"));
    assert!(matches!(error(at().body("{\"message\":{\"content\":\"a\"}}\n")), Error::Upstream(_)));
    assert!(matches!(error(at().body("<html>")), Error::Upstream(_)));
    assert_eq!(error(at().fails(Fault::Connect, "connection refused")), Error::upstream("connection refused"));
}

#[test]
fn tool_calls_are_handed_on() {
    let line = "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"look\",\"arguments\":{\"a\":1}}}]},\"done\":true}";
    let outcome = chat(&mut Host::new([Exchange::new("POST", &url("/api/chat")).body(line)]));
    assert!(
        matches!(&outcome.deltas[..], [Delta::Reasoning(_), Delta::Tool(tool)] if tool.arguments == "{\"a\":1}" && tool.name.as_deref() == Some("look"))
    );
    assert_eq!(outcome.result().unwrap().finish, Finish::Tool);
}

fn texts(texts: &[&str]) -> EmbedRequest {
    EmbedRequest { model: model(""), purpose: Purpose::Query, texts: texts.iter().map(|text| (*text).into()).collect(), dimensions: None }
}

#[test]
fn embeddings_are_sent_and_read() {
    let script = [Exchange::new("POST", &url("/api/embed")).body("{\"embeddings\":[[1,2],[3,4.5]],\"prompt_eval_count\":6}")];
    let found = same_at_every_cut(&script, |host| host.embed::<Ollama>(texts(&["a", "b"]))).unwrap();
    assert_eq!((found.dimension, found.data), (2, vec![1.0, 2.0, 3.0, 4.5]));
    let mut host = Host::new(script);
    host.embed::<Ollama>(texts(&["a", "b"])).unwrap();
    assert_eq!(host.request_json(0), json!({ "model": "nomic-embed-text", "input": ["a", "b"] }));
    assert!(Host::default().embed::<Ollama>(texts(&[])).unwrap().data.is_empty());
}

#[test]
fn wrong_embeddings_are_refused() {
    for body in [
        "{\"embeddings\":[[1]]}",
        "{\"embeddings\":[[1],[1,2]]}",
        "{\"embeddings\":[[],[]]}",
        "{}",
        "{\"error\":\"no\"}",
        "[",
        "{\"embeddings\":[[1],[1e99]]}",
    ] {
        let script = [Exchange::new("POST", &url("/api/embed")).body(body)];
        assert!(matches!(Host::new(script).embed::<Ollama>(texts(&["a", "b"])), Err(Error::Upstream(_))), "{body}");
    }
}

fn catalogue(host: &mut Host, query: CatalogueQuery, name: &str) -> Outcome<Progress, CatalogueReply> {
    host.catalogue::<Ollama>(CatalogueRequest { model: model(name), query })
}

const TAGS: &str =
    "{\"models\":[{\"name\":\"qwen3:latest\",\"size\":5,\"digest\":\"d\",\"modified_at\":\"2025-01-01T00:00:00Z\"},{\"name\":\"a:1b\"}]}";

#[test]
fn version_and_models_are_told() {
    let version = Exchange::new("GET", &url("/api/version")).body("{\"version\":\"0.9.1\"}");
    let reply = same_at_every_cut(&[version], |host| catalogue(host, CatalogueQuery::Status, ""));
    assert_eq!(reply.result(), Ok(CatalogueReply::Status("0.9.1".into())));

    let tags = || Exchange::new("GET", &url("/api/tags")).body(TAGS);
    let Ok(CatalogueReply::Models(entries)) = catalogue(&mut Host::new([tags()]), CatalogueQuery::Models, "").result() else { panic!() };
    assert_eq!((entries[0].name.as_str(), entries[0].size_bytes, entries.len()), ("qwen3:latest", 5, 2));
    for (name, found) in [("qwen3", true), ("qwen3:latest", true), ("a", false), ("a:1b", true), ("qwen", false)] {
        let reply = catalogue(&mut Host::new([tags()]), CatalogueQuery::Check, name).result();
        assert_eq!(reply, Ok(CatalogueReply::Check(found)), "{name}");
    }
    let empty = Exchange::new("GET", &url("/api/tags")).body("{\"models\":null}");
    assert_eq!(catalogue(&mut Host::new([empty]), CatalogueQuery::Models, "").result(), Ok(CatalogueReply::Models(vec![])));
}

#[test]
fn pull_tells_progress_over_all_layers() {
    let body = "{\"status\":\"pulling manifest\"}\n{\"status\":\"pulling a\",\"digest\":\"a\",\"total\":100}\n\
        {\"status\":\"pulling a\",\"digest\":\"a\",\"total\":100,\"completed\":100}\n\
        {\"status\":\"pulling b\",\"digest\":\"b\",\"total\":10,\"completed\":5}\n{\"status\":\"success\"}\n";
    let script = [Exchange::new("POST", &url("/api/pull")).body(body)];
    let outcome = same_at_every_cut(&script, |host| catalogue(host, CatalogueQuery::Pull, "m"));
    let bytes: Vec<(u64, u64)> = outcome.deltas.iter().map(|progress| (progress.completed_bytes, progress.total_bytes)).collect();
    assert_eq!(bytes, [(0, 0), (0, 100), (100, 100), (105, 110), (105, 110)]);
    assert_eq!(outcome.result(), Ok(CatalogueReply::Done));
    assert!(cancel_at_every_step(&script, |host| catalogue(host, CatalogueQuery::Pull, "m")) > 5);
    let mut host = Host::new(script);
    catalogue(&mut host, CatalogueQuery::Pull, "m");
    assert_eq!(host.request_json(0)["name"], "m");
}

#[test]
fn pull_that_fails_after_its_200_is_an_error() {
    let pull =
        |body: &str| catalogue(&mut Host::new([Exchange::new("POST", &url("/api/pull")).body(body)]), CatalogueQuery::Pull, "m").result();
    let failed = pull("{\"status\":\"pulling manifest\"}\n{\"error\":\"pull model manifest: file does not exist\"}\n");
    assert_eq!(failed, Err(Error::not_found("Ollama broke off: pull model manifest: file does not exist")));
    assert!(matches!(pull("{\"status\":\"pulling manifest\"}\n"), Err(Error::Upstream(_))));
}

#[test]
fn remove_says_whether_the_model_was_there() {
    let remove = |status| {
        catalogue(&mut Host::new([Exchange::new("DELETE", &url("/api/delete")).status(status)]), CatalogueQuery::Remove, "m").result()
    };
    assert_eq!(remove(200), Ok(CatalogueReply::Done));
    assert!(matches!(remove(404), Err(Error::NotFound(_))));
    assert!(matches!(catalogue(&mut Host::default(), CatalogueQuery::Remove, "").result(), Err(Error::Invalid(_))));
}

#[test]
fn key_is_named_only_where_there_is_one() {
    let mut keyed = model("");
    keyed.settings.push(Setting { name: "api_key_present".into(), value: "true".into() });
    let mut host = Host::new([Exchange::new("GET", &url("/api/version")).body("{\"version\":\"1\"}")]);
    host.catalogue::<Ollama>(CatalogueRequest { model: keyed, query: CatalogueQuery::Status }).result().unwrap();
    assert_eq!(host.requests[0].auth, [Auth::Bearer("api_key".into())]);
}

#[test]
fn images_are_sent_beside_the_text() {
    let mut request = ask(Task::Answer, None);
    let image = knowhost_plugin_sdk::Image { media_type: "image/png".into(), data: b"foo".to_vec() };
    request.messages[0].parts.push(Part::Image(image));
    let mut host = Host::new([Exchange::new("POST", &url("/api/chat")).body(STREAM)]);
    host.chat::<Ollama>(request);
    assert_eq!(host.request_json(0)["messages"][0], json!({ "role": "user", "content": "hi", "images": ["Zm9v"] }));
}
