//! Pauses a plugin that fails again and again, longer each time.
//!
//! Not here: single faults, which cost one instance and nothing else.

use crate::limits;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    faults_in_a_row: u32,
    pauses: u32,
    paused_until: Option<Instant>,
    reason: String,
}

impl Breaker {
    /// `Err`: paused; the text says for how long and why.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = state.paused_until else { return Ok(()) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            state.paused_until = None;
            return Ok(());
        }
        Err(format!(
            "paused for another {} s, because it failed {} times in a row: {}",
            left.as_secs() + 1,
            state.faults_in_a_row,
            state.reason
        ))
    }

    pub(super) fn success(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.faults_in_a_row > 0 {
            *state = State::default();
        }
    }

    pub(super) fn fault(&self, reason: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.faults_in_a_row += 1;
        reason.clone_into(&mut state.reason);
        if state.faults_in_a_row >= limits::PLUGIN_FAULTS_IN_A_ROW_MAX {
            let pause = pause(state.pauses);
            state.pauses += 1;
            state.paused_until = Some(Instant::now() + pause);
        }
    }
}

fn pause(pauses: u32) -> Duration {
    limits::PLUGIN_PAUSE_MIN.saturating_mul(1 << pauses.min(16)).min(limits::PLUGIN_PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_after_faults_in_a_row_and_a_success_forgives() {
        let breaker = Breaker::default();
        for _ in 1..limits::PLUGIN_FAULTS_IN_A_ROW_MAX {
            breaker.fault("it trapped");
            assert!(breaker.check().is_ok());
        }
        breaker.success();
        for _ in 1..limits::PLUGIN_FAULTS_IN_A_ROW_MAX {
            breaker.fault("it trapped");
        }
        assert!(breaker.check().is_ok());
        breaker.fault("it trapped");
        let text = breaker.check().unwrap_err();
        assert!(text.contains("it trapped") && text.contains("paused"), "{text}");
    }

    #[test]
    fn pauses_grow_up_to_their_limit() {
        assert_eq!(pause(0), limits::PLUGIN_PAUSE_MIN);
        assert!(pause(1) > pause(0) && pause(3) > pause(2));
        assert_eq!(pause(40), limits::PLUGIN_PAUSE_MAX);
    }
}
