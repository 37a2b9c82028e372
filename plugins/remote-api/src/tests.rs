use super::*;
use knowhost_plugin_sdk::testing::{Cut, Exchange, Host, Outcome, cancel_at_every_step, same_at_every_cut};
use knowhost_plugin_sdk::{
    Auth, Delta, Error, Fault, Finish, Image, Message, Model, Options, Part, Purpose, Role, Setting, Task, Tool, Usage,
};
use serde_json::{Value, json};

const BASE: &str = "https://api.peer.example/v1";
const CHAT: &str = "https://api.peer.example/v1/chat/completions";
const EMBED: &str = "https://api.peer.example/v1/embeddings";
const RERANK: &str = "https://api.peer.example/v1/rerank";

fn model(settings: &[(&str, &str)]) -> Model {
    let settings = settings.iter().map(|(name, value)| Setting { name: (*name).into(), value: (*value).into() }).collect();
    Model { name: "m1".into(), base_url: BASE.into(), settings }
}

fn options() -> Options {
    Options {
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
    }
}

fn say(role: Role, text: &str) -> Message {
    Message { role, parts: vec![Part::Text(text.into())], tool_calls: vec![], tool_call_id: None }
}

fn ask(task: Task) -> ChatRequest {
    ChatRequest {
        model: model(&[("api_key_present", "true")]),
        task,
        messages: vec![say(Role::System, ""), say(Role::User, "hi")],
        tools: vec![],
        tool_choice: None,
        options: options(),
        question: None,
        sources: vec![],
    }
}

fn embed_request(texts: &[&str]) -> EmbedRequest {
    EmbedRequest { model: model(&[]), purpose: Purpose::Chunk, texts: texts.iter().map(|text| (*text).into()).collect(), dimensions: None }
}

fn rerank_request(base_url: &str, texts: &[&str]) -> RerankRequest {
    let model = Model { base_url: base_url.into(), ..model(&[]) };
    RerankRequest { model, query: "q".into(), texts: texts.iter().map(|text| (*text).into()).collect(), top: None }
}

fn sse(events: &[Value]) -> Exchange {
    let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    Exchange::new("POST", CHAT).header("Content-Type", "text/event-stream").body(format!("{body}data: [DONE]\n\n"))
}

fn piece(text: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": { "content": text } }] })
}

fn chat(host: &mut Host) -> Outcome<Delta, Answer> {
    host.chat::<RemoteApi>(ask(Task::Answer))
}

fn chat_error(exchange: Exchange) -> Error {
    chat(&mut Host::new([exchange])).result().unwrap_err()
}

#[test]
fn streamed_answer_is_the_same_at_every_cut() {
    let script = [sse(&[
        json!({ "choices": [{ "delta": { "role": "assistant", "content": "" } }] }),
        json!({ "choices": [{ "delta": { "reasoning_content": "hm" } }] }),
        piece("你好"),
        piece(" 🙂"),
        json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }),
        json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 4 } }),
    ])];
    let outcome = same_at_every_cut(&script, chat);
    let text = |text: &str| Delta::Text(text.into());
    let reasoning = |text: &str| Delta::Reasoning(text.into());
    assert_eq!(outcome.deltas, [reasoning(""), text(""), reasoning("hm"), text(""), text("你好"), text(" 🙂"), text("")]);
    let usage = Some(Usage { input_tokens: 3, output_tokens: 4 });
    assert_eq!(outcome.result().unwrap(), Answer { finish: Finish::Stop, usage });
    assert!(cancel_at_every_step(&script, chat) > 10);
}

#[test]
fn request_of_an_answer_has_the_fields_of_the_reference_and_no_others() {
    let mut host = Host::new([sse(&[piece("x")])]);
    chat(&mut host);
    assert_eq!(
        host.request_json(0),
        json!({
            "model": "m1",
            "messages": [{ "role": "system" }, { "role": "user", "content": "hi" }],
            "stream": true,
            "chat_template_kwargs": { "enable_thinking": false },
        })
    );
    let request = &host.requests[0];
    assert_eq!(request.auth, [Auth::Bearer("api_key".into())]);
    let header = |name: &str| request.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str());
    assert_eq!(header("Accept"), Some("text/event-stream"));
    assert_eq!(header("Content-Type"), Some("application/json"));
    assert_eq!(header("Cache-Control"), Some("no-cache"));
}

