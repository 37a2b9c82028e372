//! Asks and their events without a guest: what is carried out, what is denied, and with which words.

mod auth;

use super::models::{ModelAnswer, ModelCalls, ModelRequest};
use super::{AskRoom, CallEnv, Grants, HttpDoor, Ops, PrivateHosts, Secrets, origin_of};
use crate::domain::TenantId;
use crate::limits;
use crate::plugin::wasm::wit::io;
use crate::provider::{BoxFuture, CallContext, PluginIdentity, ProviderError};
use knowhost_plugin_sdk::manifest::Manifest;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

const SECRET: &str = "sk-the-secret";
const MANIFEST: &str = r#"
name = "p"
title = "P"
version = "1.0.0"
licence = "MIT"
interface = "0.1"
profile = "network"
allowed_hosts = ["{base_url}", "http://169.254.169.254:80", "http://10.0.0.1:80"]
secrets = { api_key = ["{base_url}"] }
allowed_models = ["chat"]
cache_bytes_max = 1000
"#;

fn env_with(base_url: &str, lines: &str, depth: usize, models: Option<Arc<dyn ModelCalls>>) -> Arc<CallEnv> {
    let manifest = Manifest::parse(&format!("{MANIFEST}{lines}")).unwrap();
    let room = AskRoom::new(HttpDoor::new(PrivateHosts::parse(["127.0.0.0/8"]).unwrap(), PrivateHosts::default()).unwrap());
    if let Some(models) = models {
        room.set_models(&models);
        // The room holds it weakly; here nobody else does.
        std::mem::forget(models);
    }
    Arc::new(CallEnv {
        room: Arc::new(room),
        plugin: PluginIdentity { name: "p".into(), version: "1.0.0".into(), digest: String::new() },
        grants: Arc::new(Grants::of(&manifest)),
        base_url: Url::parse(base_url).ok().and_then(|url| origin_of(&url)),
        secrets: Secrets::api_key(SECRET),
        context: CallContext {
            callers: vec!["above".into(); depth],
            ..CallContext::interactive(TenantId(1), "r", Duration::from_secs(30))
        },
        revoked: tokio_util::sync::CancellationToken::new(),
    })
}

fn ops(base_url: &str) -> Ops {
    Ops::new(env_with(base_url, "", 0, None))
}

fn get(op: u32, url: &str) -> io::HttpRequest {
    io::HttpRequest { op, method: "GET".into(), url: url.into(), headers: vec![], auth: vec![], body: vec![], timeout_ms: Some(5_000) }
}

fn header(name: &str, value: &str) -> io::Header {
    io::Header { name: name.into(), value: value.into() }
}

async fn event(ops: &mut Ops, ask: io::Ask) -> io::Event {
    ops.apply(vec![ask]).unwrap();
    ops.next().await
}

async fn fault(ops: &mut Ops, ask: io::Ask) -> (io::Fault, String) {
    match event(ops, ask).await {
        io::Event::Fault(fault) => (fault.fault, fault.text),
        other => panic!("{other:?}"),
    }
}

/// Answers one connection after another with `answer` and sends what it heard.
async fn listen(answer: &'static [u8]) -> (String, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, heard) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 16_384];
            let read = stream.read(&mut bytes).await.unwrap();
            send.send(String::from_utf8_lossy(&bytes[..read]).into_owned()).await.unwrap();
            stream.write_all(answer).await.unwrap();
        }
    });
    (url, heard)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nX-Answer: yes\r\nConnection: close\r\n\r\nbody";

#[tokio::test]
async fn exchange_gives_head_then_chunk_then_end() {
    let (url, mut heard) = listen(OK).await;
    let mut ops = ops(&url);
    let request =
        io::HttpRequest { method: "POST".into(), body: b"question".to_vec(), headers: vec![header("X-Own", "1")], ..get(7, &url) };
    match event(&mut ops, io::Ask::Http(request)).await {
        io::Event::HttpHead(head) => assert!(head.status == 200 && head.headers.contains(&header("x-answer", "yes")) && head.op == 7),
        other => panic!("{other:?}"),
    }
    assert!(!ops.pending(), "nothing comes before it is asked for");
    assert_eq!(event(&mut ops, io::Ask::Read(7)).await, io::Event::HttpChunk(io::HttpChunk { op: 7, data: b"body".to_vec() }));
    assert_eq!(event(&mut ops, io::Ask::Read(7)).await, io::Event::HttpEnd(7));
    let heard = heard.recv().await.unwrap();
    assert!(heard.starts_with("POST / HTTP/1.1\r\n") && heard.contains("x-own: 1") && heard.ends_with("question"), "{heard}");
    assert!(!heard.contains(SECRET));
}

