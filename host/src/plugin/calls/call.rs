//! One call: start, the plugin's asks, resume with what came of them, until its end.
//!
//! It is driven by whoever reads it: a reader that is slow is not resumed for, and dropping it closes the operations and cancels the call.
//! Not here: the operations (`plugin::asks`) and the sockets (`plugin::adapters`).

use super::pool::{Pool, Seat};
use super::record::{Lost, Record};
use super::slot::TurnError;
use crate::limits;
use crate::plugin::asks::{CallEnv, Ops};
use crate::plugin::code::{Kind, Step};
use crate::plugin::wasm::wit::io;
use crate::provider::{ProviderError, ProviderErrorKind, ProviderResult};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// A plugin's own error text is cut here.
const ERROR_TEXT_CHARS_MAX: usize = 4_000;

/// What comes out of a call.
pub(in crate::plugin) enum Output<K: Kind> {
    Delta(K::Delta),
    End(K::Answer),
}

pub(in crate::plugin) struct Call<K: Kind> {
    pub(super) env: Arc<CallEnv>,
    pub(super) pool: Arc<Pool<K>>,
    pub(super) request: Arc<K::Request>,
    pub(super) picture_bytes: usize,
    // Before the seat, because the operations are closed before the guest is told.
    ops: Ops,
    pub(super) seat: Option<Seat<K>>,
    deltas: VecDeque<K::Delta>,
    end: Option<K::Answer>,
    /// What the guest was told; `None` where it is of no use, or too long: then `lost` says so.
    pub(super) record: Option<Record>,
    pub(super) lost: Option<Lost>,
    /// Something that the guest could not be told, because its instance was dead.
    pub(super) undelivered: Option<Arc<io::Event>>,
    /// The reader has seen a delta: starting again would show it twice.
    pub(super) output: bool,
    pub(super) restarts: u32,
    pub(super) rebuilds: u32,
    turns: u32,
    over: bool,
}

impl<K: Kind> Call<K> {
    pub(in crate::plugin) fn new(pool: Arc<Pool<K>>, env: Arc<CallEnv>, request: K::Request) -> Self {
        Self {
            ops: Ops::new(env.clone()),
            env,
            pool,
            picture_bytes: K::picture_bytes(&request),
            request: Arc::new(request),
            seat: None,
            deltas: VecDeque::new(),
            end: None,
            record: None,
            lost: None,
            undelivered: None,
            output: false,
            restarts: 0,
            rebuilds: 0,
            turns: 0,
            over: false,
        }
    }

    /// Deltas, then the end or an error; after that `None`.
    pub(in crate::plugin) async fn next(&mut self) -> Option<ProviderResult<Output<K>>> {
        loop {
            if self.over {
                return None;
            }
            if let Some(delta) = self.deltas.pop_front() {
                self.output = true;
                return Some(Ok(Output::Delta(delta)));
            }
            if let Some(answer) = self.end.take() {
                self.over = true;
                return Some(Ok(Output::End(answer)));
            }
            if let Err(error) = self.advance().await {
                self.over = true;
                self.leave();
                return Some(Err(error));
            }
        }
    }

    /// Reads to the end; deltas are dropped.
    pub(in crate::plugin) async fn answer(mut self) -> ProviderResult<K::Answer> {
        while let Some(output) = self.next().await {
            if let Output::End(answer) = output? {
                return Ok(answer);
            }
        }
        Err(self.fault("it ended without an answer"))
    }

    /// Turns of the guest so far.
    pub(in crate::plugin) fn turns(&self) -> u32 {
        self.turns
    }

    /// Goes on until so many turns are done, and tells whether the call is still under way. What it says meanwhile waits for `next`.
    pub(in crate::plugin) async fn go(&mut self, turns: u32) -> ProviderResult<bool> {
        while self.turns < turns && self.end.is_none() && !self.over {
            self.advance().await?;
        }
        Ok(self.end.is_none() && !self.over)
    }

    /// One step further, unless time is over or the caller has gone.
    async fn advance(&mut self) -> ProviderResult<()> {
        // A plugin whose asks are all answered at once must still let others run.
        tokio::task::consume_budget().await;
        let context = self.env.context.clone();
        if context.cancel.is_cancelled() {
            return Err(self.env.error(ProviderErrorKind::Cancelled, "the call was cancelled"));
        }
        if context.deadline <= Instant::now() {
            return Err(self.env.error(ProviderErrorKind::Timeout, "the call took longer than it may"));
        }
        let env = self.env.clone();
        tokio::select! {
            biased;
            () = env.revoked.cancelled() => Err(env.error(ProviderErrorKind::Denied, "the operator took its permission back")),
            step = self.step() => step,
            () = context.cancel.cancelled() => Err(env.error(ProviderErrorKind::Cancelled, "the call was cancelled")),
            () = tokio::time::sleep_until(context.deadline.into()) => {
                Err(env.error(ProviderErrorKind::Timeout, "the call took longer than it may"))
            }
        }
    }

