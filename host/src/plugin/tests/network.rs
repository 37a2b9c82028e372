//! What leaves the host: granted hosts, secrets in headers alone, addresses that are never reached.

use super::support::{always_open, component_with, config, context, ok_response, question, room, row, server};
use crate::domain::{Model, ModelType};
use crate::plugin::{Plugins, PluginsConfig};
use crate::provider::{ChatDelta, ChatRequest, ChatTool, ChatToolDelta, PluginSource, ProviderErrorKind};
use futures_util::StreamExt;

const SECRET: &str = "sk-0123456789-the-secret";

fn leak_row(url: &str) -> Model {
    let mut model = row("hostile", "leak", ModelType::KnowledgeQA);
    model.parameters.base_url = url.into();
    model.parameters.api_key = SECRET.into();
    model
}

async fn first_text(plugins: &Plugins, model: &Model) -> String {
    let mut stream = plugins.chat_model(model).unwrap().chat_stream(&context(), question("x")).await.unwrap();
    match stream.next().await.unwrap().unwrap() {
        ChatDelta::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn stolen_secret_appears_nowhere_but_where_its_auth_names_it_at_the_granted_host() {
    let room = room(&["hostile"], &[]);
    let server = server(ok_response(b"fine"), always_open()).await;
    let report = first_text(&room.plugins, &leak_row(&server.url)).await;
    let heard = String::from_utf8_lossy(&server.heard.lock().unwrap()).into_owned();
    assert!(heard.contains("POST /"), "the harmless attempt arrived: {heard}");
    for line in heard.lines().filter(|line| line.contains(SECRET)) {
        // The typed query is the one other place; the plugin chose its name, the host put the secret in.
        // (A body before it ends without a line end.)
        let in_query = line.ends_with(&format!("GET /?stolen={SECRET} HTTP/1.1")) && line.matches(SECRET).count() == 1;
        assert!(in_query || line.to_lowercase().starts_with("authorization: bearer "), "{line}");
    }
    assert!(!report.contains(SECRET), "{report}");
    let line = |way: &str| report.lines().find(|line| line.starts_with(way)).unwrap_or_else(|| panic!("{way} in {report}")).to_owned();
    assert!(line("stranger").contains("allowed_hosts = [\"http://stranger.example:80\"]"), "{report}");
    assert!(line("undeclared").contains("secrets = { jwt_secret ="), "{report}");
    assert!(line("user information").contains("Denied") && line("header split").contains("Denied"), "{report}");
    assert!(line("own host header").contains("Denied") && line("address").contains("200 fine"), "{report}");
}

#[tokio::test]
async fn granted_secret_without_a_value_is_told_and_no_other_goes_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = component_with("hostile", |toml| toml.replace("api_key = ", "jwt_secret = [\"{base_url}\"]\napi_key = "));
    let plugins = Plugins::open(config(folder.path(), &[("hostile", hostile)])).unwrap();
    let server = server(ok_response(b"fine"), always_open()).await;
    let report = first_text(&plugins, &leak_row(&server.url)).await;
    // It is granted now, but the row holds no value for it.
    assert!(report.contains("the secret jwt_secret has no value"), "{report}");
    let heard = String::from_utf8_lossy(&server.heard.lock().unwrap()).into_owned();
    assert_eq!(heard.matches(SECRET).count(), heard.matches(&format!("GET /?stolen={SECRET} ")).count(), "{heard}");
}

#[tokio::test]
async fn stranger_is_denied_with_the_line_and_the_command() {
    let room = room(&["hostile"], &[]);
    let error = room.say(&row("hostile", "stranger", ModelType::KnowledgeQA), "x").await.unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Denied);
    assert!(error.message.contains("allowed_hosts") && error.message.contains("knowhost plugin allow hostile"), "{error}");
}

#[tokio::test]
async fn private_and_metadata_addresses_are_closed_even_where_the_row_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let closed = PluginsConfig { private_hosts: vec![], ..config(folder.path(), &[("hostile", component_with("hostile", |toml| toml))]) };
    // The default address of Ollama puts its own host on the list.
    let closed = PluginsConfig { ollama_base_url: "http://ollama.invalid:11434".into(), ..closed };
    let plugins = Plugins::open(closed).unwrap();
    let server = server(ok_response(b"fine"), always_open()).await;
    let mut count = row("hostile", "count", ModelType::KnowledgeQA);
    for (url, setting) in [
        (server.url.as_str(), "KNOWHOST_PRIVATE_HOSTS"),
        ("http://169.254.169.254/", "no setting opens"),
        ("http://[::ffff:10.0.0.1]/", "KNOWHOST_PRIVATE_HOSTS"),
    ] {
        count.parameters.base_url = url.into();
        let model = plugins.chat_model(&count).unwrap();
        let error = model.chat_stream(&context(), question("x")).await.err().unwrap();
        assert!(error.kind == ProviderErrorKind::Denied && error.message.contains(setting), "{url}: {error}");
    }
    assert!(server.heard.lock().unwrap().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let room = room(&["hostile"], &[]);
    let elsewhere = server(ok_response(b"stolen"), always_open()).await;
    let redirect =
        format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", elsewhere.url);
    let server = server(redirect.into_bytes(), always_open()).await;
    let report = first_text(&room.plugins, &leak_row(&server.url)).await;
    assert!(report.contains("templates: 307"), "{report}");
    assert!(elsewhere.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn refused_connection_says_why() {
    let room = room(&["hostile"], &[]);
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut model = row("hostile", "count", ModelType::KnowledgeQA);
    model.parameters.base_url = format!("http://{unused}");
    let error = room.say(&model, "x").await.unwrap_err();
    assert!(error.kind == ProviderErrorKind::Upstream && error.message.to_lowercase().contains("refused"), "{error}");
}

#[tokio::test]
async fn tools_reach_the_provider_and_its_calls_come_back_when_tools_were_offered() {
    let room = room(&["remote-api"], &[]);
    let call = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"look","arguments":"{\"at\":1}"}}]}}]}"#;
    let end = r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {call}\n\ndata: {end}\n\n");
    let server = server(answer.into_bytes(), always_open()).await;
    let mut model = row("remote-api", "m", ModelType::KnowledgeQA);
    model.parameters.base_url = server.url.clone();
    let look = ChatTool { name: "look".into(), description: "Looks.".into(), schema: "{}".into() };
    let with_tool = ChatRequest { tools: vec![look], tool_choice: Some("required".into()), ..question("x") };
    let chat = room.plugins.chat_model(&model).unwrap();
    let deltas: Vec<_> = chat.chat_stream(&context(), with_tool).await.unwrap().map(Result::unwrap).collect().await;
    let wanted = ChatToolDelta { index: 0, id: Some("c1".into()), name: Some("look".into()), arguments: "{\"at\":1}".into() };
    assert!(deltas.contains(&ChatDelta::Tool(wanted)), "{deltas:?}");
    let heard = String::from_utf8_lossy(&server.heard.lock().unwrap()).into_owned();
    assert!(heard.contains(r#""tool_choice":"required""#) && heard.contains(r#""name":"look""#), "{heard}");
    // Nobody offered a tool: the call is an error, and no text is lost silently.
    let refused = super::support::collect(chat.chat_stream(&context(), question("x")).await.unwrap()).await.unwrap_err();
    assert!(refused.kind == ProviderErrorKind::Unsupported && refused.message.contains("none was offered"), "{refused}");
}
