//! How long a turn may run: CPU time first, wall time as a far limit.
//!
//! Not here: who calls this (the epoch callback of an instance's store).

use crate::limits;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Times of one turn. Nothing is measured before the first epoch, so a short turn costs nothing.
pub(super) struct TurnClock {
    cpu_max: Duration,
    first: Option<(Duration, Instant)>,
}

/// What the callback does next.
pub(super) enum Verdict {
    GoOn,
    Stop(String),
}

impl TurnClock {
    pub(super) fn new(cpu_max: Duration) -> Self {
        Self { cpu_max, first: None }
    }

    pub(super) fn reset(&mut self, cpu_max: Duration) {
        *self = Self::new(cpu_max);
    }

    /// Called on the turn's own thread at every epoch: a turn that was merely not scheduled has used no CPU and goes on.
    pub(super) fn tick(&mut self) -> Verdict {
        let cpu = thread_cpu();
        let now = Instant::now();
        let Some((cpu_first, first)) = self.first else {
            // The first epoch comes at most one tick after the start, so that much may already be used.
            self.first = Some((cpu.saturating_sub(limits::PLUGIN_EPOCH_TICK.min(self.cpu_max)), now));
            return Verdict::GoOn;
        };
        let used = cpu.saturating_sub(cpu_first);
        if used > self.cpu_max {
            return Verdict::Stop(format!(
                "it computed for {} ms in one turn; the limit is {} ms",
                used.as_millis(),
                self.cpu_max.as_millis()
            ));
        }
        let wall_max = self.cpu_max * limits::PLUGIN_TURN_WALL_FACTOR;
        if now.duration_since(first) > wall_max {
            return Verdict::Stop(format!("one turn took longer than {} s, although the machine gave it little CPU", wall_max.as_secs()));
        }
        Verdict::GoOn
    }
}

/// CPU time of the calling thread.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_that_does_not_run_is_not_stopped_by_its_cpu_limit() {
        let mut clock = TurnClock::new(Duration::from_millis(5));
        assert!(matches!(clock.tick(), Verdict::GoOn));
        // Blocked, not computing: wall time passes, CPU time does not.
        let (_send, receive) = std::sync::mpsc::channel::<()>();
        let _ = receive.recv_timeout(Duration::from_millis(30));
        assert!(matches!(clock.tick(), Verdict::GoOn));
    }

    #[test]
    fn turn_that_computes_is_stopped() {
        let mut clock = TurnClock::new(Duration::from_millis(5));
        let start = thread_cpu();
        clock.tick();
        let mut number = 0_u64;
        while thread_cpu() - start < Duration::from_millis(8) {
            number = std::hint::black_box(number + 1);
        }
        assert!(matches!(clock.tick(), Verdict::Stop(_)));
    }
}
