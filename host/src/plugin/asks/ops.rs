//! The open operations of one call: takes asks, gives events. Dropping it closes them all at once.
//!
//! Not here: the call itself (`plugin::calls`).

use super::env::CallEnv;
use super::http::{self, Exchange, Failure};
use super::models;
use crate::limits;
use crate::plugin::wasm::wit::io;
use crate::provider::BoxFuture;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

pub(in crate::plugin) struct Ops {
    env: Arc<CallEnv>,
    open: Vec<(u32, Op)>,
    ready: VecDeque<io::Event>,
    log_lines: usize,
    model_calls: usize,
}

enum Op {
    Busy(BoxFuture<'static, Done>),
    /// An exchange that waits for the plugin to want more.
    Idle(Box<Exchange>),
}

struct Done {
    event: io::Event,
    exchange: Option<Box<Exchange>>,
}

impl Ops {
    pub(in crate::plugin) fn new(env: Arc<CallEnv>) -> Self {
        Self { env, open: Vec::new(), ready: VecDeque::new(), log_lines: 0, model_calls: 0 }
    }

    /// Whether anything can still arrive for the plugin.
    pub(in crate::plugin) fn pending(&self) -> bool {
        !self.ready.is_empty() || self.open.iter().any(|(_, op)| matches!(op, Op::Busy(_)))
    }

    pub(in crate::plugin) fn close_all(&mut self) {
        self.open.clear();
        self.ready.clear();
    }

    /// Takes what a step asked for; `Err` is a breach of the contract.
    pub(in crate::plugin) fn apply(&mut self, asks: Vec<io::Ask>) -> Result<(), String> {
        if asks.len() > limits::PLUGIN_ASKS_PER_STEP_MAX {
            return Err(format!("it asked for {} things in one step; the limit is {}", asks.len(), limits::PLUGIN_ASKS_PER_STEP_MAX));
        }
        asks.into_iter().try_for_each(|ask| self.take(ask))
    }

    fn take(&mut self, ask: io::Ask) -> Result<(), String> {
        match ask {
            io::Ask::Http(request) => self.begin(request.op, |env| Box::pin(exchange(env, request))),
            io::Ask::Read(op) => self.read(op),
            io::Ask::Close(op) => {
                self.open.retain(|(open, _)| *open != op);
                self.ready.retain(|event| event_op(event) != op);
                Ok(())
            }
            // No timer of the runtime is shorter than a millisecond.
            io::Ask::Sleep(timer) if timer.ms == 0 => self.at_once(timer.op, |_env| io::Event::Timer(timer.op)),
            io::Ask::Sleep(timer) => self.begin(timer.op, |_env| {
                Box::pin(async move {
                    tokio::time::sleep(Duration::from_millis(u64::from(timer.ms))).await;
                    Done { event: io::Event::Timer(timer.op), exchange: None }
                })
            }),
            io::Ask::Log(line) => {
                self.log(&line);
                Ok(())
            }
            io::Ask::Model(call) => {
                self.model_calls += 1;
                if self.model_calls > limits::PLUGIN_MODEL_CALLS_MAX {
                    let text = format!("more than {} calls of other models in one call", limits::PLUGIN_MODEL_CALLS_MAX);
                    return self.at_once(call.op, |_env| fault_event(call.op, io::Fault::TooLarge, text));
                }
                self.begin(call.op, |env| Box::pin(model(env, call)))
            }
            io::Ask::CacheGet(read) => self.at_once(read.op, |env| {
                let value = env.room.caches.get(env.context.tenant_id, &env.plugin.name, &read.key);
                io::Event::CacheValue(io::CacheValue { op: read.op, value })
            }),
            io::Ask::CachePut(write) => self.at_once(write.op, |env| cache_put(env, write)),
        }
    }

    fn check_new(&mut self, op: u32) -> Result<bool, String> {
        if self.open.iter().any(|(open, _)| *open == op) || self.ready.iter().any(|event| event_op(event) == op) {
            return Err(format!("it named two open operations {op}"));
        }
        if self.open.len() + self.ready.len() >= self.env.grants.open_ops_max {
            let text = format!("more than {} open operations in one call", self.env.grants.open_ops_max);
            self.ready.push_back(fault_event(op, io::Fault::TooLarge, text));
            return Ok(false);
        }
        Ok(true)
    }

    fn begin(&mut self, op: u32, run: impl FnOnce(Arc<CallEnv>) -> BoxFuture<'static, Done>) -> Result<(), String> {
        if self.check_new(op)? {
            self.open.push((op, Op::Busy(run(self.env.clone()))));
        }
        Ok(())
    }

    fn at_once(&mut self, op: u32, run: impl FnOnce(&CallEnv) -> io::Event) -> Result<(), String> {
        if self.check_new(op)? {
            let event = run(&self.env);
            self.ready.push_back(event);
        }
        Ok(())
    }

