//! The zoo: each hostile behaviour ends within its limit, with a reason that names plugin and cause; the next call works, and nothing leaks.
//!
//! Not here: wrong answers of other kinds (`hostile`), traps under many streams (`recovery`), secrets (`network`), files that do not load
//! and bombs in them (`loading`), names that change their address (`asks::address`).

use super::support::{Room, Server, always_open, collect, component_with, config, context, ok_response, question, room, row, server};
use crate::domain::{Model, ModelType, TenantId};
use crate::plugin::Plugins;
use crate::provider::{CallContext, ChatDelta, EmbedPurpose, PluginDesk, PluginSource, ProviderError, ProviderErrorKind, Usage};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TURN: Duration = crate::limits::PLUGIN_TURN_NETWORK;
/// The deadline of the calls that would go on for ever.
const CALL: Duration = Duration::from_millis(300);
/// Tens of megabytes are copied out of the plugin before they are looked at; in a build without optimisations that takes long.
const HANDOVER: Duration = Duration::from_millis(500);
/// Ends at once, or is cut at once.
const SHORT: Duration = Duration::from_millis(20);
const GRACE: Duration = Duration::from_millis(100);
const ATTEMPTS: usize = 3;
/// How the error of a turn that took too long begins.
const TOO_SLOW: &str = "it computed for";
/// An error's text is cut to some thousand characters.
const ERROR_BYTES_MAX: usize = 5_000;

