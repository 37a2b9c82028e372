//! What becomes of a call whose instance another call has killed: it is told its events again in a fresh instance.
//!
//! What the guest says meanwhile is compared with what it said before, and dropped; the operations stay open. Not here: what is kept (`record`).

use super::call::Call;
use super::record::Cursor;
use super::slot::TurnError;
use crate::limits;
use crate::plugin::code::Kind;
use crate::plugin::wasm::Trace;
use crate::provider::ProviderResult;
use std::sync::Arc;

/// How an attempt ended without success.
enum Broken {
    /// The new instance died under it as well, by yet another call.
    Again,
    Refused(String),
}

impl<K: Kind> Call<K> {
    /// The instance is dead. Afterwards the call stands where it stood, or will start from its beginning if nobody has seen anything of it.
    pub(super) async fn revive(&mut self) -> ProviderResult<()> {
        loop {
            let reason = self.seat.as_ref().map_or("it was ended", |seat| seat.slot.reason()).to_owned();
            let refused = |text: String| format!("this answer was cut off, because another call made the plugin fail ({reason}): {text}");
            if self.record.is_none() {
                return self.restart().map_err(|text| self.fault(refused(text)));
            }
            if self.rebuilds >= limits::PLUGIN_REBUILDS_MAX {
                return Err(self.fault(refused(format!("it had been rebuilt {} times before", self.rebuilds))));
            }
            self.rebuilds += 1;
            match self.rebuild().await {
                Ok(()) => return Ok(()),
                Err(Broken::Again) => {}
                Err(Broken::Refused(text)) => return Err(self.fault(refused(text))),
            }
        }
    }

    /// The old way, for calls that are not recorded: from the beginning, which their reader must not have seen.
    fn restart(&mut self) -> Result<(), String> {
        if self.output {
            return Err(self.lost.map_or_else(|| "it is not recorded".to_owned(), |lost| lost.text()));
        }
        if self.restarts >= limits::PLUGIN_RESTARTS_MAX {
            return Err(format!("it had been started again {} times before", self.restarts));
        }
        self.restarts += 1;
        self.undelivered = None;
        self.lost = None;
        self.leave();
        Ok(())
    }

    async fn rebuild(&mut self) -> Result<(), Broken> {
        let (Some(record), Some(seat)) = (&self.record, &mut self.seat) else { return Err(Broken::Again) };
        seat.move_on().map_err(|fault| Broken::Refused(format!("no instance to rebuild it in: {fault}")))?;
        let picture_bytes = self.picture_bytes;
        let mut trace = Trace::default();
        let mut told = None;
        let mut cursor = Cursor::default();
        let mut events = 0_u32;
        loop {
            let turn = match told.take() {
                None => seat.start(self.request.clone(), picture_bytes).await,
                Some(event) => seat.resume(Arc::new(event), picture_bytes).await,
            };
            let step = match turn {
                Ok(step) => step,
                Err(TurnError::Dead) => return Err(Broken::Again),
                Err(TurnError::Fault(fault)) => {
                    self.pool.breaker.fault(&fault.0);
                    return Err(Broken::Refused(format!("being told the same again, it failed itself: {fault}")));
                }
            };
            trace.add(&step);
            let Some(event) = record.next(&mut cursor) else { break };
            events += 1;
            told = Some(event);
            // The other calls of this thread go on meanwhile.
            tokio::task::consume_budget().await;
        }
        if trace != record.trace {
            let (before, now) = (record.trace, trace);
            return Err(Broken::Refused(format!(
                "being told the same again, it did not do the same (then {} asks and {} pieces, now {} and {}, or others): a plugin has to be deterministic",
                before.asks, before.deltas, now.asks, now.deltas
            )));
        }
        tracing::debug!(plugin = %self.env.plugin, request_id = self.env.context.request_id, events, "call rebuilt in a fresh instance");
        Ok(())
    }
}