#[test]
fn options_are_sent_when_they_are_above_zero() {
    let mut request = ask(Task::Answer);
    request.options = Options {
        temperature: Some(0.3),
        top_p: Some(0.0),
        max_tokens: Some(100),
        max_completion_tokens: Some(50),
        frequency_penalty: Some(-1.0),
        presence_penalty: Some(0.5),
        seed: Some(7),
        thinking: Some(true),
        ..options()
    };
    let mut host = Host::new([sse(&[piece("x")])]);
    host.chat::<RemoteApi>(request);
    let body = host.request_json(0);
    assert!(String::from_utf8_lossy(&host.requests[0].body).contains("\"temperature\":0.3,"));
    assert_eq!(body["max_tokens"], 100);
    assert_eq!(body["max_completion_tokens"], 50);
    assert_eq!(body["presence_penalty"], 0.5);
    assert_eq!(body["chat_template_kwargs"]["enable_thinking"], true);
    for absent in ["top_p", "frequency_penalty", "seed"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn other_tasks_are_asked_for_as_a_whole() {
    let answer = json!({ "choices": [{ "message": { "role": "assistant", "content": "Title" }, "finish_reason": "length" }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 } });
    let script = [Exchange::new("POST", CHAT).header("content-type", "application/json").body(answer.to_string())];
    let outcome = same_at_every_cut(&script, |host| host.chat::<RemoteApi>(ask(Task::Title)));
    assert_eq!(outcome.text(), "Title");
    assert_eq!(outcome.result().unwrap().finish, Finish::Length);
    let mut host = Host::new(script);
    host.chat::<RemoteApi>(ask(Task::Title));
    assert!(host.request_json(0).get("stream").is_none());
}

#[test]
fn service_that_ignores_streaming_is_understood() {
    let answer = json!({ "choices": [{ "message": { "content": "all" } }] });
    let script = [Exchange::new("POST", CHAT).header("content-type", "application/json; charset=utf-8").body(answer.to_string())];
    assert_eq!(chat(&mut Host::new(script)).text(), "all");
}

#[test]
fn aliyun_qwen3_is_told_not_to_think_when_not_streamed() {
    let url = "https://dashscope.aliyuncs.com/compatible-mode/v1";
    let mut request = ask(Task::Title);
    request.model = Model { name: "qwen3-8b".into(), base_url: url.into(), settings: vec![] };
    let body = json!({ "choices": [{ "message": { "content": "x" } }] }).to_string();
    let mut host = Host::new([Exchange::new("POST", &format!("{url}/chat/completions")).body(body)]);
    host.chat::<RemoteApi>(request).result().unwrap();
    assert_eq!(host.request_json(0)["enable_thinking"], false);
    assert_eq!(host.requests[0].auth, []);
}

#[test]
fn models_that_refuse_samplers_get_none() {
    let mut request = ask(Task::Answer);
    request.model.name = "o3-mini".into();
    request.options = Options { temperature: Some(0.3), max_tokens: Some(9), ..options() };
    let mut host = Host::new([sse(&[piece("x")])]);
    host.chat::<RemoteApi>(request);
    let body = host.request_json(0);
    assert!(body.get("temperature").is_none() && body.get("max_tokens").is_none());
    assert_eq!(body["max_completion_tokens"], 9);
}

#[test]
fn empty_address_means_the_common_one_and_slashes_at_its_end_are_dropped() {
    for (base_url, url) in
        [("", "https://api.openai.com/v1/chat/completions"), ("http://a.example/v1//", "http://a.example/v1/chat/completions")]
    {
        let mut request = ask(Task::Answer);
        request.model.base_url = base_url.into();
        let exchange = Exchange::new("POST", url).body("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\ndata:[DONE]\n");
        assert_eq!(Host::new([exchange]).chat::<RemoteApi>(request).text(), "x");
    }
}

#[test]
fn strict_service_is_asked_again_without_the_field_it_refuses() {
    let refusal = json!({ "error": { "message": "Unrecognized request argument supplied: chat_template_kwargs" } }).to_string();
    let mut host = Host::new([Exchange::new("POST", CHAT).status(400).body(refusal.clone()), sse(&[piece("x")])]);
    assert_eq!(chat(&mut host).text(), "x");
    assert!(host.request_json(0).get("chat_template_kwargs").is_some());
    assert!(host.request_json(1).get("chat_template_kwargs").is_none());

    let twice = || Exchange::new("POST", CHAT).status(400).body(refusal.clone());
    assert!(matches!(chat(&mut Host::new([twice(), twice()])).result(), Err(Error::Invalid(_))), "once, not for ever");
}

#[test]
fn refusals_become_typed_errors_with_the_words_of_the_service() {
    let message = |text: &str| json!({ "error": { "message": text, "type": "t" } }).to_string();
    let refuse = |status: u16, body: String| chat_error(Exchange::new("POST", CHAT).status(status).body(body));
    assert_eq!(refuse(401, message("bad key")), Error::unauthorised("the service answered 401 Unauthorized: bad key"));
    assert_eq!(refuse(403, message("no")), Error::denied("the service answered 403 Forbidden: no"));
    assert_eq!(refuse(404, message("no model m1")), Error::not_found("the service answered 404 Not Found: no model m1"));
    assert!(matches!(refuse(413, String::new()), Error::TooLong(_)));
    assert!(matches!(refuse(400, message("This model's maximum context length is 4096 tokens")), Error::TooLong(_)));
    assert!(matches!(refuse(400, message("bad field")), Error::Invalid(text) if text.ends_with("bad field")));
    assert_eq!(refuse(500, "<html>oops</html>".into()), Error::upstream("the service answered 500 Internal Server Error"));
    assert_eq!(refuse(503, "busy\n now".into()), Error::upstream("the service answered 503 Service Unavailable: busy now"));
    assert_eq!(refuse(302, String::new()), Error::upstream("the service answered 302"));
    for body in [json!({ "message": "m" }), json!({ "detail": "m" }), json!({ "error": "m" }), json!({ "code": "X", "message": "m" })] {
        assert!(refuse(400, body.to_string()).text().ends_with(": m"), "{body}");
    }
    assert!(refuse(400, "x".repeat(100_000)).text().chars().count() < 1_100);
}

#[test]
fn rate_limits_tell_when_to_come_back() {
    let limited = |name: &str, value: &str| chat_error(Exchange::new("POST", CHAT).status(429).header(name, value).body("slow down"));
    let text = "the service answered 429 Too Many Requests: slow down";
    assert_eq!(limited("Retry-After", "2"), Error::rate_limited(text, Some(2_000)));
    assert_eq!(limited("retry-after-ms", "150"), Error::rate_limited(text, Some(150)));
    for odd in ["Wed, 21 Oct 2015 07:28:00 GMT", "-1", "nan", "1e99"] {
        assert_eq!(limited("retry-after", odd), Error::rate_limited(text, None), "{odd}");
    }
}

#[test]
fn error_in_a_stream_is_an_error_with_its_text() {
    let script = [sse(&[piece("begin"), json!({ "error": { "message": "overloaded" } })])];
    let outcome = same_at_every_cut(&script, chat);
    assert_eq!(outcome.text(), "begin");
    assert_eq!(outcome.result(), Err(Error::upstream("the service broke the answer off: overloaded")));

    let raw = Exchange::new("POST", CHAT).body("{\"error\":{\"message\":\"raw\",\"code\":429}}");
    assert_eq!(chat_error(raw), Error::rate_limited("the service broke the answer off: raw", None));
}

#[test]
fn stream_that_is_cut_is_an_error_and_one_that_only_lacks_its_last_line_is_not() {
    let cut = Exchange::new("POST", CHAT).body(format!("data: {}\n\n", piece("half")));
    let outcome = chat(&mut Host::new([cut]));
    assert_eq!(outcome.text(), "half");
    assert!(matches!(outcome.result(), Err(Error::Upstream(_))));

    let broken =
        Exchange::new("POST", CHAT).body(format!("data: {}\n\n", piece("half"))).breaks_after(20, Fault::Protocol, "reset by peer");
    assert_eq!(chat_error(broken), Error::upstream("reset by peer"));

    let end = json!({ "choices": [{ "delta": { "content": "x" }, "finish_reason": "stop" }] });
    let no_done = Exchange::new("POST", CHAT).body(format!("data: {end}"));
    assert_eq!(chat(&mut Host::new([no_done])).result().unwrap().finish, Finish::Stop);
}

#[test]
fn streams_with_rubbish_are_errors() {
    for body in ["data: {\n\n", "data: [1]\n\n", "data: {\"choices\": 7}\n\n"] {
        assert!(matches!(chat_error(Exchange::new("POST", CHAT).body(body)), Error::Upstream(_)), "{body}");
    }
    let html = "<p>hello</p>\n".repeat(1_000);
    assert!(chat_error(Exchange::new("POST", CHAT).body(html)).text().contains("no stream of events"));
    let patient = format!("{}data: {}\n\ndata: [DONE]\n", ": keep-alive\n\n".repeat(1_000), piece("x"));
    assert_eq!(chat(&mut Host::new([Exchange::new("POST", CHAT).body(patient)])).text(), "x");
}

#[test]
fn tool_calls_are_handed_on() {
    let call = |id: Option<&str>, name: Option<&str>, arguments: &str| json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 0, "id": id, "function": { "name": name, "arguments": arguments } }] } }] });
    let end = json!({ "choices": [{ "delta": {}, "finish_reason": "tool_calls" }] });
    let script = [sse(&[call(Some("c1"), Some("look"), ""), call(None, None, "{}"), end])];
    let outcome = chat(&mut Host::new(script));
    let pieces: Vec<String> =
        outcome.deltas.iter().filter_map(|delta| if let Delta::Tool(tool) = delta { Some(tool.arguments.clone()) } else { None }).collect();
    assert_eq!(pieces, ["", "{}"]);
    assert_eq!(outcome.result().unwrap().finish, Finish::Tool);
}

