//! What a call can ask of the host: exchanges, timers, other models, the cache, the log.
//!
//! Not here: the requests and bodies themselves (`http`), and who carries the asks out (the host, under the plugin's grants).

use crate::bindings::io::{Ask, CacheRead, CacheWrite, Event, Fault, Level, LogLine, ModelAnswer, ModelCall, ModelRequest, Timer};
use crate::call::{Io, Op};
use crate::error::HostFault;
use crate::http::Request;
use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

/// The handle of one call. Cheap to clone; it never leaves its call.
#[derive(Clone)]
pub struct Ctx {
    pub(crate) io: Rc<RefCell<Io>>,
}

impl Ctx {
    /// An HTTP request; await it, or its [`Request::send`].
    pub fn request(&self, method: &str, url: impl Into<String>) -> Request {
        Request::new(self.io.clone(), method, url.into())
    }

    pub fn get(&self, url: impl Into<String>) -> Request {
        self.request("GET", url)
    }

    pub fn post(&self, url: impl Into<String>) -> Request {
        self.request("POST", url)
    }

    pub async fn sleep_ms(&self, ms: u32) {
        let mut op = Op::open(&self.io, |op| Ask::Sleep(Timer { op, ms }));
        // A fault of the timer ends the wait as well: there is nothing better to do with it.
        op.event().await;
        op.live = false;
    }

    /// A line in the host's log, tagged with the plugin's name.
    pub fn log(&self, level: Level, text: impl Into<String>) {
        self.io.borrow_mut().ask(Ask::Log(LogLine { level, text: text.into() }));
    }

    /// Asks another model of the caller's tenant: `chat`, `embed`, `rerank` or a model id that the manifest lists in `allowed_models`.
    pub async fn call_model(&self, model: &str, request: ModelRequest, max_output_tokens: Option<u32>) -> Result<ModelAnswer, HostFault> {
        let model = model.to_owned();
        let mut op = Op::open(&self.io, |op| Ask::Model(ModelCall { op, model, request, max_output_tokens }));
        let event = single_event(&mut op).await?;
        if let Event::Model(reply) = event { Ok(reply.answer) } else { Err(unexpected(&event)) }
    }

    /// Reads the plugin's cache; `None`: not there, or not any more.
    pub async fn cache_get(&self, key: &str) -> Result<Option<Vec<u8>>, HostFault> {
        let key = key.to_owned();
        let mut op = Op::open(&self.io, |op| Ask::CacheGet(CacheRead { op, key }));
        let event = single_event(&mut op).await?;
        if let Event::CacheValue(value) = event { Ok(value.value) } else { Err(unexpected(&event)) }
    }

    /// Writes the plugin's cache.
    pub async fn cache_put(&self, key: &str, value: Vec<u8>, ttl_ms: Option<u32>) -> Result<(), HostFault> {
        let key = key.to_owned();
        let mut op = Op::open(&self.io, |op| Ask::CachePut(CacheWrite { op, key, value, ttl_ms }));
        let event = single_event(&mut op).await?;
        if let Event::CacheStored(_) = event { Ok(()) } else { Err(unexpected(&event)) }
    }
}

/// The event of an operation that has exactly one.
async fn single_event(op: &mut Op) -> Result<Event, HostFault> {
    let event = op.event().await;
    op.live = false;
    match event {
        Some(Event::Fault(fault)) => Err(fault.into()),
        Some(event) => Ok(event),
        None => Err(HostFault::new(Fault::Protocol, "the host answered an operation that is closed")),
    }
}

pub(crate) fn unexpected(event: &Event) -> HostFault {
    // By name: printing the event itself would draw the printing of every type into each component.
    let name = match event {
        Event::HttpHead(_) => "http-head",
        Event::HttpChunk(_) => "http-chunk",
        Event::HttpEnd(_) => "http-end",
        Event::Timer(_) => "timer",
        Event::Model(_) => "model",
        Event::CacheValue(_) => "cache-value",
        Event::CacheStored(_) => "cache-stored",
        Event::Fault(_) => "fault",
    };
    HostFault::new(Fault::Protocol, format!("the host answered with {name}, which does not fit the operation"))
}

/// A [`Ctx`] of a kind that says things before its end.
pub struct StreamCtx<D> {
    ctx: Ctx,
    deltas: Rc<RefCell<Vec<D>>>,
}

impl<D> StreamCtx<D> {
    pub(crate) fn new(io: Rc<RefCell<Io>>, deltas: Rc<RefCell<Vec<D>>>) -> Self {
        Self { ctx: Ctx { io }, deltas }
    }

    /// Hands a piece to the caller. It leaves with the next step: at the next await, or at the end.
    pub fn emit(&self, delta: D) {
        self.deltas.borrow_mut().push(delta);
    }
}

impl<D> Clone for StreamCtx<D> {
    fn clone(&self) -> Self {
        Self { ctx: self.ctx.clone(), deltas: self.deltas.clone() }
    }
}

impl<D> Deref for StreamCtx<D> {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.ctx
    }
}