#[tokio::test]
async fn what_is_not_allowed_is_denied_before_anything_is_sent() {
    let base = "http://127.0.0.1:1";
    let with_header = |name: &str, value: &str| io::HttpRequest { headers: vec![header(name, value)], ..get(1, base) };
    let with_auth = |auth| io::HttpRequest { auth: vec![auth], ..get(1, base) };
    let placed = |name: &str, secret: &str| io::PlacedSecret { name: name.into(), prefix: String::new(), secret: secret.into() };
    let cases = [
        (get(1, "http://other.example/"), "allowed_hosts = [\"http://other.example:80\"]"),
        (get(1, "ftp://127.0.0.1:1/"), "http or https"),
        (get(1, "http://user:word@127.0.0.1:1/"), "user name"),
        (get(1, "nonsense"), "malformed"),
        (get(1, "http://169.254.169.254/latest"), "which no setting opens"),
        (get(1, "http://10.0.0.1/"), "KNOWHOST_PRIVATE_HOSTS"),
        (io::HttpRequest { method: "CONNECT".into(), ..get(1, base) }, "method"),
        (with_header("Authorization", "Bearer x"), "set by the host"),
        (with_header("Host", "x"), "set by the host"),
        (with_header("Transfer-Encoding", "chunked"), "set by the host"),
        (with_header("X-A", "b\r\nX-B: c"), "forbidden character"),
        (with_header("X A", "b"), "no header name"),
        (with_auth(io::Auth::Bearer("other".into())), "secrets = { other = [\"http://127.0.0.1:1\"] }"),
        (with_auth(io::Auth::Header(placed("Host", "api_key"))), "can not hold a secret"),
        (with_auth(io::Auth::Query(placed("", "api_key"))), "name of its parameter"),
        (with_auth(io::Auth::Query(placed("key", "other"))), "secrets = { other = [\"http://127.0.0.1:1\"] }"),
    ];
    for (request, expected) in cases {
        let (kind, text) = fault(&mut ops(base), io::Ask::Http(request)).await;
        assert!(kind == io::Fault::Denied && text.contains(expected), "{expected}: {kind:?} {text}");
        assert!(!text.contains(SECRET));
    }
}

#[tokio::test]
async fn answer_over_its_limit_ends_the_exchange() {
    let (url, _heard) = listen(OK).await;
    let mut ops = Ops::new(env_with(&url, "limits = { response_bytes_max = 3 }", 0, None));
    assert!(matches!(event(&mut ops, io::Ask::Http(get(1, &url))).await, io::Event::HttpHead(_)));
    assert_eq!(fault(&mut ops, io::Ask::Read(1)).await.0, io::Fault::TooLarge);
}

#[tokio::test]
async fn silent_server_ends_in_a_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let request = io::HttpRequest { timeout_ms: Some(20), ..get(1, &url) };
    assert_eq!(fault(&mut ops(&url), io::Ask::Http(request)).await.0, io::Fault::Timeout);
}

#[tokio::test]
async fn operations_are_counted_and_named_once() {
    let timer = |op, ms| io::Ask::Sleep(io::Timer { op, ms });
    let mut ops = ops("");
    let all = (0..limits::PLUGIN_OPEN_OPS_MAX as u32).map(|op| timer(op, 60_000)).collect();
    ops.apply(all).unwrap();
    assert_eq!(fault(&mut ops, timer(1_000, 1)).await.0, io::Fault::TooLarge);
    assert!(ops.apply(vec![timer(5, 1)]).unwrap_err().contains("two open operations 5"));
    ops.apply(vec![io::Ask::Close(5), timer(5, 1)]).unwrap();
    assert_eq!(ops.next().await, io::Event::Timer(5));
    let too_many = (0..=limits::PLUGIN_ASKS_PER_STEP_MAX as u32).map(io::Ask::Close).collect();
    assert!(ops.apply(too_many).is_err());
    assert!(ops.apply(vec![io::Ask::Read(6)]).is_err(), "a timer can not be read");
    ops.close_all();
    assert!(!ops.pending());
}

