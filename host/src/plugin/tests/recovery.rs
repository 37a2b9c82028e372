//! Traps under many streams: every other stream is whole, nothing is requested or said twice.
//!
//! Not here: what a trap says (`hostile`).

use super::support::{Room, collect, context, counts, question, room, row};
use crate::domain::{Model, ModelType};
use crate::provider::{ChatDelta, ChatStream, PluginSource, ProviderError, ProviderErrorKind};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const ROUNDS: usize = 10;
/// A round takes a second on a busy machine.
const STUCK: std::time::Duration = std::time::Duration::from_secs(60);

/// Lines for each request by the text of its body, one step for each round that the test opens.
struct Script {
    steps: HashMap<String, Vec<Vec<u8>>>,
    requests: Mutex<HashMap<String, usize>>,
    round: watch::Receiver<usize>,
}

async fn script(steps: HashMap<String, Vec<Vec<u8>>>) -> (String, Arc<Script>, watch::Sender<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (rounds, round) = watch::channel(0);
    let script = Arc::new(Script { steps, requests: Mutex::default(), round });
    let served = script.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, served.clone()));
        }
    });
    (url, script, rounds)
}

/// One request for each connection; what the client closes early just ends.
async fn serve(mut stream: TcpStream, script: Arc<Script>) -> Option<()> {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    let name = loop {
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        heard.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&heard);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().split("content-length: ").nth(1)?.lines().next()?.parse::<usize>().ok()?;
            if body.len() >= length {
                break body.to_owned();
            }
        }
    };
    *script.requests.lock().unwrap().entry(name.clone()).or_default() += 1;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n").await.ok()?;
    let mut round = script.round.clone();
    for (number, step) in script.steps.get(&name)?.iter().enumerate() {
        round.wait_for(|round| *round > number).await.ok()?;
        stream.write_all(step).await.ok()?;
    }
    stream.shutdown().await.ok()
}

fn relay(url: &str) -> Model {
    let mut model = row("hostile", "relay", ModelType::KnowledgeQA);
    model.parameters.base_url = url.into();
    model
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound as u64) as usize
    }
}

/// A text of lines for each stream, cut into steps at places that know nothing of lines or characters.
fn steps_of(lines: &[String], random: &mut Random) -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let mut cuts: Vec<usize> = (0..ROUNDS - 1).map(|_| random.below(bytes.len())).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
}

/// What one stream has said, and how far it is.
#[derive(Default)]
struct Heard {
    text: String,
    end: Option<Result<(), ProviderError>>,
}

/// Reads a stream to its end and tells after each piece that something has come.
fn read(mut stream: ChatStream, progress: Arc<watch::Sender<()>>) -> Arc<Mutex<Heard>> {
    let heard = Arc::new(Mutex::new(Heard::default()));
    let shared = heard.clone();
    tokio::spawn(async move {
        while let Some(delta) = stream.next().await {
            let mut heard = shared.lock().unwrap();
            match delta {
                Ok(ChatDelta::Text(piece)) => heard.text.push_str(&piece),
                Ok(ChatDelta::Reasoning(_) | ChatDelta::Tool(_)) => {}
                Ok(ChatDelta::End { .. }) => heard.end = Some(Ok(())),
                Err(error) => heard.end = Some(Err(error)),
            }
            drop(heard);
            progress.send_replace(());
        }
    });
    heard
}

/// Everything that can be said of the steps up to here, without the line breaks: whole lines only.
fn whole_lines(steps: &[Vec<u8>]) -> String {
    let bytes = steps.concat();
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    String::from_utf8(bytes[..end].to_vec()).unwrap().replace('\n', "")
}

struct Plan {
    streams: usize,
    traps: usize,
    seed: u64,
}

/// The first `streams` go on to their end; the `traps` after them are told to trap or to loop, in rounds spread over the whole time.
fn scripts(plan: &Plan, random: &mut Random) -> HashMap<String, Vec<Vec<u8>>> {
    let mut all = HashMap::new();
    for number in 0..plan.streams + plan.traps {
        let lines: Vec<String> = (0..20 + random.below(20))
            .map(|line| if line % 7 == 3 { "!pause".into() } else { format!("{number}:{line} «{}»; ", "é".repeat(random.below(9))) })
            .collect();
        let mut steps = vec![b"begin;\n".to_vec()];
        steps.extend(steps_of(&lines, random));
        if number >= plan.streams {
            let rest = steps.split_off(2 + random.below(ROUNDS - 2)).concat();
            let line_end = rest.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let word = if random.below(8) == 0 { "loop" } else { "trap" };
            steps.push([&rest[..line_end], format!("!{word}\n").as_bytes()].concat());
        }
        all.insert(number.to_string(), steps);
    }
    all
}

