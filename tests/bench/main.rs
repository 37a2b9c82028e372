//! Measures a real server with N generated chunks and prints a Markdown table: `cargo run --release -p knowhost-tests --bin bench -- [CHUNKS]`.
//!
//! Needs `KNOWHOST_BIN`. Not here: search quality (`tests/quality`).

use knowhost_tests::{Caller, Server};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CHUNK_CHARS: usize = 480;
const CHUNKS_PER_DOCUMENT: usize = 200;
const WORDS: &[&str] = &[
    "harbour", "anchor", "tide", "granite", "lamp", "keeper", "storm", "ledger", "copper", "orchard", "bakery", "signal", "meadow",
    "winter", "ferry", "ticket", "salt", "engine", "letter", "museum", "garden", "bridge", "river", "market", "violin", "paper", "stone",
    "glass", "cinder", "lantern",
];

fn main() {
    let chunks: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut report = Report::default();
    let mut server = Server::empty();
    let kb_id = server.caller().a_kb("Bench");
    report.line("resident memory, idle", format!("{} MiB", resident_mib(server.pid())));
    ingest(&server, &kb_id, chunks, &mut report);
    restart(&mut server, &mut report);
    report.line("resident memory, data loaded", format!("{} MiB", resident_mib(server.pid())));
    search(&server, &kb_id, chunks, &mut report);
    plain_get(&server, &mut report);
    first_piece(&server, &kb_id, &mut report);
    report.print(chunks);
}

#[derive(Default)]
struct Report(Vec<(String, String)>);

impl Report {
    fn line(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.0.push((what.into(), figure.into()));
    }

    #[expect(clippy::print_stdout, reason = "the result of the program")]
    fn print(&self, chunks: usize) {
        println!("| what ({chunks} chunks) | measured |\n| --- | --- |");
        for (what, figure) in &self.0 {
            println!("| {what} | {figure} |");
        }
    }
}

/// A text of about [`CHUNK_CHARS`], different for each number.
fn paragraph(number: usize) -> String {
    let mut state = number as u64 * 0x9e37_79b9_7f4a_7c15 + 1;
    let mut text = format!("Entry{number} ");
    while text.len() < CHUNK_CHARS {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(WORDS[(state % WORDS.len() as u64) as usize]);
        text.push(' ');
    }
    text
}

fn ingest(server: &Server, kb_id: &str, chunks: usize, report: &mut Report) {
    let caller = server.caller();
    let started = Instant::now();
    let mut ids = Vec::new();
    for document in 0..chunks.div_ceil(CHUNKS_PER_DOCUMENT) {
        let numbers = document * CHUNKS_PER_DOCUMENT..((document + 1) * CHUNKS_PER_DOCUMENT).min(chunks);
        let text: Vec<String> = numbers.map(paragraph).collect();
        let answer =
            caller.upload(kb_id, &format!("bench-{document}.txt"), text.join("\n\n").as_bytes()).expect("answered").expect_status(200);
        ids.push(answer.json["data"]["id"].as_str().expect("an id").to_owned());
    }
    for id in &ids {
        assert_eq!(caller.wait_parsed(id)["parse_status"], "completed");
    }
    let seconds = started.elapsed().as_secs_f64();
    report.line("ingestion of text, built-in embedder", format!("{:.0} chunks/s", chunks as f64 / seconds));
}

fn restart(server: &mut Server, report: &mut Report) {
    server.stop();
    let started = Instant::now();
    server.start();
    report.line("ready to serve, existing data (polled every 50 ms)", format!("{} ms", started.elapsed().as_millis()));
}

fn search(server: &Server, kb_id: &str, chunks: usize, report: &mut Report) {
    let query = move |number: usize| {
        let words: Vec<&str> = (0..4).map(|place| WORDS[(number * 7 + place * 11) % WORDS.len()]).collect();
        format!("{} {}", words.join(" "), number % chunks)
    };
    let path = format!("/api/v1/knowledge-bases/{kb_id}/hybrid-search");
    let work = move |caller: &Caller, number: usize| {
        let body = json!({ "query_text": query(number), "match_count": 10 });
        caller.send(caller.request("GET", &path).json(&body)).expect("answered").expect_status(200);
    };
    let cpu = cpu_seconds(server.pid());
    let one = load(server, 1, Duration::from_secs(5), &work);
    let spent = cpu_seconds(server.pid()) - cpu;
    report.line("hybrid search, one client", one.text());
    report.line(
        "CPU of the server per hybrid search (query embedding included)",
        format!("{:.2} ms", spent * 1e3 / one.times.len().max(1) as f64),
    );
    report.line("hybrid search, 16 clients", load(server, 16, Duration::from_secs(5), &work).text());
}

fn plain_get(server: &Server, report: &mut Report) {
    let work = |caller: &Caller, _: usize| {
        caller.get("/api/v1/knowledge-bases").expect("answered").expect_status(200);
    };
    report
        .line("plain authenticated GET, 16 clients (the client on the same cores)", load(server, 16, Duration::from_secs(5), &work).text());
}

fn first_piece(server: &Server, kb_id: &str, report: &mut Report) {
    let caller = server.caller();
    let mut times: Vec<Duration> = (0..20)
        .map(|number| {
            let session_id = caller.a_session(kb_id);
            let started = Instant::now();
            let request = caller.request("POST", &format!("/api/v1/knowledge-chat/{session_id}"));
            let mut answer = request.json(&json!({ "query": format!("harbour lamp {}", WORDS[number]) })).send().expect("answered");
            let mut first = [0; 1];
            std::io::Read::read_exact(&mut answer, &mut first).expect("a first byte");
            started.elapsed()
        })
        .collect();
    times.sort();
    report
        .line("question to first byte of the stream, built-in models, one client", format!("p50 {:.1} ms", times[10].as_secs_f64() * 1e3));
}

struct Load {
    times: Vec<Duration>,
    seconds: f64,
}

impl Load {
    fn text(&self) -> String {
        let at = |share: f64| self.times[((self.times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        format!("{:.0}/s, p50 {:.2} ms, p99 {:.2} ms", self.times.len() as f64 / self.seconds, at(0.5), at(0.99))
    }
}

/// Closed loop: each client sends its next request when the last was answered.
fn load(server: &Server, clients: usize, time: Duration, work: &(impl Fn(&Caller, usize) + Sync)) -> Load {
    let (stop, number) = (Arc::new(AtomicBool::new(false)), AtomicU64::new(0));
    let started = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                let (stop, number) = (stop.clone(), &number);
                scope.spawn(move || {
                    let caller = server.caller();
                    let mut times = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let started = Instant::now();
                        work(&caller, number.fetch_add(1, Ordering::Relaxed) as usize);
                        times.push(started.elapsed());
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    });
    times.sort();
    Load { times, seconds: started.elapsed().as_secs_f64() }
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() >> 10
}

/// User and system time of a process, from ticks of 10 ms.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}