#[tokio::test]
async fn cache_keeps_what_fits() {
    let put = |op, bytes: usize| io::Ask::CachePut(io::CacheWrite { op, key: "k".into(), value: vec![7; bytes], ttl_ms: None });
    let read = |op| io::Ask::CacheGet(io::CacheRead { op, key: "k".into() });
    let mut ops = ops("");
    assert_eq!(event(&mut ops, read(1)).await, io::Event::CacheValue(io::CacheValue { op: 1, value: None }));
    assert_eq!(event(&mut ops, put(2, 3)).await, io::Event::CacheStored(2));
    assert_eq!(event(&mut ops, read(3)).await, io::Event::CacheValue(io::CacheValue { op: 3, value: Some(vec![7; 3]) }));
    assert_eq!(fault(&mut ops, put(4, 2_000)).await.0, io::Fault::TooLarge);
}

struct Parrot;

impl ModelCalls for Parrot {
    fn call<'a>(
        &'a self,
        context: &'a CallContext,
        model: &'a str,
        request: ModelRequest,
        _max_output_tokens: Option<u32>,
    ) -> BoxFuture<'a, Result<ModelAnswer, ProviderError>> {
        Box::pin(async move { Ok(ModelAnswer::Text(format!("{model} {} {request:?}", context.callers.join(" ")))) })
    }
}

