//! Many answers at once: how late their events are, and what a stream costs.
//!
//! The model is the program's own (`model`): it sends tokens at a fixed pace with the time in each, so that what the server adds is known for every
//! event. Not here: how fast a real model is.

use crate::Plan;
use crate::corpus::Corpus;
use crate::fill::fill;
use crate::model::{self, Pace};
use crate::process::{CpuMeter, resident_kb};
use crate::report::{Report, say};
use crate::wire::{host, request};
use knowhost_tests::{Caller, Server};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TOKENS: usize = 60;
/// Questions that are sent at the same moment; the rest follows.
const BURST: usize = 32;
const CHUNKS: usize = 50;

pub(crate) fn run(server: &Server, plan: &Plan, report: &mut Report) {
    let (caller, corpus) = (server.caller(), Corpus::read());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    let pace = Pace { answers: plan.streams, tokens: TOKENS, token: plan.token, epoch: Instant::now() };
    let epoch = pace.epoch;
    runtime.spawn(model::serve(listener, pace));
    let kb_id = caller.a_kb("Streams");
    // Before the model is there, which would be asked to sum the document up.
    fill(server, &kb_id, &corpus, 0..CHUNKS);
    add_model(&caller, &format!("http://{address}/v1"));
    say(&format!("making {} sessions", plan.streams));
    let body = json!({ "query": corpus.paragraph(1) });
    let ask = |_| {
        let session_id = caller.a_session(&kb_id);
        request(server, "POST", &format!("/api/v1/knowledge-chat/{session_id}"), Some(&body))
    };
    let requests: Vec<Vec<u8>> = (0..plan.streams).map(ask).collect();
    let before_kb = resident_kb(server.pid());
    let meter = CpuMeter::start(server.pid());
    say(&format!("asking {} questions at once", plan.streams));
    let (events, peak_kb) = runtime.block_on(ask_all(server, requests, epoch));
    let (server_cpu, own_cpu) = meter.spent();
    show(plan, &events, report);
    let each_kb = peak_kb.saturating_sub(before_kb) as f64 / plan.streams as f64;
    report.line("memory per stream, all in", format!("{each_kb:.0} kB"));
    let all: usize = events.iter().map(Vec::len).sum();
    report.line(
        "CPU for those answers, questions included",
        format!("server {server_cpu:.1} s, model and clients {own_cpu:.1} s, {all} events"),
    );
}

/// From now on the answers come from the paced model.
fn add_model(caller: &Caller, base_url: &str) {
    let model = json!({
        "name": "paced", "type": "KnowledgeQA", "source": "remote", "is_default": true,
        "parameters": { "base_url": base_url, "api_key": "" },
    });
    caller.post("/api/v1/models", &model).expect("answered").expect_status(201);
}

/// When the model sent an event's first token, and when the event was here.
#[derive(Clone, Copy)]
struct Event {
    sent: Duration,
    here: Duration,
}

/// Each stream's events, and the most memory that the server held.
async fn ask_all(server: &Server, requests: Vec<Vec<u8>>, epoch: Instant) -> (Vec<Vec<Event>>, u64) {
    let address = host(server);
    let streams: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(place, request)| {
            let address = address.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(100) * u32::try_from(place / BURST).unwrap_or(u32::MAX)).await;
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                stream.write_all(&request).await.expect("sent");
                read(stream, epoch).await
            })
        })
        .collect();
    let mut events = Vec::new();
    let mut peak_kb = 0;
    for stream in streams {
        while !stream.is_finished() {
            peak_kb = peak_kb.max(resident_kb(server.pid()));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        events.push(stream.await.expect("a stream"));
    }
    (events, peak_kb)
}

/// Reads to the end; the time of each event with a token.
async fn read(mut stream: TcpStream, epoch: Instant) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let count = stream.read(&mut buffer).await.expect("more of the stream");
        let here = epoch.elapsed();
        bytes.extend_from_slice(&buffer[..count]);
        while let Some(end) = bytes.windows(2).position(|window| window == b"\n\n") {
            let block: Vec<u8> = bytes.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&block);
            assert!(!text.starts_with("HTTP/1.1") || text.starts_with("HTTP/1.1 200"), "{text}");
            if let Some(sent) = sent_at(&text) {
                events.push(Event { sent, here });
            }
            if text.contains("\"done\":true") {
                return events;
            }
        }
        assert!(count > 0, "a stream ended early: {}", String::from_utf8_lossy(&bytes));
    }
}

/// The time in `"content":"t123456 "`.
fn sent_at(event: &str) -> Option<Duration> {
    let (_, rest) = event.split_once("\"content\":\"t")?;
    let digits = rest.split_once(' ')?.0;
    digits.parse().ok().map(Duration::from_micros)
}

fn show(plan: &Plan, events: &[Vec<Event>], report: &mut Report) {
    let short = events.iter().filter(|events| events.len() < TOKENS / 2).count();
    assert_eq!(short, 0, "{short} streams had fewer than half of the model's tokens");
    let gaps = |time: fn(&Event) -> Duration| {
        let gaps = events.iter().flat_map(move |events| events.windows(2).map(move |pair| time(&pair[1]).saturating_sub(time(&pair[0]))));
        p99_ms(gaps.collect())
    };
    let (sent, here) = (gaps(|event| event.sent), gaps(|event| event.here));
    let delays: Vec<Duration> = events.iter().flatten().map(|event| event.here.saturating_sub(event.sent)).collect();
    report.line(
        format!("{} answers at once, {:.0} tokens a second in all: p99 of the gap between events", plan.streams, rate(plan)),
        format!("{here:.0} ms; the model's own {sent:.0} ms; {:.0} ms above it", here - sent),
    );
    report.line("delay of an event, from the model's socket to the client's", format!("p99 {:.1} ms", p99_ms(delays)));
}

fn rate(plan: &Plan) -> f64 {
    plan.streams as f64 / plan.token.as_secs_f64()
}

fn p99_ms(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len().saturating_sub(1) * 99 / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