enum End {
    /// An error that says this.
    Fails(&'static str),
    /// The same; but it makes so much of something that its turn may be over before.
    FailsOrTires(&'static str),
    /// An answer with exactly this text.
    Says(&'static str),
}
use End::{Fails, FailsOrTires, Says};

/// Model name, limit, end.
const ANIMALS: [(&str, Duration, End); 49] = [
    ("loop", TURN, Fails(TOO_SLOW)),
    ("alloc", TURN, FailsOrTires("it asked for more than its 64 MiB of memory")),
    ("trap", SHORT, Fails("it panicked at tests/plugins/hostile/src/calls.rs:")),
    ("abort", SHORT, Fails("it trapped (wasm trap: wasm `unreachable` instruction executed)")),
    ("sleep", SHORT, Fails("plugins never block, but it called wasi:clocks")),
    ("exit", SHORT, Fails("it ended itself (wasi:cli/exit")),
    ("socket", SHORT, Fails("plugins have no network of their own, but it called wasi:sockets")),
    ("recursion", TURN, Fails("its stack overflowed")),
    ("silent", SHORT, Fails("it neither ended nor asked for anything, and nothing is pending")),
    ("flood", TURN, Fails("it asked for 10000 things in one step; the limit is 256")),
    ("strange-op", SHORT, Fails("it neither ended nor asked for anything, and nothing is pending")),
    ("twice", SHORT, Fails("it named two open operations 7")),
    ("read-busy", SHORT, Fails("it wanted to read from operation 1, which is not ready to be read")),
    ("resume-trap", SHORT, Fails("as told, in resume")),
    ("resume-loop", TURN, Fails(TOO_SLOW)),
    ("delta-flood", TURN, FailsOrTires("it gave 20000 deltas in one step")),
    ("big", TURN, FailsOrTires("it gave a delta of more than 1024 KiB")),
    ("bad-text", SHORT, Fails("it broke its contract (invalid utf-8")),
    ("tool", SHORT, Fails("the model called a tool, but none was offered")),
    ("last-wish", SHORT, Says("")),
    ("huge-error", SHORT, Fails("xxxx")),
    ("last-words", TURN, FailsOrTires("its last words: xxxx")),
    ("pending", SHORT, Fails("waits for something that the host does not know")),
    ("slow-loop", CALL, Fails("the call took longer than it may")),
    ("endless-stream", CALL, Fails("the call took longer than it may")),
    ("endless-timer", CALL, Fails("the call took longer than it may")),
    ("drip", CALL, Fails("took longer than it may")),
    ("read-all", CALL, Fails("the answer is larger than 1048576 bytes")),
    ("impatient", SHORT, Fails("the exchange took longer than it may")),
    ("answer-headers", SHORT, Fails("the answer's headers are larger than 65536 bytes")),
    ("follow", SHORT, Fails("is not granted")),
    ("stranger", SHORT, Fails("is not granted")),
    ("metadata", SHORT, Fails("169.254.169.254 is a link-local, metadata or special address, which no setting opens")),
    ("huge-headers", SHORT, Fails("headers of 100005 bytes; the limit is 65536")),
    ("split-header", SHORT, Fails("the header x-a holds a forbidden character")),
    ("own-host", SHORT, Fails("the header host is set by the host")),
    ("user-info", SHORT, Fails("an address is http or https and holds no user name or password")),
    ("file-address", SHORT, Fails("an address is http or https")),
    ("huge-body", HANDOVER, FailsOrTires("the request is larger than 32 MiB")),
    ("many-ops", SHORT, Says("36 refused")),
    ("cache-flood", SHORT, Fails("cache_bytes_max in plugin.toml is")),
    ("file", SHORT, Says("false")),
    ("thread", SHORT, Says("false")),
    ("environment", SHORT, Says("0 0")),
    ("clock", SHORT, Says("0 1577836800")),
    ("stderr-flood", TURN, Says("said")),
    ("endless-log", CALL, Fails("the call took longer than it may")),
    ("forged-usage", SHORT, Says("harmless")),
    ("harmless", SHORT, Says("harmless")),
];

/// How much longer than its CPU time a busy thread takes now: above 1 on a busy machine.
fn stretch() -> f64 {
    let cpu = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let (wall, start) = (Instant::now(), cpu());
    let mut count = 0_u64;
    while cpu() - start < 0.01 {
        count = std::hint::black_box(count + 1);
    }
    (wall.elapsed().as_secs_f64() / 0.01).max(1.0)
}

struct Zoo {
    room: Room,
    /// Where an animal finds its server, if it has one of its own.
    urls: HashMap<&'static str, String>,
    /// Nobody may reach it.
    elsewhere: Server,
    /// The server that never answers waits for this.
    _never: tokio::sync::watch::Sender<bool>,
}

impl Zoo {
    fn model(&self, name: &str) -> Model {
        // Animals that live on what a server says, or where it stands, read it under another name.
        let acts = match name {
            "drip" | "answer-headers" | "metadata" => "read-all",
            other => other,
        };
        let mut model = row("hostile", acts, ModelType::KnowledgeQA);
        model.parameters.base_url = self.urls.get(name).unwrap_or(&self.urls["ok"]).clone();
        model
    }

    async fn visit(&self, name: &str) -> (Duration, Result<String, ProviderError>) {
        let started = Instant::now();
        // Only those that would go on for ever need a deadline to end.
        let endless = ANIMALS.iter().any(|(animal, limit, _)| *animal == name && *limit == CALL);
        let context = CallContext { deadline: started + if endless { CALL } else { Duration::from_secs(60) }, ..context() };
        let end = say(&self.room.plugins, &self.model(name), &context).await;
        (started.elapsed(), end)
    }

    /// Live instances and their linear memory.
    fn usage(&self) -> (usize, usize) {
        let listing = self.room.plugins.list().unwrap().remove(0);
        (listing.instances, listing.memory_bytes)
    }
}

async fn say(plugins: &Plugins, model: &Model, context: &CallContext) -> Result<String, ProviderError> {
    collect(plugins.chat_model(model)?.chat_stream(context, question("x")).await?).await
}

/// What is wrong with this end; `None`: nothing.
fn wrong(end: &Result<String, ProviderError>, expected: &End) -> Option<String> {
    let fails = |error: &ProviderError, says: &str| {
        error.message.contains(says) && error.plugin == "hostile 0.1.0" && error.message.len() < ERROR_BYTES_MAX
    };
    let right = match (end, expected) {
        (Ok(text), Says(says)) => text == says,
        (Err(error), Fails(says)) => fails(error, says),
        (Err(error), FailsOrTires(says)) => fails(error, says) || fails(error, TOO_SLOW),
        (Ok(_), Fails(_) | FailsOrTires(_)) | (Err(_), Says(_)) => false,
    };
    (!right).then(|| match end {
        Ok(text) => format!("it said {text:.200?}"),
        Err(error) => format!("{:.500} ({} bytes)", error.to_string(), error.message.len()),
    })
}

/// A server that is nice to `ok`, and hostile itself under other addresses.
async fn zoo() -> Zoo {
    let folder = tempfile::tempdir().unwrap();
    let hostile =
        component_with("hostile", |toml| format!("{toml}\n[limits]\nresponse_bytes_max = 1048576\nmemory_bytes_max = 67108864\n"));
    std::fs::create_dir_all(folder.path().join("plugins")).unwrap();
    std::fs::write(folder.path().join("plugins/hostile.wasm"), hostile).unwrap();
    let plugins = Plugins::open(config(folder.path(), &[])).unwrap();
    plugins.allow("hostile", None).unwrap();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    let elsewhere = server(ok_response(b"stolen"), always_open()).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", elsewhere.url);
    let big_head = format!("{head}X-Big: {}\r\n\r\n", "x".repeat(100 << 10));
    let (never, closed) = tokio::sync::watch::channel(false);
    let silent = server(vec![], closed).await.url;
    let urls = [
        ("ok", server(ok_response(b"fine"), always_open()).await.url),
        ("read-all", server([format!("{head}\r\n").as_bytes(), &vec![b'x'; 4 << 20]].concat(), always_open()).await.url),
        ("answer-headers", server(big_head.into_bytes(), always_open()).await.url),
        ("follow", server(redirect.into_bytes(), always_open()).await.url),
        ("impatient", silent.clone()),
        ("many-ops", silent),
        ("last-wish", elsewhere.url.clone()),
        ("metadata", "http://169.254.169.254/latest/meta-data".into()),
        ("drip", drip().await),
    ];
    Zoo { room: Room { folder, plugins }, urls: urls.into(), elsewhere, _never: never }
}

/// The address of a server that sends a byte now and then, for ever.
async fn drip() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut alive = stream.read(&mut [0; 4096]).await.map(drop);
                if alive.is_ok() {
                    alive = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await;
                }
                while alive.is_ok() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    alive = stream.write_all(b"x").await;
                }
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn every_animal_ends_within_its_limit_and_the_next_call_works() {
    let zoo = zoo().await;
    assert_eq!(zoo.visit("harmless").await.1.unwrap(), "harmless");
    let before = zoo.usage();
    let mut problems = Vec::new();
    eprintln!("{:<16} {:>8} {:>9}  end", "animal", "limit", "ended");
    for (name, limit, expected) in &ANIMALS {
        let mut late = None;
        for _ in 0..ATTEMPTS {
            let slow = stretch();
            let (took, end) = zoo.visit(name).await;
            let slow = slow.max(stretch());
            let text = end.as_ref().map_or_else(|error| format!("{:.110}", error.message), |text| format!("{text:.60?}"));
            eprintln!("{name:<16} {:>5} ms {:>6} ms  {text}", limit.as_millis(), took.as_millis());
            problems.extend(wrong(&end, expected).map(|wrong| format!("{name}: {wrong}")));
            let next = zoo.visit("harmless").await.1;
            problems.extend(wrong(&next, &Says("harmless")).map(|wrong| format!("the call after {name}: {wrong}")));
            late = (took > (*limit + GRACE).mul_f64(slow)).then(|| format!("{name}: it took {took:?}, {slow:.1} times slowed"));
            if late.is_none() {
                break;
            }
        }
        problems.extend(late);
        // Its instance lives on if it did nothing wrong, with what it took; but it never is a second one, and never above its limit.
        let (instances, memory_bytes) = zoo.usage();
        if instances > 1 || memory_bytes > 64 << 20 {
            problems.push(format!("{name} leaves {instances} instances of {memory_bytes} bytes"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let heard = String::from_utf8_lossy(&zoo.elsewhere.heard.lock().unwrap()).into_owned();
    assert!(heard.is_empty(), "something reached a host that was not granted, or after the end of its call: {heard}");
    zoo.visit("trap").await.1.unwrap_err();
    assert_eq!(zoo.usage(), (0, 0), "what the last instance had taken went with it");
    assert_eq!(zoo.visit("harmless").await.1.unwrap(), "harmless");
    assert_eq!(zoo.usage(), before, "and the plugin is as it was before");
}

/// Bytes of this process that are in memory.
fn resident_bytes() -> usize {
    let pages: usize = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

const ALONE: &str = "plugin::tests::zoo::memory_after_a_second_and_third_tour_is_that_after_the_first";
const NOISE_BYTES: usize = 16 << 20;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a process of its own; the test after it gives it one"]
async fn memory_after_a_second_and_third_tour_is_that_after_the_first() {
    let zoo = zoo().await;
    let mut resident = Vec::new();
    for _ in 0..3 {
        for (name, _, _) in &ANIMALS {
            let _ = zoo.visit(name).await;
            zoo.visit("harmless").await.1.unwrap();
        }
        zoo.visit("trap").await.1.unwrap_err();
        zoo.visit("harmless").await.1.unwrap();
        resident.push(resident_bytes() >> 10);
    }
    eprintln!("resident after each tour: {resident:?} KiB");
    assert!(resident[2] < resident[0] + (NOISE_BYTES >> 10), "{resident:?} KiB after each tour");
}

#[tokio::test]
async fn memory_of_the_process_returns_to_where_it_was() {
    let this = std::env::current_exe().unwrap();
    let output = tokio::process::Command::new(this).args(["--exact", ALONE, "--ignored", "--nocapture"]).output().await.unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    said.lines().filter(|line| line.contains("resident")).for_each(|line| eprintln!("{line}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_loop_and_sleep_end_the_calls_of_every_kind() {
    let room = room(&[], &["hostile"]);
    let texts = ["a".to_owned()];
    for (name, expected) in [("trap", "as told"), ("loop", TOO_SLOW), ("sleep", "plugins never block")] {
        for attempt in 0..2 {
            let embedding = room.embed(&row("hostile", name, ModelType::Embedding), &["a"]).await.unwrap_err();
            let reranker = room.plugins.reranker(&row("hostile", name, ModelType::Rerank)).unwrap();
            let ranking = reranker.rerank(&context(), "q", &texts, None).await.unwrap_err();
            for error in [embedding, ranking] {
                assert_eq!(error.kind, ProviderErrorKind::PluginFault, "{name} {attempt}: {error}");
                assert!(error.message.contains(expected), "{name} {attempt}: {error}");
            }
        }
        room.embed(&row("hostile", "harmless", ModelType::Embedding), &["a"]).await.unwrap();
        let reranker = room.plugins.reranker(&row("hostile", "harmless", ModelType::Rerank)).unwrap();
        reranker.rerank(&context(), "q", &texts, None).await.unwrap();
    }
}

#[tokio::test]
async fn forged_usage_is_handed_on_and_overflows_no_sum() {
    let room = room(&[], &["hostile"]);
    let forged = Some(Usage { input_tokens: u32::MAX, output_tokens: u32::MAX });
    let mut stream = room.chat(&row("hostile", "forged-usage", ModelType::KnowledgeQA), "x").await.unwrap();
    let mut last = None;
    while let Some(delta) = stream.next().await {
        last = Some(delta.unwrap());
    }
    assert!(matches!(last, Some(ChatDelta::End { usage, .. }) if usage == forged), "{last:?}");
    let texts: Vec<String> = (0..1_000).map(|number| format!("text {number}")).collect();
    let embedder = room.plugins.embedder(&row("hostile", "forged-usage", ModelType::Embedding)).unwrap();
    let rows = embedder.embed(&context(), EmbedPurpose::Chunk, &texts).await.unwrap();
    assert_eq!(rows.usage, forged, "the sum over several batches");
}

#[tokio::test(flavor = "multi_thread")]
async fn call_that_traps_or_loops_when_it_is_given_up_harms_nobody() {
    for room in [room(&["hostile"], &[]), room(&[], &["hostile"])] {
        for name in ["cancel-trap", "cancel-loop"] {
            let model = row("hostile", name, ModelType::KnowledgeQA);
            let other = row("hostile", "deep-trap", ModelType::KnowledgeQA);
            let beside = room.chat(&other, "go on").await.unwrap();
            let given_up = tokio::time::timeout(Duration::from_millis(50), room.chat(&model, "x")).await;
            assert!(given_up.is_err(), "it waits for ever");
            assert_eq!(collect(beside).await.unwrap(), "0 1 2 3 4 5 6 7 8 9 ");
            assert_eq!(room.say(&row("hostile", "harmless", ModelType::KnowledgeQA), "x").await.unwrap(), "harmless", "after {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_one_tenant_left_is_seen_by_another() {
    let room = room(&[], &["hostile"]);
    let state = row("hostile", "state", ModelType::KnowledgeQA);
    for (tenant, expected) in [(1, "visitor 0"), (1, "visitor 1"), (2, "visitor 0"), (3, "visitor 0"), (1, "visitor 2")] {
        let context = CallContext { tenant_id: TenantId(tenant), ..context() };
        assert_eq!(say(&room.plugins, &state, &context).await.unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn randomness_is_the_same_in_every_instance() {
    let room = room(&[], &["hostile"]);
    let random = row("hostile", "random", ModelType::KnowledgeQA);
    let mut seen = Vec::new();
    for tenant in [1, 2] {
        seen.push(say(&room.plugins, &random, &CallContext { tenant_id: TenantId(tenant), ..context() }).await.unwrap());
    }
    assert_eq!(seen[0], seen[1]);
}
