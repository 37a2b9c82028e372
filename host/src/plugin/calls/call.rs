//! One call: start, the plugin's asks, resume with what came of them, until its end.
//!
//! It is driven by whoever reads it: a reader that is slow is not resumed for, and dropping it closes the operations and cancels the call.
//! Not here: the operations (`plugin::asks`) and the sockets (`plugin::adapters`).

use super::pool::{NoSeat, Pool, Seat};
use super::slot::TurnError;
use crate::limits;
use crate::plugin::asks::{CallEnv, Ops};
use crate::plugin::code::{Instance, Kind, Step};
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
    env: Arc<CallEnv>,
    pool: Arc<Pool<K>>,
    request: Arc<K::Request>,
    picture_bytes: usize,
    // Before the seat, because the operations are closed before the guest is told.
    ops: Ops,
    seat: Option<Seat<K>>,
    deltas: VecDeque<K::Delta>,
    end: Option<K::Answer>,
    /// The reader has seen a delta: starting again would show it twice.
    output: bool,
    restarts: u32,
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
            output: false,
            restarts: 0,
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
        let picture_bytes = self.picture_bytes;
        let turn = match &mut self.seat {
            Some(seat) => {
                let event = tokio::select! {
                    biased;
                    () = seat.slot.dead().cancelled() => None,
                    event = self.ops.next() => Some(event),
                };
                match event {
                    Some(event) => {
                        let resume = move |instance: &mut Instance<K>, id| {
                            instance.allow_for(picture_bytes);
                            instance.resume(id, &event)
                        };
                        seat.turn(resume).await
                    }
                    None => Err(TurnError::Dead),
                }
            }
            None => {
                let seat = self.pool.seat().await.map_err(|none| self.no_seat(none))?;
                let request = self.request.clone();
                let start = move |instance: &mut Instance<K>, id| {
                    instance.allow_for(picture_bytes);
                    instance.start(id, &request)
                };
                self.seat.insert(seat).turn(start).await
            }
        };
        match turn {
            Ok(step) => self.take(step),
            Err(TurnError::Fault(fault)) => {
                self.pool.breaker.fault(&fault.0);
                tracing::warn!(plugin = %self.env.plugin, request_id = self.env.context.request_id, "plugin fault: {fault}");
                Err(self.fault(fault.0))
            }
            Err(TurnError::Dead) => self.restart(),
        }
    }

    /// A neighbour killed the instance. Without output the call begins again; else its reader would see the beginning twice.
    fn restart(&mut self) -> ProviderResult<()> {
        let reason = self.seat.as_ref().map_or("it was ended", |seat| seat.slot.reason()).to_owned();
        if self.output || self.restarts >= limits::PLUGIN_RESTARTS_MAX {
            return Err(self.fault(format!("this answer was cut off, because another call made the plugin fail: {reason}")));
        }
        self.restarts += 1;
        self.leave();
        Ok(())
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
    fn leave(&mut self) {
        self.ops.close_all();
        self.deltas.clear();
        self.seat = None;
    }

    fn no_seat(&self, none: NoSeat) -> ProviderError {
        match none {
            NoSeat::Paused(text) => self.fault(text),
            NoSeat::Fault(fault) => self.fault(fault.0),
        }
    }

    fn fault(&self, text: impl Into<String>) -> ProviderError {
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
