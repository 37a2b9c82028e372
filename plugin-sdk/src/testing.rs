//! A host for unit tests: runs a plugin natively against scripted exchanges, with bodies cut anywhere and calls cancelled at any step.
//!
//! Not here: grants, limits and secrets; the real host checks those.
#![expect(clippy::panic, clippy::missing_panics_doc, reason = "a test that goes wrong shall fail")]

use crate::bindings::io::{
    Ask, CacheValue, Event, Fault, Header, HttpChunk, HttpHead, HttpRequest, LogLine, ModelAnswer, ModelCall, ModelReply, OpFault,
};
use crate::call::{Calls, Step};
use crate::{
    Answer, CatalogueReply, CatalogueRequest, ChatRequest, Delta, EmbedRequest, Embeddings, Never, Progress, Ranking, RerankRequest,
    Result, StreamCtx,
};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::future::Future;

/// One exchange of the script: what the peer answers to the next request.
#[derive(Clone, Debug)]
pub struct Exchange {
    method: String,
    url: String,
    status: u16,
    headers: Vec<Header>,
    body: Vec<u8>,
    /// Fails before the head, or after so many bytes of the body.
    fault: Option<(Option<usize>, Fault, String)>,
}

impl Exchange {
    /// Answers a request of this method and address.
    pub fn new(method: &str, url: &str) -> Self {
        Self { method: method.into(), url: url.into(), status: 200, headers: vec![], body: vec![], fault: None }
    }

    /// The exchanges of a file that `knowhost plugin record` wrote (`exchanges/*.json`), so that a test needs no network.
    pub fn recorded(text: &str) -> Vec<Self> {
        let recording: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("the recording is no JSON: {error}"));
        let exchanges = recording["exchanges"].as_array().unwrap_or_else(|| panic!("the recording holds no exchanges"));
        exchanges.iter().map(Self::of_recording).collect()
    }

    fn of_recording(recorded: &serde_json::Value) -> Self {
        let text = |name: &str| recorded[name].as_str().unwrap_or_else(|| panic!("a recorded exchange holds no {name}"));
        let status = recorded["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let mut exchange =
            Self::new(text("method"), text("url")).status(status.unwrap_or_else(|| panic!("a recorded exchange holds no status")));
        for (name, value) in recorded["response_headers"].as_object().into_iter().flatten() {
            exchange = exchange.header(name, value.as_str().unwrap_or_default());
        }
        let chunks = recorded["chunks"].as_array().into_iter().flatten();
        let body: Vec<&str> = chunks
            .map(|chunk| chunk.as_str().unwrap_or_else(|| panic!("a recorded body is no text; such calls are for `knowhost plugin check`")))
            .collect();
        exchange.body(body.concat())
    }

    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// No head ever comes.
    pub fn fails(mut self, fault: Fault, text: &str) -> Self {
        self.fault = Some((None, fault, text.into()));
        self
    }

    /// The body breaks after so many bytes.
    pub fn breaks_after(mut self, bytes: usize, fault: Fault, text: &str) -> Self {
        self.fault = Some((Some(bytes), fault, text.into()));
        self
    }
}

/// How bodies arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Whole,
    /// In two pieces, the first of so many bytes.
    At(usize),
    /// In pieces of so many bytes.
    Every(usize),
}

/// What a call gave.
#[derive(Debug, PartialEq)]
pub struct Outcome<D, O> {
    pub deltas: Vec<D>,
    /// `None`: cancelled by [`Host::cancel_after`].
    pub end: Option<Result<O>>,
}

impl<D, O> Outcome<D, O> {
    /// What the call ended with; panics when it was cancelled.
    pub fn result(self) -> Result<O> {
        self.end.unwrap_or_else(|| panic!("the call was cancelled"))
    }
}

impl<O> Outcome<Delta, O> {
    /// All text of a chat call.
    pub fn text(&self) -> String {
        let texts = self.deltas.iter().filter_map(|delta| match delta {
            Delta::Text(text) => Some(text.as_str()),
            Delta::Reasoning(_) | Delta::Tool(_) => None,
        });
        texts.collect()
    }

    /// All reasoning of a chat call.
    pub fn reasoning(&self) -> String {
        let texts = self.deltas.iter().filter_map(|delta| match delta {
            Delta::Reasoning(text) => Some(text.as_str()),
            Delta::Text(_) | Delta::Tool(_) => None,
        });
        texts.collect()
    }
}

/// The rest of a body that is being delivered.
struct Delivery {
    chunks: VecDeque<Vec<u8>>,
    fault: Option<(Fault, String)>,
}