#[test]
fn offered_tools_and_their_choice_are_sent() {
    for (choice, sent) in
        [("required", json!("required")), ("look", json!({ "type": "function", "function": { "name": "look" } })), ("auto", json!("auto"))]
    {
        let mut request = ask(Task::Answer);
        request.tools = vec![Tool { name: "look".into(), description: "Looks.".into(), schema: "{\"type\":\"object\"}".into() }];
        request.tool_choice = Some(choice.into());
        let mut host = Host::new([sse(&[piece("x")])]);
        host.chat::<RemoteApi>(request).result().unwrap();
        let body = host.request_json(0);
        assert_eq!(body["tool_choice"], sent);
        assert_eq!(body["tools"][0]["function"], json!({ "name": "look", "description": "Looks.", "parameters": { "type": "object" } }));
    }
}

#[test]
fn images_are_sent_as_data_addresses() {
    let mut request = ask(Task::Answer);
    request.messages[1].parts.push(Part::Image(Image { media_type: "image/png".into(), data: b"abcd".to_vec() }));
    let mut host = Host::new([sse(&[piece("x")])]);
    host.chat::<RemoteApi>(request);
    assert_eq!(host.request_json(0)["messages"][1]["content"][1]["image_url"]["url"], "data:image/png;base64,YWJjZA==");
}