    fn read(&mut self, op: u32) -> Result<(), String> {
        // An operation that is gone has its last event on the way, which the plugin could not know yet.
        let Some(place) = self.open.iter().position(|(open, _)| *open == op) else { return Ok(()) };
        match self.open.swap_remove(place).1 {
            Op::Busy(_) => Err(format!("it wanted to read from operation {op}, which is not ready to be read")),
            Op::Idle(exchange) => {
                self.open.push((op, Op::Busy(Box::pin(next_chunk(op, exchange)))));
                Ok(())
            }
        }
    }

    fn log(&mut self, line: &io::LogLine) {
        self.log_lines += 1;
        let env = &self.env;
        if self.log_lines > limits::PLUGIN_LOG_LINES_PER_CALL_MAX {
            if self.log_lines == limits::PLUGIN_LOG_LINES_PER_CALL_MAX + 1 {
                tracing::warn!(plugin = %env.plugin, request_id = env.context.request_id, "further log lines of this call are dropped");
            }
            return;
        }
        let text: String = line.text.chars().filter(|char| !char.is_control()).take(limits::PLUGIN_LOG_LINE_BYTES_MAX).collect();
        let (plugin, tenant, request_id) = (&env.plugin, env.context.tenant_id, &env.context.request_id);
        match line.level {
            io::Level::Debug => tracing::debug!(%plugin, %tenant, request_id, "{text}"),
            io::Level::Info => tracing::info!(%plugin, %tenant, request_id, "{text}"),
            io::Level::Warn => tracing::warn!(%plugin, %tenant, request_id, "{text}"),
            io::Level::Error => tracing::error!(%plugin, %tenant, request_id, "{text}"),
        }
    }

    /// The next event for the plugin. Waits for ever when nothing is pending.
    pub(in crate::plugin) async fn next(&mut self) -> io::Event {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Event> {
        if let Some(event) = self.ready.pop_front() {
            return Poll::Ready(event);
        }
        for place in 0..self.open.len() {
            let (op, Op::Busy(future)) = &mut self.open[place] else { continue };
            let op = *op;
            if let Poll::Ready(done) = future.as_mut().poll(context) {
                // Moved to the end, so that one quick operation can not starve the others.
                self.open.remove(place);
                if let Some(exchange) = done.exchange {
                    self.open.push((op, Op::Idle(exchange)));
                }
                return Poll::Ready(done.event);
            }
        }
        Poll::Pending
    }
}

fn event_op(event: &io::Event) -> u32 {
    match event {
        io::Event::HttpHead(head) => head.op,
        io::Event::HttpChunk(chunk) => chunk.op,
        io::Event::HttpEnd(op) | io::Event::Timer(op) | io::Event::CacheStored(op) => *op,
        io::Event::Model(reply) => reply.op,
        io::Event::CacheValue(value) => value.op,
        io::Event::Fault(fault) => fault.op,
    }
}

fn fault_event(op: u32, fault: io::Fault, text: impl Into<String>) -> io::Event {
    io::Event::Fault(io::OpFault { op, fault, text: text.into() })
}

fn failed(op: u32, failure: Failure) -> Done {
    Done { event: fault_event(op, failure.fault, failure.text), exchange: None }
}

async fn exchange(env: Arc<CallEnv>, request: io::HttpRequest) -> Done {
    let op = request.op;
    match http::open(&env, request).await {
        Ok((head, exchange)) => Done { event: io::Event::HttpHead(head), exchange: Some(Box::new(exchange)) },
        Err(failure) => failed(op, failure),
    }
}

async fn next_chunk(op: u32, mut exchange: Box<Exchange>) -> Done {
    match exchange.chunk().await {
        Ok(Some(data)) => Done { event: io::Event::HttpChunk(io::HttpChunk { op, data }), exchange: Some(exchange) },
        Ok(None) => Done { event: io::Event::HttpEnd(op), exchange: None },
        Err(failure) => failed(op, failure),
    }
}

fn cache_put(env: &CallEnv, write: io::CacheWrite) -> io::Event {
    let ttl = write.ttl_ms.map(|ms| Duration::from_millis(u64::from(ms)));
    let caches = &env.room.caches;
    match caches.put(env.context.tenant_id, &env.plugin.name, env.grants.cache_bytes_max, write.key, write.value, ttl) {
        Ok(()) => io::Event::CacheStored(write.op),
        Err(text) => fault_event(write.op, io::Fault::TooLarge, text),
    }
}

async fn model(env: Arc<CallEnv>, call: io::ModelCall) -> Done {
    let op = call.op;
    match models::answer(&env, call).await {
        Ok(answer) => Done { event: io::Event::Model(io::ModelReply { op, answer }), exchange: None },
        Err(failure) => failed(op, failure),
    }
}
