//! The executor: turns awaits of a call into asks, and events into progress.
//!
//! Not here: what authors see (`ctx`, `http`) and the shapes of the wire (`bindings`, `export`).

use crate::bindings::io::{Ask, Event};
use crate::{Error, Result};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What an operation waits for, and what has arrived for it.
#[derive(Default)]
struct Slot {
    ready: VecDeque<Event>,
    waker: Option<Waker>,
    /// An ask went out whose event has not come yet.
    expecting: bool,
}

/// Everything that one call has with the host.
#[derive(Default)]
pub(crate) struct Io {
    asks: Vec<Ask>,
    slots: BTreeMap<u32, Slot>,
    last_op: u32,
}

impl Io {
    pub(crate) fn ask(&mut self, ask: Ask) {
        self.asks.push(ask);
    }

    /// Opens an operation with the ask that `make` builds for its number.
    pub(crate) fn open(&mut self, make: impl FnOnce(u32) -> Ask) -> u32 {
        self.last_op += 1;
        let op = self.last_op;
        self.slots.insert(op, Slot { expecting: true, ..Slot::default() });
        self.asks.push(make(op));
        op
    }

    /// Asks for the next chunk, unless something (a fault) has arrived already.
    pub(crate) fn read(&mut self, op: u32) {
        if let Some(slot) = self.slots.get_mut(&op)
            && slot.ready.is_empty()
            && !slot.expecting
        {
            slot.expecting = true;
            self.asks.push(Ask::Read(op));
        }
    }

    /// Forgets an operation; a live one is closed at the host.
    pub(crate) fn close(&mut self, op: u32, live: bool) {
        if self.slots.remove(&op).is_some() && live {
            self.asks.push(Ask::Close(op));
        }
    }

    fn deliver(&mut self, event: Event) {
        let op = op_of(&event);
        if let Some(slot) = self.slots.get_mut(&op) {
            slot.expecting = false;
            slot.ready.push_back(event);
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    fn is_waiting(&self) -> bool {
        self.slots.values().any(|slot| slot.expecting)
    }
}

fn op_of(event: &Event) -> u32 {
    match event {
        Event::HttpHead(head) => head.op,
        Event::HttpChunk(chunk) => chunk.op,
        Event::HttpEnd(op) | Event::Timer(op) | Event::CacheStored(op) => *op,
        Event::Model(reply) => reply.op,
        Event::CacheValue(value) => value.op,
        Event::Fault(fault) => fault.op,
    }
}

/// Waits for the next event of `op`.
pub(crate) fn next_event(io: &Rc<RefCell<Io>>, op: u32) -> impl Future<Output = Option<Event>> + '_ {
    poll_fn(move |context| {
        let mut io = io.borrow_mut();
        let Some(slot) = io.slots.get_mut(&op) else { return Poll::Ready(None) };
        match slot.ready.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
}

/// An operation that is closed at the host when it is dropped before its end.
pub(crate) struct Op {
    pub(crate) io: Rc<RefCell<Io>>,
    pub(crate) id: u32,
    pub(crate) live: bool,
}

impl Op {
    pub(crate) fn open(io: &Rc<RefCell<Io>>, make: impl FnOnce(u32) -> Ask) -> Self {
        let id = io.borrow_mut().open(make);
        Self { io: io.clone(), id, live: true }
    }

    pub(crate) async fn event(&mut self) -> Option<Event> {
        next_event(&self.io, self.id).await
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        self.io.borrow_mut().close(self.id, self.live);
    }
}

/// What a turn of a call gives to the host.
#[derive(Debug, PartialEq)]
pub struct Step<D, O> {
    pub asks: Vec<Ask>,
    pub deltas: Vec<D>,
    pub end: Option<Result<O>>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Task<O> = Pin<Box<dyn Future<Output = Result<O>>>>;

struct Running<D, O> {
    task: Task<O>,
    io: Rc<RefCell<Io>>,
    deltas: Rc<RefCell<Vec<D>>>,
    flag: Arc<Flag>,
    waker: Waker,
}

impl<D, O> Running<D, O> {
    /// Polls until the call has ended or waits for the host.
    fn turn(&mut self) -> Option<Result<O>> {
        while self.flag.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(result) = self.task.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                return Some(result);
            }
        }
        None
    }
}

/// The calls under way in one instance, for one kind. `D` is what it emits, `O` what it ends with.
pub struct Calls<D, O> {
    running: RefCell<BTreeMap<u64, Running<D, O>>>,
}

impl<D: 'static, O: 'static> Default for Calls<D, O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: 'static, O: 'static> Calls<D, O> {
    pub const fn new() -> Self {
        Self { running: RefCell::new(BTreeMap::new()) }
    }

    /// Starts a call with the future that `make` builds on its context.
    pub fn start<F>(&self, id: u64, make: impl FnOnce(crate::StreamCtx<D>) -> F) -> Step<D, O>
    where
        F: Future<Output = Result<O>> + 'static,
    {
        let io = Rc::new(RefCell::new(Io::default()));
        let deltas = Rc::new(RefCell::new(Vec::new()));
        let task = Box::pin(make(crate::StreamCtx::new(io.clone(), deltas.clone())));
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        self.advance(id, Running { task, io, deltas, flag, waker })
    }

    /// Tells a call what happened.
    pub fn resume(&self, id: u64, event: Event) -> Step<D, O> {
        let Some(running) = self.running.borrow_mut().remove(&id) else {
            return Step { asks: vec![], deltas: vec![], end: Some(Err(Error::invalid(format!("there is no call {id}")))) };
        };
        running.io.borrow_mut().deliver(event);
        self.advance(id, running)
    }

    /// Drops a call. The host has closed its operations already.
    pub fn cancel(&self, id: u64) {
        let running = self.running.borrow_mut().remove(&id);
        drop(running);
    }

    /// How many calls are under way.
    pub fn len(&self) -> usize {
        self.running.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn advance(&self, id: u64, mut running: Running<D, O>) -> Step<D, O> {
        let mut end = running.turn();
        if end.is_none() && !running.io.borrow().is_waiting() {
            end = Some(Err(Error::upstream(
                "the plugin waits for something that the host does not know: only futures of the SDK can be awaited in a plugin",
            )));
        }
        if end.is_none() {
            let step = Step { asks: std::mem::take(&mut running.io.borrow_mut().asks), deltas: running.deltas.take(), end };
            self.running.borrow_mut().insert(id, running);
            return step;
        }
        // The future goes first: bodies that it still holds queue their `close`.
        let Running { task, io, deltas, flag: _, waker: _ } = running;
        drop(task);
        let asks = std::mem::take(&mut io.borrow_mut().asks);
        Step { asks, deltas: deltas.take(), end }
    }
}
