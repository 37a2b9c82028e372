//! Hybrid search in one large knowledge base, the embedder left out.
//!
//! The knowledge base is filled through the public upload with the static embedder, whose vectors are as long as the default's. Each question is
//! asked once before the loops; the server keeps a question's vector for a minute, so no loop embeds anything. Tokenizing, both searches, fusion,
//! reading the chunks and writing the answer are all in it. Not here: recall, which is 1.0 by construction and by the index's own tests.

use crate::Plan;
use crate::corpus::Corpus;
use crate::fill::{fill, static_kb};
use crate::load::{closed, each_once, open};
use crate::process::{CpuMeter, resident_text};
use crate::report::Report;
use crate::small::{REPEATED_QUESTIONS, searches};
use knowhost_tests::Server;

pub(crate) fn run(server: &Server, plan: &Plan, report: &mut Report) {
    let (caller, corpus, chunks) = (server.caller(), Corpus::read(), plan.large_chunks);
    let kb_id = static_kb(&caller);
    let meter = CpuMeter::start(server.pid());
    let time = fill(server, &kb_id, &corpus, 0..chunks);
    let (cpu, _) = meter.spent();
    report.line(
        format!("ingestion of text, static embedder, {chunks} chunks"),
        format!("{:.0} chunks/s; {:.2} ms of CPU a chunk", chunks as f64 / time.as_secs_f64(), cpu * 1e3 / chunks as f64),
    );
    report.line(format!("resident memory, {chunks} chunks just imported"), resident_text(server.pid()));
    let questions = searches(server, &kb_id, &corpus, 0, REPEATED_QUESTIONS);
    each_once(server, &questions);
    let what = format!("hybrid search, {chunks} chunks in one knowledge base, embedder excluded");
    let alone = closed(server, 1, plan.time / 2, &questions);
    report.line(format!("{what}, one client"), format!("{}; {:.2} ms of the server's CPU each", alone.text(), alone.server_ms()));
    each_once(server, &questions);
    let steady = open(server, plan.clients, plan.rate, plan.time, &questions);
    report.line(format!("{what}, open loop at {:.0}/s from {} clients", plan.rate, plan.clients), steady.text());
    each_once(server, &questions);
    let full = closed(server, plan.clients, plan.time, &questions);
    report.line(
        format!("{what}, as fast as {} clients go", plan.clients),
        format!("{}; {:.2} ms of the server's CPU each", full.text(), full.server_ms()),
    );
}