    async fn step(&mut self) -> ProviderResult<()> {
        let event = if self.seat.is_none() { None } else { Some(self.event().await) };
        let picture_bytes = self.picture_bytes;
        let (turn, event) = match (&mut self.seat, event) {
            (Some(seat), Some(Some(event))) => (seat.resume(event.clone(), picture_bytes).await, Some(event)),
            (Some(_), Some(None)) => (Err(TurnError::Dead), None),
            (seat, _) => {
                let taken = self.pool.seat().await;
                let taken = taken.map_err(|none| self.env.error(ProviderErrorKind::PluginFault, none.into_text()))?;
                (seat.insert(taken).start(self.request.clone(), picture_bytes).await, None)
            }
        };
        self.turns = self.turns.saturating_add(1);
        match turn {
            Ok(step) => {
                self.keep(event.as_ref(), &step);
                self.take(step)
            }
            Err(TurnError::Fault(fault)) => {
                self.pool.breaker.fault(&fault.0);
                tracing::warn!(plugin = %self.env.plugin, request_id = self.env.context.request_id, "plugin fault: {fault}");
                Err(self.fault(fault.0))
            }
            Err(TurnError::Dead) => {
                self.undelivered = event;
                self.revive().await
            }
        }
    }

    /// What the guest is told next; `None`: its instance is dead, and there is nothing to rebuild the call from.
    ///
    /// A call with a record waits on in a dead instance: it is rebuilt when there is something to tell it.
    async fn event(&mut self) -> Option<Arc<io::Event>> {
        if let Some(event) = self.undelivered.take() {
            return Some(event);
        }
        let Some(seat) = &self.seat else { return None };
        let recorded = self.record.is_some();
        tokio::select! {
            biased;
            () = seat.slot.dead().cancelled(), if !recorded => None,
            event = self.ops.next() => Some(Arc::new(event)),
        }
    }

    /// Keeps what it takes to rebuild the call after this turn.
    fn keep(&mut self, event: Option<&Arc<io::Event>>, step: &Step<K>) {
        if step.end.is_some() {
            self.record = None;
            return;
        }
        if event.is_none() {
            self.record = self.pool.record();
        }
        let Some(record) = &mut self.record else { return };
        record.trace.add(step);
        if let Some(Err(lost)) = event.map(|event| record.note(event)) {
            self.record = None;
            self.lost = Some(lost);
        }
    }

    /// Checks a step and keeps what it brought.
    fn take(&mut self, step: Step<K>) -> ProviderResult<()> {
        if step.deltas.len() > limits::PLUGIN_DELTAS_PER_STEP_MAX {
            return Err(self.fault(format!("it gave {} deltas in one step", step.deltas.len())));
        }
        if step.deltas.iter().any(|delta| K::delta_bytes(delta) > limits::PLUGIN_DELTA_BYTES_MAX) {
            return Err(self.fault(format!("it gave a delta of more than {} KiB", limits::PLUGIN_DELTA_BYTES_MAX >> 10)));
        }
        self.deltas.extend(step.deltas);
        if let Some(end) = step.end {
            if let Some(seat) = self.seat.take() {
                seat.ended();
            }
            self.ops.close_all();
            self.pool.breaker.success();
            self.end = Some(end.map_err(|error| self.plugin_error(error))?);
            return Ok(());
        }
        self.ops.apply(step.asks).map_err(|breach| self.fault(breach))?;
        if !self.ops.pending() {
            return Err(self.fault(
                "it neither ended nor asked for anything, and nothing is pending: it waits for something that the host can not give it",
            ));
        }
        Ok(())
    }

    /// Closes the operations, then gives the seat back.
    pub(super) fn leave(&mut self) {
        self.ops.close_all();
        self.deltas.clear();
        self.seat = None;
    }

    pub(super) fn fault(&self, text: impl Into<String>) -> ProviderError {
        self.env.error(ProviderErrorKind::PluginFault, text)
    }

    fn plugin_error(&self, error: io::Error) -> ProviderError {
        let (kind, text) = match error {
            io::Error::Invalid(text) => (ProviderErrorKind::Invalid, text),
            io::Error::Unauthorised(text) => (ProviderErrorKind::Unauthorised, text),
            io::Error::Denied(text) => (ProviderErrorKind::Denied, text),
            io::Error::NotFound(text) => (ProviderErrorKind::NotFound, text),
            io::Error::RateLimited(limit) => (ProviderErrorKind::RateLimited { retry_after_ms: limit.retry_after_ms }, limit.text),
            io::Error::TooLong(text) => (ProviderErrorKind::TooLong, text),
            io::Error::Upstream(text) => (ProviderErrorKind::Upstream, text),
            io::Error::Unsupported(text) => (ProviderErrorKind::Unsupported, text),
        };
        self.env.error(kind, text.chars().take(ERROR_TEXT_CHARS_MAX).collect::<String>())
    }
}