/// Runs `f` as if it were the warm-up of a plugin whose manifest lists these files.
pub fn with_files<R>(files: impl IntoIterator<Item = (impl Into<String>, Vec<u8>)>, f: impl FnOnce() -> R) -> R {
    let files = files.into_iter().map(|(name, bytes)| (name.into(), bytes)).collect();
    let before = crate::files::given(Some(files));
    let result = f();
    crate::files::given(before);
    result
}

/// The fake host: a script of exchanges, a clock that does not run, a cache, other models.
#[derive(Default)]
pub struct Host {
    script: VecDeque<Exchange>,
    cut: Option<Cut>,
    cancel_after: Option<usize>,
    /// Requests in the order in which they were sent.
    pub requests: Vec<HttpRequest>,
    /// Waits in the order in which they were asked for.
    pub slept_ms: Vec<u32>,
    pub logs: Vec<LogLine>,
    pub cache: BTreeMap<String, Vec<u8>>,
    /// Answers to calls of other models, first to last.
    pub model_answers: VecDeque<Result<ModelAnswer, (Fault, String)>>,
    pub model_calls: Vec<ModelCall>,
    /// Operations that the plugin gave up.
    pub closed: Vec<u32>,
    /// Most bodies open at the same time.
    pub open_max: usize,
    bodies: BTreeMap<u32, Delivery>,
}

impl Host {
    pub fn new(script: impl IntoIterator<Item = Exchange>) -> Self {
        Self { script: script.into_iter().collect(), ..Self::default() }
    }

    pub fn cut(mut self, cut: Cut) -> Self {
        self.cut = Some(cut);
        self
    }

    /// Cancels the call once so many events were delivered.
    pub fn cancel_after(mut self, events: usize) -> Self {
        self.cancel_after = Some(events);
        self
    }

    /// The body of a request as JSON.
    pub fn request_json(&self, index: usize) -> serde_json::Value {
        serde_json::from_slice(&self.requests[index].body).unwrap_or_else(|error| panic!("request {index} is no JSON: {error}"))
    }

    pub fn embed<P: crate::Embedder + 'static>(&mut self, request: EmbedRequest) -> Result<Embeddings> {
        self.run::<Never, _, _>(|ctx| async move { P::embed(&ctx, request).await }).result()
    }

    pub fn rerank<P: crate::Reranker + 'static>(&mut self, request: RerankRequest) -> Result<Ranking> {
        self.run::<Never, _, _>(|ctx| async move { P::rerank(&ctx, request).await }).result()
    }

    pub fn chat<P: crate::ChatModel + 'static>(&mut self, request: ChatRequest) -> Outcome<Delta, Answer> {
        self.run(|ctx| async move { P::chat(&ctx, request).await })
    }

    pub fn catalogue<P: crate::Catalogue + 'static>(&mut self, request: CatalogueRequest) -> Outcome<Progress, CatalogueReply> {
        self.run(|ctx| async move { crate::answer_catalogue::<P>(&ctx, request).await })
    }

    /// Runs a call to its end, the way the real host does.
    pub fn run<D, O, F>(&mut self, call: impl FnOnce(StreamCtx<D>) -> F) -> Outcome<D, O>
    where
        D: 'static,
        O: 'static,
        F: Future<Output = Result<O>> + 'static,
    {
        const ID: u64 = 7;
        let calls = Calls::new();
        let mut waiting = VecDeque::new();
        let mut deltas = Vec::new();
        let mut step = calls.start(ID, call);
        let mut events = 0;
        loop {
            let Step { asks, deltas: new, end } = step;
            deltas.extend(new);
            for ask in asks {
                self.carry_out(ask, &mut waiting);
            }
            if end.is_some() {
                assert!(calls.is_empty(), "a call that ended is still there");
                return Outcome { deltas, end };
            }
            if self.cancel_after == Some(events) {
                calls.cancel(ID);
                assert!(calls.is_empty(), "a cancelled call is still there");
                return Outcome { deltas, end: None };
            }
            let event = waiting.pop_front().unwrap_or_else(|| panic!("the plugin waits for nothing that the host knows"));
            events += 1;
            step = calls.resume(ID, event);
        }
    }

    fn carry_out(&mut self, ask: Ask, waiting: &mut VecDeque<Event>) {
        match ask {
            Ask::Http(request) => {
                let event = self.exchange(request);
                waiting.push_back(event);
            }
            Ask::Read(op) => {
                let event = self.read(op);
                waiting.push_back(event);
            }
            Ask::Close(op) => {
                self.closed.push(op);
                self.bodies.remove(&op);
                waiting.retain(|event| event_op(event) != op);
            }
            Ask::Sleep(timer) => {
                self.slept_ms.push(timer.ms);
                waiting.push_back(Event::Timer(timer.op));
            }
            Ask::Log(line) => self.logs.push(line),
            Ask::Model(call) => {
                let op = call.op;
                self.model_calls.push(call);
                waiting.push_back(match self.model_answers.pop_front() {
                    Some(Ok(answer)) => Event::Model(ModelReply { op, answer }),
                    Some(Err((fault, text))) => Event::Fault(OpFault { op, fault, text }),
                    None => Event::Fault(OpFault { op, fault: Fault::Unsupported, text: "no model in this test".into() }),
                });
            }
            Ask::CacheGet(read) => {
                let value = self.cache.get(&read.key).cloned();
                waiting.push_back(Event::CacheValue(CacheValue { op: read.op, value }));
            }
            Ask::CachePut(write) => {
                self.cache.insert(write.key, write.value);
                waiting.push_back(Event::CacheStored(write.op));
            }
        }
    }

    fn exchange(&mut self, request: HttpRequest) -> Event {
        let op = request.op;
        let Some(exchange) = self.script.pop_front() else {
            panic!("a request that the script does not have: {} {}", request.method, request.url)
        };
        assert_eq!((request.method.as_str(), request.url.as_str()), (exchange.method.as_str(), exchange.url.as_str()));
        self.requests.push(request);
        let Exchange { status, headers, mut body, fault, .. } = exchange;
        let fault = match fault {
            Some((None, fault, text)) => return Event::Fault(OpFault { op, fault, text }),
            Some((Some(bytes), fault, text)) => {
                body.truncate(bytes);
                Some((fault, text))
            }
            None => None,
        };
        let chunks = pieces(body, self.cut.unwrap_or(Cut::Whole));
        self.bodies.insert(op, Delivery { chunks, fault });
        self.open_max = self.open_max.max(self.bodies.len());
        Event::HttpHead(HttpHead { op, status, headers })
    }

    fn read(&mut self, op: u32) -> Event {
        let Some(delivery) = self.bodies.get_mut(&op) else { panic!("a read of a body that is not open: {op}") };
        if let Some(data) = delivery.chunks.pop_front() {
            return Event::HttpChunk(HttpChunk { op, data });
        }
        let fault = delivery.fault.take();
        self.bodies.remove(&op);
        match fault {
            Some((fault, text)) => Event::Fault(OpFault { op, fault, text }),
            None => Event::HttpEnd(op),
        }
    }
}

