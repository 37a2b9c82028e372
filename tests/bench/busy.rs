//! Search while documents are imported, against the same search alone.
//!
//! Not here: how fast the import is by itself (`small`).

use crate::Plan;
use crate::corpus::Corpus;
use crate::fill::upload;
use crate::load::{Load, each_once, open};
use crate::report::{Report, say};
use crate::small::{REPEATED_QUESTIONS, searches};
use knowhost_tests::Server;
use std::sync::atomic::{AtomicBool, Ordering};

/// Far from what the machine can do, so that what is measured is the import and not a queue.
const RATE: f64 = 50.0;
const CLIENTS: usize = 4;
const CHUNKS_PER_DOCUMENT: usize = 50;
/// Beyond all other paragraphs.
const FIRST: usize = 10_000_000;

pub(crate) fn run(server: &Server, kb_id: &str, plan: &Plan, report: &mut Report) {
    let corpus = Corpus::read();
    let questions = searches(server, kb_id, &corpus, 0, REPEATED_QUESTIONS);
    each_once(server, &questions);
    let idle = open(server, CLIENTS, RATE, plan.time, &questions);
    say("the same search beside an import");
    let stop = AtomicBool::new(false);
    let (busy, documents) = std::thread::scope(|scope| {
        let importer = scope.spawn(|| import(server, kb_id, &corpus, &stop));
        std::thread::sleep(std::time::Duration::from_secs(1));
        each_once(server, &questions);
        let busy = open(server, CLIENTS, RATE, plan.time, &questions);
        stop.store(true, Ordering::Relaxed);
        (busy, importer.join().expect("the importer"))
    });
    let text = |load: &Load| format!("p50 {:.2} ms, p99 {:.2} ms", load.at(0.5), load.at(0.99));
    let what = format!("hybrid search, open loop at {RATE:.0}/s from {CLIENTS} clients");
    report.line(format!("{what}, alone"), text(&idle));
    report.line(format!("{what}, while {documents} documents of {CHUNKS_PER_DOCUMENT} chunks are imported"), text(&busy));
    report.line("p99 of search beside an import, times that of search alone", format!("{:.1}", busy.at(0.99) / idle.at(0.99).max(0.001)));
}

/// Two documents are always on their way; answers how many there were.
fn import(server: &Server, kb_id: &str, corpus: &Corpus, stop: &AtomicBool) -> usize {
    let caller = server.caller();
    let mut last = None;
    for document in 0.. {
        let first = FIRST + document * CHUNKS_PER_DOCUMENT;
        let id = upload(&caller, kb_id, corpus, first..first + CHUNKS_PER_DOCUMENT);
        if let Some(last) = last.replace(id) {
            caller.wait_parsed(&last);
        }
        if stop.load(Ordering::Relaxed) {
            return document + 1;
        }
    }
    0
}
