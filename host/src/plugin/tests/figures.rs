//! Measures what the design promised; the bounds are loose, because test machines are busy, and the figures are printed.

use super::support::{collect, component, config, context, question, room, row};
use crate::domain::{Model, ModelType};
use crate::plugin::loaded::Workshop;
use crate::plugin::wasm::{self, EmbedderKind, wit};
use crate::provider::{PluginDesk, PluginSource};
use futures_util::StreamExt;
use std::time::{Duration, Instant};

/// The quickest of `rounds` rounds, for each of `repeats` runs of `run`.
fn best(rounds: usize, repeats: u32, mut run: impl FnMut()) -> Duration {
    let mut quickest = Duration::MAX;
    for _ in 0..rounds {
        let started = Instant::now();
        (0..repeats).for_each(|_| run());
        quickest = quickest.min(started.elapsed() / repeats);
    }
    quickest
}

fn embed_request(texts: Vec<String>, dimensions: u32) -> wit::embedder::Request {
    wit::embedder::Request {
        model: wit::io::Model { name: "echo".into(), base_url: String::new(), settings: vec![] },
        purpose: wit::embedder::Purpose::Query,
        texts,
        dimensions: Some(dimensions),
    }
}

#[test]
fn turns_and_instances_cost_microseconds() {
    let folder = tempfile::tempdir().unwrap();
    let engine = wasm::Engine::new().unwrap();
    let cache = wasm::CompiledCache::open(&folder.path().join("compiled"), &folder.path().join("secrets/key")).unwrap();
    let limits = wasm::InstanceLimits { memory_bytes_max: 64 << 20, turn_cpu_max: Duration::from_millis(200) };
    let no_files = || Ok(wasm::WarmFiles::new());
    let load = |name: &str| {
        let source = wasm::Source { bytes: &component(name), digest: name, label: name, limits, files: &no_files };
        wasm::load(&engine, &cache, source, || false).unwrap()
    };
    let (loaded, again) = (load("echo"), load("echo"));
    eprintln!("load: compiled {:?}, from the cache {:?}", loaded.time, again.time);
    let echo = loaded.component;
    let instance = best(20, 100, || drop(echo.instantiate::<EmbedderKind>().unwrap()));
    let mut live = echo.instantiate::<EmbedderKind>().unwrap();
    let empty = embed_request(vec![], 8);
    let trivial = best(20, 1_000, || drop(live.start(1, &empty).unwrap()));
    let texts = embed_request(vec!["a".repeat(20); 64], 8);
    let batch = best(20, 100, || drop(live.start(1, &texts).unwrap()));
    let mut rows = load("hostile").component.instantiate::<EmbedderKind>().unwrap();
    let (mut many, mut few) = (embed_request(vec![String::new(); 64], 512), embed_request(vec![String::new(); 64], 1));
    (many.model.name, few.model.name) = ("rows".into(), "rows".into());
    let numbers = best(50, 20, || {
        let step = rows.start(1, &many).unwrap();
        assert!(step.end.is_some_and(|end| end.is_ok_and(|answer| answer.data.len() == 64 * 512)));
    });
    let without = best(50, 20, || drop(rows.start(1, &few).unwrap()));
    eprintln!("instance {instance:?}, a call that does nothing {trivial:?}, 64 texts to 64 x 8 floats {batch:?}");
    eprintln!("64 texts to 64 x 512 floats {numbers:?}, to 64 x 1 {without:?}: {:?} for the numbers", numbers.saturating_sub(without));
    assert!(instance < Duration::from_millis(5) && trivial < Duration::from_millis(1));
}

/// CPU time of this thread, which neighbours do not change much.
fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}

#[test]
fn built_in_embedder_takes_milliseconds_for_a_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let engine = wasm::Engine::new().unwrap();
    let cache = wasm::CompiledCache::open(&folder.path().join("compiled"), &folder.path().join("secrets/key")).unwrap();
    let limits = wasm::InstanceLimits { memory_bytes_max: 256 << 20, turn_cpu_max: Duration::from_secs(10) };
    let no_files = || Ok(wasm::WarmFiles::new());
    let name = "embedder-local";
    let source = wasm::Source { bytes: &component(name), digest: name, label: name, limits, files: &no_files };
    let mut live = wasm::load(&engine, &cache, source, || false).unwrap().component.instantiate::<EmbedderKind>().unwrap();
    let sentence = "The committee of the northern harbour met twice in spring to decide how the old lighthouse could be repaired. ";
    for model in ["knowhost-embed", "knowhost-embed-static"] {
        let mut request = embed_request(vec![sentence.repeat(4); 16], 512);
        request.model.name = model.into();
        let mut tokens = 0;
        let mut quickest = Duration::MAX;
        for _ in 0..8 {
            let started = cpu_time();
            let step = live.start(1, &request).unwrap();
            quickest = quickest.min(cpu_time().saturating_sub(started));
            tokens = step.end.unwrap().unwrap().usage.unwrap().input_tokens;
        }
        eprintln!("{model}: {:?} of CPU for a text of {} tokens", quickest / 16, tokens / 16);
    }
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

fn endless() -> Model {
    let mut model = row("hostile", "deep-trap", ModelType::KnowledgeQA);
    model.parameters.settings.insert("count".into(), 1_000_000.into());
    model
}

#[tokio::test]
async fn open_stream_costs_kibibytes() {
    let room = room(&["hostile"], &[]);
    let model = room.plugins.chat_model(&endless()).unwrap();
    let streams = 1_024;
    let before = resident_bytes();
    let mut open = Vec::new();
    for _ in 0..streams {
        open.push(model.chat_stream(&context(), question("go on")).await.unwrap());
    }
    let each = resident_bytes().saturating_sub(before) / streams;
    let listing = room.plugins.list().unwrap();
    eprintln!("{each} bytes for each of {streams} open streams, in {} instances", listing[0].instances);
    assert_eq!(listing[0].instances, streams / crate::limits::PLUGIN_CALLS_PER_INSTANCE);
    assert!(each < 64 << 10);
}

#[tokio::test]
async fn delta_costs_microseconds() {
    let room = room(&["echo"], &[]);
    let model = row("echo", "echo", ModelType::KnowledgeQA);
    let words = "word ".repeat(2_000);
    let started = Instant::now();
    assert_eq!(room.say(&model, &words).await.unwrap(), words);
    eprintln!("{:?} for each delta with its timer of 0 ms", started.elapsed() / 2_000);
    let stream = room.chat(&model, "a b c").await.unwrap();
    assert_eq!(collect(stream.boxed()).await.unwrap(), "a b c");
}

/// Keeps the loader's own type in use here, so that its figures are those of the server.
#[test]
fn workshop_loads_what_the_figures_measure() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &[]);
    let workshop = Workshop {
        engine: wasm::Engine::new().unwrap(),
        cache: wasm::CompiledCache::open(&config.compiled_dir, &config.key_file).unwrap(),
        libraries: crate::plugin::native::Libraries::default(),
        room: std::sync::Arc::new(super::super::asks::AskRoom::new(
            super::super::asks::HttpDoor::new(Default::default(), Default::default()).unwrap(),
        )),
        cores: super::super::calls::Cores::of_this_machine(),
        compiler: super::super::elsewhere::Elsewhere::new(None),
        models_dir: config.models_dir,
    };
    let plugin = workshop.load(&component("echo").into(), false).unwrap();
    assert_eq!(plugin.usage(), (0, 0), "nothing runs before the first call");
}