fn pieces(body: Vec<u8>, cut: Cut) -> VecDeque<Vec<u8>> {
    if body.is_empty() {
        return VecDeque::new();
    }
    match cut {
        Cut::Whole => VecDeque::from([body]),
        Cut::At(at) => {
            let (left, right) = body.split_at(at.min(body.len()));
            [left, right].iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect()
        }
        Cut::Every(bytes) => body.chunks(bytes.max(1)).map(<[u8]>::to_vec).collect(),
    }
}

fn event_op(event: &Event) -> u32 {
    match event {
        Event::HttpHead(head) => head.op,
        Event::HttpChunk(chunk) => chunk.op,
        Event::HttpEnd(op) | Event::Timer(op) | Event::CacheStored(op) => *op,
        Event::Model(reply) => reply.op,
        Event::CacheValue(value) => value.op,
        Event::Fault(fault) => fault.op,
    }
}

/// Runs the same call with its bodies whole, cut in two at every place, and byte by byte, and wants the same outcome each time.
pub fn same_at_every_cut<T: PartialEq + Debug>(script: &[Exchange], call: impl Fn(&mut Host) -> T) -> T {
    let whole = call(&mut Host::new(script.iter().cloned()));
    let longest = script.iter().map(|exchange| exchange.body.len()).max().unwrap_or(0);
    let cuts = (1..longest).map(Cut::At).chain([Cut::Every(1), Cut::Every(2), Cut::Every(3)]);
    for cut in cuts {
        let outcome = call(&mut Host::new(script.iter().cloned()).cut(cut));
        assert_eq!(outcome, whole, "with bodies cut {cut:?}");
    }
    whole
}

/// Runs the same call again and again and cancels it after 0, 1, 2 ... events, until it comes to its end. Returns how often it was cancelled.
pub fn cancel_at_every_step<D, O>(script: &[Exchange], call: impl Fn(&mut Host) -> Outcome<D, O>) -> usize {
    for events in 0..100_000 {
        let mut host = Host::new(script.iter().cloned()).cut(Cut::Every(7)).cancel_after(events);
        if call(&mut host).end.is_some() {
            return events;
        }
    }
    panic!("the call does not end")
}
