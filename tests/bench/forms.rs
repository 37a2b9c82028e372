//! What each form of one plugin costs: the built-in embedder as a component, as a native library and linked in.
//!
//! Not here: the server around it; the plugin room runs in this process, in a fresh one for each form, so that its memory can be told.
#![expect(clippy::print_stdout, reason = "the measuring process gives its figures on its output")]

use crate::corpus::Corpus;
use crate::process;
use crate::report::Report;
use knowhost::domain::{Model, ModelParameters, ModelStatus, ModelType, TenantId, Timestamp};
use knowhost::plugin::{PluginDesk, Plugins, PluginsConfig};
use knowhost::provider::{CallContext, EmbedPurpose, Embedder, PluginSource};
use knowhost_tests::library;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FORMS: [&str; 3] = ["component", "native", "linked"];
const NAMES: [(&str, &str); 2] = [("network", "knowhost-embed"), ("static", "knowhost-embed-static")];
const QUERIES: usize = 200;
const CHUNKS: usize = 256;

/// Runs this program once for each form and puts their figures side by side.
pub(crate) fn run(report: &mut Report) {
    let library = library("embedder-local");
    let mut digests = Vec::new();
    for form in FORMS {
        let folder = tempfile::tempdir().expect("a folder");
        // Twice, because the first start compiles a component.
        let first = child(form, &library, folder.path());
        let load = first.lines().find_map(|line| line.strip_prefix("load\t")).expect("a figure");
        report.line(format!("embedder as {form}: load, first start"), load);
        for line in child(form, &library, folder.path()).lines() {
            let (what, figure) = line.split_once('\t').expect("a figure");
            if what == "digest" {
                digests.push(figure.to_owned());
            } else {
                report.line(format!("embedder as {form}: {what}"), figure);
            }
        }
    }
    let same = digests.len() == FORMS.len() && digests.iter().all(|digest| *digest == digests[0]);
    assert!(same, "the forms give different numbers: {digests:?}");
    report.line("numbers of the three forms", "the same bits");
}

fn child(form: &str, library: &Path, folder: &Path) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--form", form]).env("KNOWHOST_BENCH_LIBRARY", library).env("KNOWHOST_BENCH_FOLDER", folder);
    let output = child.output().expect("this program runs");
    assert!(output.status.success(), "{form}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Measures one form and prints its figures, a line each.
pub(crate) fn measure(form: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = std::env::var_os("KNOWHOST_BENCH_FOLDER").expect("the folder");
    let before = process::resident_kb(std::process::id());
    let (plugins, load) = open(form, Path::new(&folder));
    println!("load\t{}", text(load));
    let corpus = Corpus::read();
    let mut bits = Fnv(0xcbf2_9ce4_8422_2325);
    for (label, name) in NAMES {
        let embedder = plugins.embedder(&row(name)).expect("the model");
        runtime.block_on(queries(label, &embedder, &corpus, &mut bits));
        runtime.block_on(chunks(label, &embedder, &corpus, 1, &mut bits));
        runtime.block_on(chunks(label, &embedder, &corpus, 2, &mut bits));
    }
    println!("memory over that before\t{} MiB", process::resident_kb(std::process::id()).saturating_sub(before) >> 10);
    println!("digest\t{:016x}", bits.0);
}

fn open(form: &str, folder: &Path) -> (Arc<Plugins>, Duration) {
    let all = PluginsConfig::in_data_dir(folder, vec![], "http://127.0.0.1:11434".into());
    let shipped = all.shipped.iter().filter(|component| form == "component" && component.name == "embedder-local").cloned().collect();
    let linked = if form == "linked" { vec![&embedder_local::KNOWHOST_PLUGIN] } else { vec![] };
    let config = PluginsConfig { shipped, linked, ..all };
    if form == "native" {
        let library = std::env::var_os("KNOWHOST_BENCH_LIBRARY").expect("the library");
        std::fs::create_dir_all(&config.plugins_dir).expect("a folder");
        std::fs::copy(library, config.plugins_dir.join("embedder-local.so")).expect("a copy");
    }
    let plugins = Plugins::open(config).expect("the plugin room");
    let listing = plugins.list().expect("a list").remove(0);
    let listing = match form {
        "native" if listing.kinds.is_empty() => plugins.allow_native("embedder-local", &listing.digest).expect("permission"),
        _ => listing,
    };
    (plugins, Duration::from_micros(listing.load_time_us))
}

fn row(name: &str) -> Model {
    Model {
        id: name.to_owned(),
        tenant_id: TenantId(10_000),
        name: name.to_owned(),
        model_type: ModelType::Embedding,
        source: "embedder-local".to_owned(),
        description: String::new(),
        parameters: ModelParameters::default(),
        is_default: false,
        status: ModelStatus::Active,
        created_at: Timestamp::now(),
        updated_at: Timestamp::now(),
        deleted_at: None,
    }
}

const TIME: Duration = Duration::from_secs(300);

/// One after another, as one person asks.
async fn queries(label: &str, embedder: &Arc<dyn Embedder>, corpus: &Corpus, bits: &mut Fnv) {
    let mut times = Vec::with_capacity(QUERIES);
    let before = process::cpu_seconds(std::process::id());
    for number in 0..QUERIES {
        let context = CallContext::interactive(TenantId(10_000), "bench", TIME);
        let question = [corpus.question(number)];
        let started = Instant::now();
        let rows = embedder.embed(&context, EmbedPurpose::Query, &question).await.expect("a row");
        times.push(started.elapsed());
        bits.add(&rows.data);
    }
    println!("{label}, first query\t{}", text(times[0]));
    times.sort();
    let cpu = (process::cpu_seconds(std::process::id()) - before) / QUERIES as f64;
    println!("{label}, query: median, CPU time\t{}, {:.2} ms", text(times[QUERIES / 2]), cpu * 1e3);
}

/// As ingestion does, from so many workers at once.
async fn chunks(label: &str, embedder: &Arc<dyn Embedder>, corpus: &Corpus, workers: usize, bits: &mut Fnv) {
    let count = if label == "static" { 8 * CHUNKS } else { CHUNKS };
    let texts: Vec<String> = (0..count).map(|number| corpus.paragraph(number)).collect();
    let (started, before) = (Instant::now(), process::cpu_seconds(std::process::id()));
    let tasks = texts.chunks(count / workers).map(|texts| {
        let (embedder, texts) = (embedder.clone(), texts.to_vec());
        tokio::spawn(async move {
            let context = CallContext::background(TenantId(10_000), "bench", TIME);
            embedder.embed(&context, EmbedPurpose::Chunk, &texts).await.expect("rows")
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        bits.add(&task.await.expect("no panic").data);
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    let by_cpu = count as f64 / (process::cpu_seconds(std::process::id()) - before);
    println!("{label}, chunks of 480 characters, {workers} at once\t{rate:.0}/s, {by_cpu:.0} a second of CPU");
}

fn text(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        format!("{:.2} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.0} ms", time.as_secs_f64() * 1e3)
    }
}

/// FNV-1a over the bits of numbers: enough to see whether they are the same.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, numbers: &[f32]) {
        for byte in numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
