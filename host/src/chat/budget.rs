//! The time that an answer may take, shared out among its steps.
//!
//! Not here: how long each step may take (`limits`).

use crate::domain::TenantId;
use crate::error::{Error, Result};
use crate::provider::CallContext;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug)]
pub(super) struct Budget {
    tenant_id: TenantId,
    request_id: String,
    deadline: Instant,
    cancel: CancellationToken,
    /// Somebody waits for the answer.
    interactive: bool,
}

impl Budget {
    pub(super) fn new(tenant_id: TenantId, request_id: &str, time: Duration, cancel: CancellationToken) -> Self {
        Self { tenant_id, request_id: request_id.to_owned(), deadline: Instant::now() + time, cancel, interactive: true }
    }

    /// For an answer that nobody waits for: it must not delay those that somebody does.
    pub(super) fn in_background(tenant_id: TenantId, request_id: &str, time: Duration, cancel: CancellationToken) -> Self {
        Self { interactive: false, ..Self::new(tenant_id, request_id, time, cancel) }
    }

    pub(super) fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    pub(super) async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// For the calls of a step that may take `time` at most, and no longer than all of it.
    pub(super) fn context(&self, time: Duration) -> CallContext {
        let context = CallContext::interactive(self.tenant_id, self.request_id.clone(), time);
        CallContext { deadline: self.deadline.min(context.deadline), cancel: self.cancel.clone(), interactive: self.interactive, ..context }
    }

    /// Carries a step out within its time; when the answer is stopped, the step is dropped.
    pub(super) async fn run<T>(&self, step: &'static str, context: &CallContext, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::Unavailable { reason: "the answer was stopped".into() }),
            done = tokio::time::timeout_at(context.deadline.into(), work) => match done {
                Ok(result) => result,
                Err(_) => Err(Error::Timeout(format!("{step} took too long"))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(time: Duration) -> Budget {
        Budget::new(TenantId(1), "r", time, CancellationToken::new())
    }

    #[tokio::test]
    async fn a_step_ends_at_its_deadline_and_when_it_is_stopped() {
        let budget = budget(Duration::from_secs(60));
        let context = budget.context(Duration::ZERO);
        let late = budget.run("search", &context, std::future::pending::<Result<()>>()).await.expect_err("too late");
        assert!(matches!(late, Error::Timeout(text) if text == "search took too long"));
        budget.cancel.cancel();
        let context = budget.context(Duration::from_secs(60));
        assert!(budget.run("search", &context, std::future::pending::<Result<()>>()).await.is_err());
    }

    #[test]
    fn no_step_outlives_the_whole() {
        let budget = budget(Duration::from_secs(1));
        assert_eq!(budget.context(Duration::from_secs(60)).deadline, budget.deadline());
    }
}
