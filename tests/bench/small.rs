//! The everyday figures: import, memory, start, search, a plain GET, the first piece of an answer.
//!
//! Not here: large knowledge bases, many streams, search beside an import.

use crate::Plan;
use crate::corpus::Corpus;
use crate::fill::fill;
use crate::load::{closed, each_once};
use crate::process::{CpuMeter, resident_text};
use crate::report::{Report, say};
use crate::wire::request;
use knowhost_tests::Server;
use serde_json::json;
use std::time::{Duration, Instant};

/// Fewer than the server keeps vectors of.
pub(crate) const REPEATED_QUESTIONS: usize = 64;
/// More than a loop sends.
const NEW_QUESTIONS: usize = 50_000;
const FIRST_PIECES: usize = 30;

pub(crate) fn ingest(server: &Server, kb_id: &str, plan: &Plan, report: &mut Report) {
    let meter = CpuMeter::start(server.pid());
    let time = fill(server, kb_id, &Corpus::read(), 0..plan.chunks);
    let (cpu, _) = meter.spent();
    let (chunks, seconds) = (plan.chunks as f64, time.as_secs_f64());
    report.line(
        format!("ingestion of text, default embedder, {} chunks", plan.chunks),
        format!("{:.0} chunks/s; {:.2} ms of CPU a chunk, {:.0} % of a core", chunks / seconds, cpu * 1e3 / chunks, cpu * 100.0 / seconds),
    );
}

pub(crate) fn restart(server: &mut Server, report: &mut Report) {
    server.stop();
    let started = Instant::now();
    server.start();
    report.line("ready to serve, existing data (polled every 50 ms)", format!("{} ms", started.elapsed().as_millis()));
    report.line("resident memory, idle after a restart", resident_text(server.pid()));
}

/// Hybrid searches for the questions `from..to`.
pub(crate) fn searches(server: &Server, kb_id: &str, corpus: &Corpus, from: usize, to: usize) -> Vec<Vec<u8>> {
    let path = format!("/api/v1/knowledge-bases/{kb_id}/hybrid-search");
    let one = |number| request(server, "GET", &path, Some(&json!({ "query_text": corpus.question(number), "match_count": 10 })));
    (from..to).map(one).collect()
}

pub(crate) fn search(server: &Server, kb_id: &str, plan: &Plan, report: &mut Report) {
    let corpus = Corpus::read();
    let new = searches(server, kb_id, &corpus, 1_000, 1_000 + NEW_QUESTIONS);
    let one = closed(server, 1, plan.time, &new);
    report.line("hybrid search, new questions, one client", one.text());
    report.line("CPU of the server per hybrid search, query embedding included", format!("{:.2} ms", one.server_ms()));
    report.line(format!("hybrid search, new questions, {} clients", plan.clients), closed(server, plan.clients, plan.time, &new).text());
    let repeated = searches(server, kb_id, &corpus, 0, REPEATED_QUESTIONS);
    each_once(server, &repeated);
    let one = closed(server, 1, plan.time, &repeated);
    report.line(format!("hybrid search, {REPEATED_QUESTIONS} questions again and again (their vectors are kept), one client"), one.text());
    report.line("CPU of the server per hybrid search without the embedder", format!("{:.2} ms", one.server_ms()));
    let all = closed(server, plan.clients, plan.time, &repeated);
    report
        .line(format!("the same, {} clients", plan.clients), format!("{}; {:.2} ms of the server's CPU each", all.text(), all.server_ms()));
}

pub(crate) fn plain_get(server: &Server, plan: &Plan, report: &mut Report) {
    server.caller().a_kb("Listed");
    let list = [request(server, "GET", "/api/v1/knowledge-bases", None)];
    each_once(server, &list);
    say("a plain GET");
    let load = closed(server, plan.clients, plan.time, &list);
    report.line(
        format!("plain authenticated GET (list of knowledge bases), {} clients", plan.clients),
        format!("{}; {:.1} us of the server's CPU each", load.text(), load.server_ms() * 1e3),
    );
}

pub(crate) fn first_piece(server: &Server, kb_id: &str, report: &mut Report) {
    let (caller, corpus) = (server.caller(), Corpus::read());
    let mut times: Vec<Duration> = (0..FIRST_PIECES)
        .map(|number| {
            let session_id = caller.a_session(kb_id);
            let started = Instant::now();
            let request = caller.request("POST", &format!("/api/v1/knowledge-chat/{session_id}"));
            let mut answer = request.json(&json!({ "query": corpus.question(200 + number) })).send().expect("answered");
            let mut first = [0; 1];
            std::io::Read::read_exact(&mut answer, &mut first).expect("a first byte");
            started.elapsed()
        })
        .collect();
    times.sort();
    let median = times[FIRST_PIECES / 2].as_secs_f64() * 1e3;
    report.line("question to first byte of the stream, built-in models, one client", format!("p50 {median:.1} ms"));
}
