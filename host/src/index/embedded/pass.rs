//! Vector searches that wait for a core together go through the vectors together.
//!
//! Not here: the scan itself (`scan`). A search that finds a free core starts at once and alone; only those that come while all are busy share a
//! pass, so a batch costs nobody time, and the vectors travel from memory once for all of it.

use super::generation::View;
use super::log::SpaceKey;
use super::scan::{self, Asked};
use super::simd::Kernel;
use super::{fault, limits};
use crate::provider::{ProviderResult, ScoredChunk};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, oneshot};

/// One search of a space, as it was when the search came.
pub(super) struct Waiting {
    pub(super) view: Arc<View>,
    pub(super) key: SpaceKey,
    pub(super) asked: Asked,
}

struct Queued {
    search: Waiting,
    answer: oneshot::Sender<Vec<ScoredChunk>>,
}

pub(super) struct Passes {
    kernel: Kernel,
    queue: Mutex<Vec<Queued>>,
    /// One for each core: more passes at once would only share the memory bandwidth.
    cores: Semaphore,
}

impl Passes {
    pub(super) fn new(kernel: Kernel) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(limits::INDEX_SEARCHES_MAX);
        Self { kernel, queue: Mutex::default(), cores: Semaphore::new(cores) }
    }

    pub(super) async fn search(&self, search: Waiting) -> ProviderResult<Vec<ScoredChunk>> {
        let (answer, mut answered) = oneshot::channel();
        self.lock().push(Queued { search, answer });
        loop {
            let _core = tokio::select! {
                biased;
                hits = &mut answered => return hits.map_err(|error| fault(&error)),
                core = self.cores.acquire() => core.map_err(|error| fault(&error))?,
            };
            // Perhaps without this search, which then is taken in the next round, or by somebody else meanwhile.
            let batch = self.take();
            if !batch.is_empty() {
                let kernel = self.kernel;
                tokio::task::spawn_blocking(move || run(batch, kernel)).await.map_err(|error| fault(&error))?;
            }
        }
    }

    /// The search that waits longest, with all that go through the same vectors. Those whose callers left are dropped.
    fn take(&self) -> Vec<Queued> {
        let mut queue = self.lock();
        queue.retain(|queued| !queued.answer.is_closed());
        let Some(first) = queue.first() else { return Vec::new() };
        let (view, key) = (first.search.view.clone(), first.search.key.clone());
        let mut room = limits::INDEX_PASS_SEARCHES_MAX;
        let together = queue.extract_if(.., |queued| {
            let fits = room > 0 && Arc::ptr_eq(&queued.search.view, &view) && queued.search.key == key;
            room -= usize::from(fits);
            fits
        });
        together.collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Queued>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(batch: Vec<Queued>, kernel: Kernel) {
    let (searches, answers): (Vec<Waiting>, Vec<_>) = batch.into_iter().map(|queued| (queued.search, queued.answer)).unzip();
    let Some(first) = searches.first() else { return };
    let (view, key) = (first.view.clone(), first.key.clone());
    let asked: Vec<Asked> = searches.into_iter().map(|search| search.asked).collect();
    let found = view.space(&key).map_or_else(|| vec![Vec::new(); asked.len()], |space| scan::search_all(space, &asked, kernel));
    for (answer, hits) in answers.into_iter().zip(found) {
        // Who left meanwhile needs no answer.
        let _ = answer.send(hits);
    }
}