#[tokio::test]
async fn models_are_called_by_grant_and_only_so_deep() {
    let request = |model: &str, request| io::Ask::Model(io::ModelCall { op: 1, model: model.into(), request, max_output_tokens: None });
    let turn = |text: &str| io::Turn { role: "user".into(), text: text.into() };
    let ask = |model: &str| request(model, io::ModelRequest::Chat(vec![turn("hi")]));
    let with = |depth, models| Ops::new(env_with("", "", depth, models));
    assert_eq!(fault(&mut with(0, None), ask("chat")).await.0, io::Fault::Unsupported);
    for model in ["embed", "a-row-of-the-tenant"] {
        let ask = request(model, io::ModelRequest::Embed(vec!["hi".into()]));
        let (kind, text) = fault(&mut with(0, Some(Arc::new(Parrot))), ask).await;
        assert!(kind == io::Fault::Denied && text.contains("allowed_models = [\"embed\"]"), "{text}");
        assert!(text.contains("knowhost plugin allow p"), "{text}");
    }
    assert_eq!(fault(&mut with(0, Some(Arc::new(Parrot))), ask("embed")).await.0, io::Fault::Denied, "a chat is no embedding");
    let large = "x".repeat(limits::PLUGIN_MODEL_BYTES_MAX + 1);
    let large = request("chat", io::ModelRequest::Chat(vec![turn(&large)]));
    assert_eq!(fault(&mut with(0, Some(Arc::new(Parrot))), large).await.0, io::Fault::TooLarge);
    let many = request("chat", io::ModelRequest::Chat(vec![turn("x"); limits::PLUGIN_MODEL_TEXTS_MAX + 1]));
    assert_eq!(fault(&mut with(0, Some(Arc::new(Parrot))), many).await.0, io::Fault::TooLarge);
    let mut ops = with(0, Some(Arc::new(Parrot)));
    for _ in 0..limits::PLUGIN_MODEL_CALLS_MAX {
        assert!(matches!(event(&mut ops, ask("chat")).await, io::Event::Model(_)));
    }
    assert_eq!(fault(&mut ops, ask("chat")).await.0, io::Fault::TooLarge, "one call too many");
    let deep = usize::from(limits::PLUGIN_MODEL_DEPTH_MAX);
    assert_eq!(fault(&mut with(deep, Some(Arc::new(Parrot))), ask("chat")).await.0, io::Fault::TooLarge);
    match event(&mut with(1, Some(Arc::new(Parrot))), ask("chat")).await {
        io::Event::Model(io::ModelReply { answer: io::ModelAnswer::Text(text), .. }) => {
            assert!(text.starts_with("chat above p Chat("), "{text}")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn loopback_is_open_for_the_local_tenant_alone() {
    for (local, is_open) in [(TenantId(1), true), (TenantId(2), false)] {
        let (url, _heard) = listen(OK).await;
        let room = AskRoom::new(HttpDoor::new(PrivateHosts::default(), PrivateHosts::default()).unwrap());
        room.set_local_tenant(local);
        let env = env_with(&url, "", 0, None);
        let env = CallEnv {
            room: Arc::new(room),
            plugin: env.plugin.clone(),
            grants: env.grants.clone(),
            base_url: env.base_url.clone(),
            secrets: Secrets::api_key(SECRET),
            context: env.context.clone(),
            revoked: env.revoked.clone(),
        };
        let answer = event(&mut Ops::new(Arc::new(env)), io::Ask::Http(get(1, &url))).await;
        match answer {
            io::Event::HttpHead(_) => assert!(is_open, "another tenant reached loopback"),
            io::Event::Fault(fault) => {
                assert!(!is_open && fault.fault == io::Fault::Denied, "{}", fault.text);
                assert!(fault.text.contains("KNOWHOST_PRIVATE_HOSTS"), "{}", fault.text);
            }
            other => panic!("{other:?}"),
        }
    }
}

mod pages {
    //! Fetched web pages over real connections.

    use super::*;
    use crate::error::Error;
    use crate::provider::Pages;
    use futures_util::StreamExt;

    fn door(listed: &[&str]) -> HttpDoor {
        // What is open for models counts for nothing here.
        let for_models = PrivateHosts::parse(["127.0.0.0/8", "localhost"]).unwrap();
        HttpDoor::new(for_models, PrivateHosts::parse(listed.iter().copied()).unwrap()).unwrap()
    }

    async fn text(door: &HttpDoor, url: &str) -> Result<(String, String, String), Error> {
        let context = CallContext::background(TenantId(1), "r", Duration::from_secs(20));
        let mut page = door.open(&context, url).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = page.body.next().await {
            bytes.extend(piece?);
        }
        Ok((page.url, page.content_type, String::from_utf8(bytes).unwrap()))
    }

    #[tokio::test]
    async fn page_is_read_after_its_redirects() {
        let (end, _heard) = listen(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>x").await;
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {end}/b#c\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let (start, mut heard) = listen(answer.leak().as_bytes()).await;
        let read = text(&door(&["127.0.0.1"]), &format!("{start}/a")).await.unwrap();
        assert_eq!(read, (format!("{end}/b"), "text/html".into(), "<p>x".into()));
        let heard = heard.recv().await.unwrap();
        assert!(heard.starts_with("GET /a HTTP/1.1\r\n") && !heard.to_lowercase().contains("cookie"), "{heard}");
    }

    #[tokio::test]
    async fn private_addresses_are_closed_on_the_first_hop_and_on_every_other() {
        let (inside, _heard) = listen(OK).await;
        let told = text(&door(&[]), &inside).await.unwrap_err();
        assert!(matches!(&told, Error::BadRequest(text) if text.contains("KNOWHOST_PRIVATE_HOSTS")), "{told}");
        for target in
            ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]:1/", "file:///etc/passwd", "http://u:p@127.0.0.1/"]
        {
            let answer = format!("HTTP/1.1 301 Moved\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let (start, _heard) = listen(answer.leak().as_bytes()).await;
            let told = text(&door(&["127.0.0.1"]), &start).await.unwrap_err();
            assert!(matches!(told, Error::BadRequest(_)), "{target}: {told}");
        }
        let localhost = inside.replace("127.0.0.1", "localhost");
        assert!(matches!(text(&door(&[]), &localhost).await.unwrap_err(), Error::BadRequest(_)));
    }

    #[tokio::test]
    async fn loops_end_and_statuses_are_told() {
        let (start, _heard) = listen(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        assert!(text(&door(&["127.0.0.1"]), &start).await.unwrap_err().to_string().contains("redirects"));
        let (gone, _heard) = listen(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        assert!(matches!(text(&door(&["127.0.0.1"]), &gone).await, Err(Error::BadRequest(text)) if text.contains("status 404")));
        let (busy, _heard) = listen(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        assert!(matches!(text(&door(&["127.0.0.1"]), &busy).await, Err(Error::Unavailable { .. })));
        let (large, _heard) = listen(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx").await;
        assert!(text(&door(&["127.0.0.1"]), &large).await.unwrap_err().to_string().contains("more than"));
    }
}
