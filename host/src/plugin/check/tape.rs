//! Stands in the place of the network while a plugin is checked: plays recordings, plays faults, or listens to the real exchange.
//!
//! Not here: grants and secrets, which the host checks before it asks here.

use super::recording::{Content, RecordedExchange};
use crate::plugin::asks::{Failure, Redaction, Tape, failure, transport_failure};
use crate::plugin::wasm::wit::io::Fault;
use crate::provider::BoxFuture;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// How bodies are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    AsRecorded,
    Whole,
    /// Pieces of so many bytes.
    Every(usize),
}

/// What is answered instead of what was recorded.
#[derive(Clone, Debug)]
pub(super) enum Instead {
    Fault(Fault, &'static str),
    Answer {
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
    },
    /// The recorded answer breaks off in its middle.
    BrokenOff,
    /// Nothing ever comes.
    Silence,
    /// A body without an end.
    Endless,
}

/// What is played during one call.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) recorded: Arc<Vec<RecordedExchange>>,
    pub(super) cut: Cut,
    /// For every exchange.
    pub(super) instead: Option<Instead>,
}

enum Mode {
    /// Nothing is recorded, and nothing may leave.
    Closed,
    Playing(Program),
    /// The real network.
    Live,
    /// The real network, and everything is written down.
    Recording,
}

#[derive(Default)]
struct Log {
    used: Vec<bool>,
    taken: Vec<Arc<Mutex<RecordedExchange>>>,
    unknown: Vec<String>,
    refused: Vec<String>,
    exchanges: usize,
}

pub(super) struct CheckTape {
    mode: Mutex<Mode>,
    log: Arc<Mutex<Log>>,
}

/// What came to the tape since it was set.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) exchanges: usize,
    /// Requests that are in no recording.
    pub(super) unknown: Vec<String>,
    /// Asks that were not granted.
    pub(super) refused: Vec<String>,
}

impl CheckTape {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { mode: Mutex::new(Mode::Closed), log: Arc::default() })
    }

    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = Log::default();
    }

    pub(super) fn close(&self) {
        self.set(Mode::Closed);
    }

    pub(super) fn play(&self, program: Program) {
        self.set(Mode::Playing(program));
    }

    pub(super) fn live(&self) {
        self.set(Mode::Live);
    }

    pub(super) fn record(&self) {
        self.set(Mode::Recording);
    }

    pub(super) fn heard(&self) -> Heard {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        Heard { exchanges: log.exchanges, unknown: log.unknown.clone(), refused: log.refused.clone() }
    }

    /// What was written down, in the order of the requests.
    pub(super) fn taken(&self) -> Vec<RecordedExchange> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.taken.iter().map(|exchange| exchange.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    fn play_one(&self, program: &Program, asked: &RecordedExchange) -> Result<RecordedExchange, Failure> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.used.resize(program.recorded.len(), false);
        let fits = |place: &usize| is_same(&program.recorded[*place], asked);
        let places = || (0..program.recorded.len()).filter(fits);
        // The same request may stand there twice; a call that is made again finds all used and begins anew.
        let Some(place) = places().find(|place| !log.used[*place]).or_else(|| places().next()) else {
            let text = format!("no recorded exchange fits {} {}", asked.method, asked.url);
            log.unknown.push(text.clone());
            return Err(failure(Fault::Connect, text));
        };
        log.used[place] = true;
        Ok(program.recorded[place].clone())
    }
}

/// Bodies are compared as JSON where they are some.
fn is_same(recorded: &RecordedExchange, asked: &RecordedExchange) -> bool {
    let json = |content: &Content| content.bytes().ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let same_body = || match (json(&recorded.body), json(&asked.body)) {
        (Some(left), Some(right)) => left == right,
        (None, None) | (Some(_), None) | (None, Some(_)) => recorded.body == asked.body,
    };
    recorded.method == asked.method && recorded.url == asked.url && same_body()
}

/// The request as it would be recorded.
fn asked(request: &reqwest::Request, redaction: &Redaction) -> RecordedExchange {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let mut headers: Vec<String> = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
    headers.sort();
    RecordedExchange {
        method: request.method().to_string(),
        url: redaction.text(request.url().as_str()),
        headers,
        body: Content::of(body),
        status: 0,
        response_headers: std::collections::BTreeMap::new(),
        chunks: Vec::new(),
    }
}

impl Tape for CheckTape {
    fn is_live(&self) -> bool {
        matches!(*self.mode.lock().unwrap_or_else(PoisonError::into_inner), Mode::Live | Mode::Recording)
    }