async fn check_recovery(room: Room, plan: Plan) {
    let mut random = Random(plan.seed);
    let scripts = scripts(&plan, &mut random);
    let (url, script, rounds) = script(scripts).await;
    let model = room.plugins.chat_model(&relay(&url)).unwrap();
    let (progress, mut seen) = watch::channel(());
    let progress = Arc::new(progress);
    // Victims sit among the others.
    let mut order: Vec<usize> = (0..plan.streams + plan.traps).collect();
    for place in (1..order.len()).rev() {
        order.swap(place, random.below(place + 1));
    }
    rounds.send(1).unwrap();
    let mut streams: Vec<_> = (0..order.len()).map(|_| Arc::default()).collect();
    for number in order {
        let stream = model.chat_stream(&context(), question(&number.to_string())).await.unwrap();
        streams[number] = read(stream, progress.clone());
    }
    let instances = room.instances("hostile");
    for round in 2..=ROUNDS + 3 {
        rounds.send(round).unwrap();
        // All have said what they can by now; victims may be over already.
        let said = |number: usize| {
            let steps = &script.steps[&number.to_string()];
            let heard = streams[number].lock().unwrap();
            heard.end.is_some() || (round < steps.len() && heard.text == whole_lines(&steps[..round]).replace("!pause", ""))
        };
        let all = tokio::time::timeout(STUCK, seen.wait_for(|()| (0..streams.len()).all(said))).await;
        let late =
            || (0..streams.len()).filter(|number| !said(*number)).map(|number| (number, streams[number].lock().unwrap().text.clone()));
        assert!(all.is_ok(), "round {round}, late: {:?}", late().take(3).collect::<Vec<_>>());
    }
    let mut trapped = 0;
    for (number, heard) in streams.iter().enumerate() {
        let (heard, steps) = (heard.lock().unwrap(), &script.steps[&number.to_string()]);
        match (&heard.end, number < plan.streams) {
            (Some(Ok(())), true) => assert_eq!(heard.text, whole_lines(steps).replace("!pause", ""), "stream {number}"),
            (Some(Err(error)), false) => {
                let told = error.message.contains("as told, by the server") || error.message.contains("it computed for");
                assert!(told && error.kind == ProviderErrorKind::PluginFault && error.plugin == "hostile 0.1.0", "{number}: {error}");
                trapped += 1;
            }
            (end, _) => panic!("stream {number} ended with {end:?} after {:?}", heard.text),
        }
    }
    assert_eq!(trapped, plan.traps);
    let requests = script.requests.lock().unwrap();
    assert_eq!(requests.len(), streams.len());
    assert!(requests.values().all(|count| *count == 1), "each request was sent once");
    eprintln!("{} streams in {instances} instances, {trapped} of them trapped", plan.streams + plan.traps);
    assert!(instances >= streams.len() / crate::limits::PLUGIN_CALLS_PER_INSTANCE);
}

fn more_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn traps_under_many_streams_leave_every_other_stream_whole() {
    more_open_files();
    let plan = Plan { streams: counts("recovery_streams") as usize, traps: counts("recovery_traps") as usize, seed: counts("seed") };
    check_recovery(room(&["hostile"], &[]), plan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traps_of_a_third_party_plugin_leave_every_other_stream_whole() {
    more_open_files();
    check_recovery(room(&[], &["hostile"]), Plan { streams: 200, traps: 20, seed: counts("seed") }).await;
}

/// A stream with `steps`, beside one that traps in round 2, after `pieces` were read; the error or text of the first.
async fn beside_a_trap(steps: Vec<Vec<u8>>, pieces: usize) -> Result<String, ProviderError> {
    let room = room(&["hostile"], &[]);
    let trap = vec![b"begin\n".to_vec(), b"!trap\n".to_vec()];
    let (url, script, rounds) = script(HashMap::from([("one".into(), steps), ("trap".into(), trap), ("early".into(), vec![])])).await;
    let model = room.plugins.chat_model(&relay(&url)).unwrap();
    // Ends before the others begin, so that a fresh instance sees other numbers than this one.
    collect(model.chat_stream(&context(), question("early")).await.unwrap()).await.unwrap();
    rounds.send(1).unwrap();
    let mut stream = model.chat_stream(&context(), question("one")).await.unwrap();
    let mut text = String::new();
    for _ in 0..pieces {
        let ChatDelta::Text(piece) = stream.next().await.unwrap().unwrap() else { panic!("no text") };
        text.push_str(&piece);
    }
    let trapping = model.chat_stream(&context(), question("trap")).await.unwrap();
    assert_eq!(room.instances("hostile"), 1);
    rounds.send(2).unwrap();
    collect(trapping).await.unwrap_err();
    rounds.send(3).unwrap();
    let rest = collect(stream).await;
    assert!(script.requests.lock().unwrap().values().all(|count| *count == 1));
    rest.map(|rest| text + &rest)
}

#[tokio::test]
async fn plugin_that_says_something_else_when_told_the_same_is_named_as_not_deterministic() {
    let error = beside_a_trap(vec![b"!mood\n".to_vec(), vec![], b"end\n".to_vec()], 1).await.unwrap_err();
    assert!(error.kind == ProviderErrorKind::PluginFault && error.message.contains("has to be deterministic"), "{error}");
    assert!(error.message.contains("as told, by the server"), "the first cause is named: {error}");
    assert_eq!(beside_a_trap(vec![b"calm\n".to_vec(), vec![], b"end\n".to_vec()], 1).await.unwrap(), "calmend");
}

#[tokio::test]
async fn answer_too_long_to_be_rebuilt_ends_and_says_so() {
    let mut random = Random(7);
    let long: Vec<u8> = (0..1 << 20).map(|place| if place % 100 == 99 { b'\n' } else { b'a' + random.below(26) as u8 }).collect();
    let error = beside_a_trap(vec![long, vec![], b"end\n".to_vec()], 8_000).await.unwrap_err();
    assert!(error.message.contains("too long to be told again") && error.message.contains("as told"), "{error}");
}