#[test]
fn model_without_a_name_is_refused_before_anything_is_sent() {
    let mut request = ask(Task::Answer);
    request.model.name = " ".into();
    assert_eq!(Host::default().chat::<RemoteApi>(request).result(), Err(Error::invalid("model name is required")));
}

fn embeddings(rows: &[(Option<usize>, &[f32])]) -> Exchange {
    let data: Vec<Value> = rows.iter().map(|(index, row)| json!({ "index": index, "embedding": row })).collect();
    Exchange::new("POST", EMBED).body(json!({ "data": data, "usage": { "prompt_tokens": 5 } }).to_string())
}

#[test]
fn embeddings_come_in_the_order_of_the_texts() {
    let script = [embeddings(&[(Some(1), &[3.0, 4.0]), (Some(0), &[1.0, 2.0])])];
    let found = same_at_every_cut(&script, |host| host.embed::<RemoteApi>(embed_request(&["a", "b"]))).unwrap();
    assert_eq!((found.dimension, found.data), (2, vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(found.usage, Some(Usage { input_tokens: 5, output_tokens: 0 }));
    let unnumbered = [embeddings(&[(None, &[1.0]), (None, &[2.0])])];
    assert_eq!(Host::new(unnumbered).embed::<RemoteApi>(embed_request(&["a", "b"])).unwrap().data, [1.0, 2.0]);
}

#[test]
fn embedding_request_has_the_fields_of_the_reference() {
    let mut host = Host::new([embeddings(&[(Some(0), &[1.0])])]);
    host.embed::<RemoteApi>(embed_request(&["a"])).unwrap();
    assert_eq!(host.request_json(0), json!({ "model": "m1", "input": ["a"], "truncate_prompt_tokens": 511 }));
    assert_eq!(host.requests[0].timeout_ms, Some(60_000));

    let mut request = EmbedRequest { dimensions: Some(1), ..embed_request(&["a"]) };
    request.model = model(&[("truncate_prompt_tokens", "256"), ("send_dimensions", "true")]);
    let mut host = Host::new([embeddings(&[(Some(0), &[1.0])])]);
    host.embed::<RemoteApi>(request).unwrap();
    assert_eq!(host.request_json(0), json!({ "model": "m1", "input": ["a"], "truncate_prompt_tokens": 256, "dimensions": 1 }));
}

#[test]
fn wrong_embeddings_are_refused() {
    for (rows, says) in [
        (&[(Some(0), &[1.0f32][..])][..], "1 embeddings for 2 texts"),
        (&[(Some(0), &[1.0]), (Some(0), &[1.0])], "two embeddings"),
        (&[(Some(0), &[1.0]), (Some(7), &[1.0])], "text 7 of 2"),
        (&[(Some(0), &[1.0]), (Some(1), &[1.0, 2.0])], "rows of 1 and of 2"),
        (&[(Some(0), &[]), (Some(1), &[])], "empty"),
    ] {
        let error = Host::new([embeddings(rows)]).embed::<RemoteApi>(embed_request(&["a", "b"])).unwrap_err();
        assert!(error.text().contains(says), "{error:?}");
    }
    for body in ["", "{}", "[]", "{\"data\":[{\"embedding\":[1e99]}]}", "{\"data\":[{\"embedding\":[null]}]}"] {
        let error = Host::new([Exchange::new("POST", EMBED).body(body)]).embed::<RemoteApi>(embed_request(&["a"])).unwrap_err();
        assert!(matches!(error, Error::Upstream(_)), "{body}: {error:?}");
    }
    let refused = Exchange::new("POST", EMBED).body(json!({ "error": { "message": "no such model", "code": 404 } }).to_string());
    assert!(matches!(Host::new([refused]).embed::<RemoteApi>(embed_request(&["a"])), Err(Error::NotFound(_))));
}

#[test]
fn broken_connections_are_tried_three_times_more_and_refusals_never() {
    let fails = || Exchange::new("POST", EMBED).fails(Fault::Connect, "connection refused");
    let mut host = Host::new([
        fails(),
        fails(),
        embeddings(&[(Some(0), &[1.0])]).breaks_after(9, Fault::Protocol, "cut"),
        embeddings(&[(Some(0), &[1.0])]),
    ]);
    assert_eq!(host.embed::<RemoteApi>(embed_request(&["a"])).unwrap().data, [1.0]);
    assert_eq!(host.slept_ms, [1_000, 2_000, 4_000]);

    let mut host = Host::new([fails(), fails(), fails(), fails()]);
    assert_eq!(host.embed::<RemoteApi>(embed_request(&["a"])), Err(Error::upstream("connection refused")));

    let mut host = Host::new([Exchange::new("POST", EMBED).fails(Fault::Denied, "not granted")]);
    assert_eq!(host.embed::<RemoteApi>(embed_request(&["a"])), Err(Error::denied("not granted")));
    assert!(host.slept_ms.is_empty());

    let mut host = Host::new([Exchange::new("POST", EMBED).status(500)]);
    assert!(host.embed::<RemoteApi>(embed_request(&["a"])).is_err());
    assert_eq!(host.requests.len(), 1);
}

#[test]
fn no_texts_need_no_request() {
    assert!(Host::default().embed::<RemoteApi>(embed_request(&[])).unwrap().data.is_empty());
    assert!(Host::default().rerank::<RemoteApi>(rerank_request(BASE, &[])).unwrap().hits.is_empty());
}

fn scores(ranking: Ranking) -> Vec<(u32, f32)> {
    ranking.hits.into_iter().map(|hit| (hit.index, hit.relevance_score)).collect()
}

#[test]
fn common_rerank_is_sent_and_read() {
    let answer = json!({ "results": [
        { "index": 0, "document": { "text": "a" }, "relevance_score": 0.1 },
        { "index": 2, "document": "c", "score": 0.9 },
        { "index": 1 },
    ] });
    let script = [Exchange::new("POST", RERANK).body(answer.to_string())];
    let found = same_at_every_cut(&script, |host| host.rerank::<RemoteApi>(rerank_request(BASE, &["a", "b", "c"])));
    assert_eq!(scores(found.unwrap()), [(2, 0.9), (0, 0.1), (1, 0.0)]);
    let mut host = Host::new(script);
    host.rerank::<RemoteApi>(RerankRequest { top: Some(1), ..rerank_request(BASE, &["a", "b", "c"]) }).unwrap();
    let body = json!({ "model": "m1", "query": "q", "documents": ["a", "b", "c"], "additional_data": null, "truncate_prompt_tokens": 511 });
    assert_eq!(host.request_json(0), body);
}

#[test]
fn aliyun_rerank_is_sent_and_read() {
    let url = "https://dashscope.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank";
    let answer = json!({ "output": { "results": [{ "index": 1, "document": { "text": "b" }, "relevance_score": 0.7 }] }, "usage": { "total_tokens": 9 } });
    let mut host = Host::new([Exchange::new("POST", url).body(answer.to_string())]);
    let found = host.rerank::<RemoteApi>(rerank_request(url, &["a", "b"])).unwrap();
    assert_eq!(found.usage, Some(Usage { input_tokens: 9, output_tokens: 0 }));
    assert_eq!(scores(found), [(1, 0.7)]);
    let body = json!({ "model": "m1", "input": { "query": "q", "documents": ["a", "b"] }, "parameters": { "return_documents": true, "top_n": 2 } });
    assert_eq!(host.request_json(0), body);
}

#[test]
fn logits_are_bent_into_the_range_and_keep_their_order() {
    let answer = json!({ "results": [{ "index": 0, "relevance_score": -3.0 }, { "index": 1, "relevance_score": 5.0 }] });
    let found = scores(
        Host::new([Exchange::new("POST", RERANK).body(answer.to_string())]).rerank::<RemoteApi>(rerank_request(BASE, &["a", "b"])).unwrap(),
    );
    assert_eq!(found.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 0]);
    assert!(found.iter().all(|(_, score)| (0.0..=1.0).contains(score)));
}

#[test]
fn wrong_rankings_are_refused() {
    for answer in [
        json!({ "results": [{ "index": 2, "score": 1 }] }),
        json!({ "results": [{ "index": 0, "score": 1 }, { "index": 0, "score": 1 }] }),
        json!({ "results": [{ "index": -1, "score": 1 }] }),
        json!({ "results": 7 }),
        json!({}),
    ] {
        let error = Host::new([Exchange::new("POST", RERANK).body(answer.to_string())])
            .rerank::<RemoteApi>(rerank_request(BASE, &["a", "b"]))
            .unwrap_err();
        assert!(matches!(error, Error::Upstream(_)), "{answer}: {error:?}");
    }
    let refused = Exchange::new("POST", RERANK).status(401).body("{\"message\":\"who?\"}");
    assert!(matches!(Host::new([refused]).rerank::<RemoteApi>(rerank_request(BASE, &["a"])), Err(Error::Unauthorised(_))));
}

#[test]
fn huge_answer_in_small_chunks_is_read() {
    let row: Vec<f32> = (0..1_024).map(|number| number as f32 / 1_024.0).collect();
    let rows: Vec<(Option<usize>, &[f32])> = (0..16).map(|index| (Some(index), row.as_slice())).collect();
    let texts = ["x"; 16];
    let mut host = Host::new([embeddings(&rows)]).cut(Cut::Every(1_000));
    assert_eq!(host.embed::<RemoteApi>(embed_request(&texts)).unwrap().data.len(), 16 * 1_024);
}