    fn exchange(
        &self,
        client: reqwest::Client,
        request: reqwest::Request,
        redaction: Redaction,
    ) -> BoxFuture<'static, Result<reqwest::Response, Failure>> {
        let asked = asked(&request, &redaction);
        self.log.lock().unwrap_or_else(PoisonError::into_inner).exchanges += 1;
        let mode = self.mode.lock().unwrap_or_else(PoisonError::into_inner);
        match &*mode {
            Mode::Closed => Box::pin(std::future::ready(Err(failure(Fault::Connect, "this check has no network")))),
            Mode::Live => Box::pin(async move { client.execute(request).await.map_err(|error| transport_failure(&error)) }),
            Mode::Recording => {
                let slot = Arc::new(Mutex::new(asked));
                self.log.lock().unwrap_or_else(PoisonError::into_inner).taken.push(slot.clone());
                Box::pin(listened(client, request, redaction, slot))
            }
            Mode::Playing(program) => {
                let answer = match &program.instead {
                    Some(Instead::Fault(fault, text)) => Err(failure(*fault, *text)),
                    Some(Instead::Silence) => return Box::pin(std::future::pending()),
                    Some(Instead::Endless) => respond(200, &[], stream::repeat(Bytes::from_static(&[b'x'; 16 << 10])).boxed()),
                    Some(Instead::Answer { status, headers, body }) => {
                        respond(*status, headers, pieces(vec![body.as_bytes().to_vec()], Cut::Whole))
                    }
                    Some(Instead::BrokenOff) => self.play_one(program, &asked).and_then(|recorded| played(&recorded, program.cut, true)),
                    None => self.play_one(program, &asked).and_then(|recorded| played(&recorded, program.cut, false)),
                };
                Box::pin(std::future::ready(answer))
            }
        }
    }

    fn refused(&self, text: &str) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).refused.push(text.to_owned());
    }
}

type Pieces = stream::BoxStream<'static, Bytes>;

fn played(recorded: &RecordedExchange, cut: Cut, broken: bool) -> Result<reqwest::Response, Failure> {
    let chunks: Vec<Vec<u8>> = recorded.chunks.iter().filter_map(|chunk| chunk.bytes().ok()).collect();
    let headers: Vec<(&str, &str)> = recorded.response_headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if !broken {
        return respond(recorded.status, &headers, pieces(chunks, cut));
    }
    let whole = chunks.concat();
    let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    let torn = || std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the connection was reset");
    let body = stream::iter([Ok(half), Err(torn())]);
    build(recorded.status, &headers, reqwest::Body::wrap_stream(body))
}

fn pieces(chunks: Vec<Vec<u8>>, cut: Cut) -> Pieces {
    let cut_up = match cut {
        Cut::AsRecorded => chunks,
        Cut::Whole => vec![chunks.concat()],
        Cut::Every(bytes) => chunks.concat().chunks(bytes.max(1)).map(<[u8]>::to_vec).collect(),
    };
    stream::iter(cut_up.into_iter().filter(|piece| !piece.is_empty()).map(Bytes::from)).boxed()
}

fn respond(status: u16, headers: &[(&str, &str)], body: Pieces) -> Result<reqwest::Response, Failure> {
    build(status, headers, reqwest::Body::wrap_stream(body.map(Ok::<_, std::io::Error>)))
}

fn build(status: u16, headers: &[(&str, &str)], body: reqwest::Body) -> Result<reqwest::Response, Failure> {
    let mut response = hyper::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response
        .body(body)
        .map(reqwest::Response::from)
        .map_err(|error| failure(Fault::Protocol, format!("the recording holds no response: {error}")))
}

/// Response headers that are written down: what tells about the machine at the other end, or is a credential, is not.
const HEADERS_LEFT_OUT: [&str; 6] = ["set-cookie", "date", "server", "transfer-encoding", "connection", "content-length"];

/// The real exchange, written down piece by piece.
async fn listened(
    client: reqwest::Client,
    request: reqwest::Request,
    redaction: Redaction,
    slot: Arc<Mutex<RecordedExchange>>,
) -> Result<reqwest::Response, Failure> {
    let response = client.execute(request).await.map_err(|error| transport_failure(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    {
        let mut taken = slot.lock().unwrap_or_else(PoisonError::into_inner);
        taken.status = status.as_u16();
        let kept = headers.iter().filter(|(name, _)| !HEADERS_LEFT_OUT.contains(&name.as_str()));
        let text = |value: &[u8]| redaction.text(&String::from_utf8_lossy(value));
        taken.response_headers = kept.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
    }
    let body = response.bytes_stream().inspect(move |piece| {
        if let Ok(bytes) = piece {
            let content = match Content::of(bytes) {
                Content::Text(text) => Content::Text(redaction.text(&text)),
                binary @ Content::Base64 { .. } => binary,
            };
            slot.lock().unwrap_or_else(PoisonError::into_inner).chunks.push(content);
        }
    });
    let mut copy = hyper::Response::builder().status(status);
    if let Some(all) = copy.headers_mut() {
        *all = headers;
    }
    let copy = copy.body(reqwest::Body::wrap_stream(body)).map_err(|error| failure(Fault::Protocol, error.to_string()))?;
    Ok(reqwest::Response::from(copy))
}
