//! How fast a plugin answers: calls after calls, alone and side by side.
//!
//! Not here: whether the answers are right (`rules`).

use super::request::{CallRequest, ModelSpec};
use super::workbench::{How, LOCAL_TENANT, Workbench};
use crate::limits;
use anyhow::anyhow;
use futures_util::{StreamExt, stream};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub calls: usize,
    pub calls_per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    pub instances: usize,
    pub memory_bytes: usize,
}

/// As many calls as fit into `time`, `side_by_side` at once. The first call is not counted: it makes the instance.
pub async fn measure(
    bench: &Workbench,
    model: &ModelSpec,
    request: &CallRequest,
    time: Duration,
    side_by_side: usize,
) -> anyhow::Result<Measured> {
    bench.tape.live();
    let how = How { tenant: LOCAL_TENANT, time: limits::PLUGIN_TRY, turns_max: None };
    bench.perform(model, request, how).await.result.map_err(|error| anyhow!("{error}"))?;
    let started = Instant::now();
    let one = |_| async {
        let performed = bench.perform(model, request, how).await;
        (performed.time, performed.result.err())
    };
    // The last ones may still be under way when time is over; they count, and so does what they take.
    let going = stream::iter(0_usize..).take_while(|_| std::future::ready(started.elapsed() < time)).map(one);
    let mut calls = std::pin::pin!(going.buffer_unordered(side_by_side.max(1)));
    let mut times = Vec::new();
    while let Some((time, error)) = calls.next().await {
        if let Some(error) = error {
            return Err(anyhow!("call {} failed: {error}", times.len() + 1));
        }
        times.push(time);
    }
    let elapsed = started.elapsed();
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default();
    let (instances, memory_bytes) = bench.plugin.usage();
    Ok(Measured {
        calls: times.len(),
        calls_per_second: times.len() as f64 / elapsed.as_secs_f64(),
        p50: at(50),
        p99: at(99),
        instances,
        memory_bytes,
    })
}
