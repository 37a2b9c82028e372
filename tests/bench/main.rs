//! Measures a real server and prints a Markdown table: `cargo run --release -p knowhost-tests --bin bench -- --help`.
//!
//! Needs `KNOWHOST_BIN`. Not here: search quality (`tests/quality`).

mod busy;
mod corpus;
mod fill;
mod forms;
mod large;
mod load;
mod model;
mod process;
mod report;
mod small;
mod streams;
mod wire;

use clap::{Parser, ValueEnum};
use knowhost_tests::Server;
use report::Report;
use std::time::Duration;

/// Measures the server named by KNOWHOST_BIN and prints a table for docs/benchmarks.md.
///
/// Each run starts the server in a fresh folder and removes it at the end. Clients and server share the machine, so their CPU is told apart: the
/// clients' stands in the table beside what they measured. Progress goes to the standard error, the table to the standard output.
#[derive(Parser)]
#[command(name = "bench", after_help = "Example: bench --chunks 10000 ingest search get\n         bench large streams --seconds 20")]
struct Arguments {
    /// What to measure; all when none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Chunks of the knowledge base of `ingest`, `search`, `chat` and `busy`.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    chunks: u32,
    /// Chunks of the knowledge base of `large`.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    large_chunks: u32,
    /// Answers at once in `streams`.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    streams: u32,
    /// Milliseconds between two tokens of the model of `streams`.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    token_ms: u64,
    /// Requests a second of the open loop.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Clients of the loops.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    clients: u32,
    /// Seconds of each loop.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=50))]
    seconds: u64,
    /// An environment variable of the server, such as KNOWHOST_INGEST_WORKERS=2; may be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// Measures one form in this process, for `forms`.
    #[arg(long, hide = true)]
    form: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Import with the default embedder; memory before and after a restart; time to be ready.
    Ingest,
    /// Hybrid search over the imported chunks: closed loops with new and with repeated questions.
    Search,
    /// A plain authenticated GET: closed loop.
    Get,
    /// From a question to the first byte of the built-in answer.
    Chat,
    /// Search while documents are imported, against the same search alone: open loops.
    Busy,
    /// Hybrid search in one large knowledge base: open loop at a fixed rate, then as fast as it goes.
    Large,
    /// Many streamed answers at once, from a model with a fixed pace.
    Streams,
    /// The built-in embedder as a component, as a native library and linked in, each in a process of its own.
    Forms,
}

/// What all parts are given.
struct Plan {
    chunks: usize,
    large_chunks: usize,
    streams: usize,
    token: Duration,
    rate: f64,
    clients: usize,
    time: Duration,
}

fn main() {
    let arguments = Arguments::parse();
    let plan = Plan {
        chunks: arguments.chunks as usize,
        large_chunks: arguments.large_chunks as usize,
        streams: arguments.streams as usize,
        token: Duration::from_millis(arguments.token_ms),
        rate: f64::from(arguments.rate),
        clients: arguments.clients as usize,
        time: Duration::from_secs(arguments.seconds),
    };
    if let Some(form) = &arguments.form {
        return forms::measure(form);
    }
    let wanted = |part: Part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    let mut report = Report::default();
    if wanted(Part::Forms) {
        forms::run(&mut report);
        if arguments.parts == [Part::Forms] {
            return report.print();
        }
    }
    let mut server = start(&arguments.environment);
    report.line("resident memory, idle after the first start", process::resident_text(server.pid()));
    if [Part::Ingest, Part::Search, Part::Chat, Part::Busy].into_iter().any(wanted) {
        let kb_id = server.caller().a_kb("Bench");
        small::ingest(&server, &kb_id, &plan, &mut report);
        small::restart(&mut server, &mut report);
        if wanted(Part::Search) {
            small::search(&server, &kb_id, &plan, &mut report);
        }
        if wanted(Part::Chat) {
            small::first_piece(&server, &kb_id, &mut report);
        }
        if wanted(Part::Busy) {
            busy::run(&server, &kb_id, &plan, &mut report);
        }
    }
    if wanted(Part::Get) {
        small::plain_get(&server, &plan, &mut report);
    }
    if wanted(Part::Large) {
        large::run(&server, &plan, &mut report);
    }
    if wanted(Part::Streams) {
        streams::run(&server, &plan, &mut report);
    }
    report.print();
}

/// An empty server with the given environment.
fn start(environment: &[String]) -> Server {
    let mut builder = Server::builder().env("KNOWHOST_SAMPLE", "false");
    for variable in environment {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        builder = builder.env(name, value);
    }
    report::say("starting the server, which compiles its plugins");
    builder.start()
}
