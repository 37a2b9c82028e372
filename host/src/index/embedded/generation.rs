//! One whole embedded index in a folder: vectors and keywords with a common commit.
//!
//! Not here: which of several generations answers (`embedded`), and where changes come from (`follower`).
//!
//! A commit makes the vectors durable, then the keywords; both records hold the sequence number. Killed between the two, the lower number is
//! the truth at the next open, and the changes after it are applied again, which is harmless: an upsert is delete and add.
//! Readers see both halves of a commit at once, because they share one view that is exchanged at the end.

use super::keywords::{KeywordView, Keywords};
use super::log::SpaceKey;
use super::pass::{Passes, Waiting};
use super::scan::{self, Asked};
use super::simd::Kernel;
use super::vectors::{VectorView, Vectors, check, check_vector, damaged};
use super::{IndexKey, Lock, NAME, fault, invalid, limits};
use crate::domain::TenantScope;
use crate::index::normalise;
use crate::provider::{BoxFuture, IndexedChunk, ProviderResult, RetrieveRequest, Retrieved, Retriever, ScoredChunk};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Bytes of codes that are scanned in the caller's task: about a tenth of a millisecond.
const INLINE_BYTES: usize = 2 << 20;

#[derive(Clone)]
pub(crate) struct Generation {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    key: IndexKey,
    kernel: Kernel,
    /// `None` after a failure: the next change opens the last commit again.
    halves: Mutex<Option<Halves>>,
    view: RwLock<Arc<View>>,
    sequence: AtomicI64,
    /// Large keyword searches at once.
    searches: tokio::sync::Semaphore,
    /// Large vector searches.
    passes: Passes,
    _lock: Lock,
}

struct Halves {
    vectors: Vectors,
    keywords: Keywords,
}

pub(super) struct View {
    vectors: VectorView,
    keywords: KeywordView,
}

impl Halves {
    fn open(folder: &Path, key: &IndexKey) -> anyhow::Result<Option<Self>> {
        let Some(vectors) = Vectors::open(&folder.join("vectors"), key)? else { return Ok(None) };
        let Some(keywords) = Keywords::open(&folder.join("keywords"), key)? else { return Ok(None) };
        Ok(Some(Self { vectors, keywords }))
    }

    fn sequence(&self) -> i64 {
        self.vectors.sequence().min(self.keywords.sequence())
    }

    fn view(&self) -> anyhow::Result<Arc<View>> {
        Ok(Arc::new(View { vectors: self.vectors.view(), keywords: self.keywords.view()? }))
    }
}

impl Generation {
    /// `Ok(None)`: nothing is there, or it belongs to another database or tokenizer. An error: what is there is damaged.
    pub(super) fn open(folder: &Path, key: &IndexKey, lock: &Lock) -> anyhow::Result<Option<Self>> {
        Halves::open(folder, key)?.map(|halves| Self::with(folder, key, halves, lock)).transpose()
    }

    pub(super) fn create(folder: &Path, key: &IndexKey, lock: &Lock) -> anyhow::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        let halves =
            Halves { vectors: Vectors::create(&folder.join("vectors"), key)?, keywords: Keywords::create(&folder.join("keywords"), key)? };
        super::log::sync_folder(folder)?;
        Self::with(folder, key, halves, lock)
    }

    fn with(folder: &Path, key: &IndexKey, halves: Halves, lock: &Lock) -> anyhow::Result<Self> {
        let kernel = Kernel::detect();
        let inner = Inner {
            folder: folder.to_owned(),
            key: key.clone(),
            kernel,
            view: RwLock::new(halves.view()?),
            sequence: AtomicI64::new(halves.sequence()),
            halves: Mutex::new(Some(halves)),
            searches: tokio::sync::Semaphore::new(limits::INDEX_SEARCHES_MAX),
            passes: Passes::new(kernel),
            _lock: lock.clone(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.inner.folder
    }

    fn view(&self) -> Arc<View> {
        self.inner.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a change on a thread that may block. A failure throws away what is not committed.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Inner, &mut Halves) -> anyhow::Result<T> + Send + 'static,
    ) -> ProviderResult<T> {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut slot = inner.halves.lock().unwrap_or_else(PoisonError::into_inner);
            let mut halves = match slot.take() {
                Some(halves) => halves,
                None => Halves::open(&inner.folder, &inner.key)?.ok_or_else(|| damaged("the index is gone"))?,
            };
            let done = change(&inner, &mut halves)?;
            *slot = Some(halves);
            anyhow::Ok(done)
        });
        done.await.map_err(|error| fault(&error))?.map_err(|error| fault(&error))
    }

    /// Lets readers see segments that were merged since the last commit.
    pub(super) async fn refresh(&self) -> ProviderResult<()> {
        self.change(|inner, halves| inner.publish(halves)).await
    }

    /// Chunk ids that the halves hold: (keywords, vectors).
    pub(super) async fn ids(&self, scope: &TenantScope, knowledge_base_id: &str) -> ProviderResult<(Vec<String>, Vec<String>)> {
        let (view, tenant_id, base) = (self.view(), scope.tenant_id().0, knowledge_base_id.to_owned());
        let ids = tokio::task::spawn_blocking(move || {
            let vectors = view.spaces(tenant_id, &base).flat_map(|space| space.live_ids().map(str::to_owned)).collect();
            Ok((view.keywords.ids(tenant_id, &base)?, vectors))
        });
        ids.await.map_err(|error| fault(&error))?.map_err(|error: tantivy::TantivyError| fault(&error))
    }

    /// Every (tenant, knowledge base) that the index knows of.
    pub(super) fn spaces(&self) -> ProviderResult<BTreeSet<(i64, String)>> {
        let view = self.view();
        let mut spaces = view.keywords.spaces().map_err(|error| fault(&error))?;
        spaces.extend(view.vectors.keys().map(|key| (key.tenant_id, key.knowledge_base_id.clone())));
        Ok(spaces)
    }

    /// Bytes on disk of the folder; for people, so errors count as nothing.
    pub(super) fn size_bytes(&self) -> u64 {
        fn size(folder: &Path) -> u64 {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.metadata().map_or(0, |data| if data.is_dir() { size(&entry.path()) } else { data.len() })).sum()
        }
        size(&self.inner.folder)
    }
}

impl Inner {
    fn publish(&self, halves: &Halves) -> anyhow::Result<()> {
        let view = halves.view()?;
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        self.sequence.store(halves.sequence(), Ordering::Release);
        Ok(())
    }
}

impl View {
    fn spaces(&self, tenant_id: i64, base: &str) -> impl Iterator<Item = &Arc<super::space::SpaceView>> {
        let key = |dimension| SpaceKey { tenant_id, knowledge_base_id: base.to_owned(), dimension };
        self.vectors.range(key(0)..=key(usize::MAX)).map(|(_, space)| space)
    }

    pub(super) fn space(&self, key: &SpaceKey) -> Option<&Arc<super::space::SpaceView>> {
        self.vectors.get(key)
    }

    fn words(&self, tenant_id: i64, request: &RetrieveRequest) -> ProviderResult<(Vec<ScoredChunk>, Vec<f32>)> {
        let words = normalise::query(&request.tokens);
        let (base, ids) = (&request.knowledge_base_id, &request.filter.knowledge_ids);
        self.keywords.search(tenant_id, base, &words, ids, request.top_k).map_err(|error| fault(&error))
    }

    /// Bytes that a vector search would read.
    fn scan_bytes(&self, tenant_id: i64, base: &str) -> usize {
        self.spaces(tenant_id, base).map(|space| space.rows * space.map.layout().dimension).sum()
    }
}

/// The vector path of a request; `None`: it has none.
fn asked(tenant_id: i64, request: &RetrieveRequest) -> Option<(SpaceKey, Asked)> {
    let vector = request.vector.clone()?;
    let key = SpaceKey { tenant_id, knowledge_base_id: request.knowledge_base_id.clone(), dimension: vector.len() };
    Some((key, Asked { vector, knowledge_ids: request.filter.knowledge_ids.clone(), top_k: request.top_k }))
}

impl Retriever for Generation {
    fn name(&self) -> &str {
        NAME
    }

    fn retrieve<'a>(&'a self, scope: &'a TenantScope, request: &'a RetrieveRequest) -> BoxFuture<'a, ProviderResult<Retrieved>> {
        Box::pin(async move {
            if let Some(vector) = &request.vector {
                check_vector(vector).map_err(invalid)?;
            }
            let (view, tenant_id) = (self.view(), scope.tenant_id().0);
            if view.scan_bytes(tenant_id, &request.knowledge_base_id) <= INLINE_BYTES {
                let (keywords, keyword_coverage) = view.words(tenant_id, request)?;
                let asked = asked(tenant_id, request);
                let vector = asked.and_then(|(key, asked)| Some(scan::search(view.space(&key)?, asked, self.inner.kernel)));
                return Ok(Retrieved { vector: vector.unwrap_or_default(), keywords, keyword_coverage });
            }
            let vector = async {
                match asked(tenant_id, request) {
                    Some((key, asked)) => self.inner.passes.search(Waiting { view: view.clone(), key, asked }).await,
                    None => Ok(Vec::new()),
                }
            };
            let keywords = async {
                let _permit = self.inner.searches.acquire().await.map_err(|error| fault(&error))?;
                let (view, request) = (view.clone(), request.clone());
                let words = tokio::task::spawn_blocking(move || view.words(tenant_id, &request));
                words.await.map_err(|error| fault(&error))?
            };
            let (vector, (keywords, keyword_coverage)) = futures_util::future::try_join(vector, keywords).await?;
            Ok(Retrieved { vector, keywords, keyword_coverage })
        })
    }

    fn upsert<'a>(&'a self, scope: &'a TenantScope, chunks: Vec<IndexedChunk>) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async move {
            for chunk in &chunks {
                check(chunk).map_err(invalid)?;
            }
            let tenant_id = scope.tenant_id().0;
            self.change(move |_, halves| {
                halves.vectors.upsert(tenant_id, &chunks)?;
                Ok(halves.keywords.upsert(tenant_id, &chunks, normalise::index)?)
            })
            .await
        })
    }

    fn delete<'a>(
        &'a self,
        scope: &'a TenantScope,
        knowledge_base_id: &'a str,
        chunk_ids: &'a [String],
    ) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async move {
            let (tenant_id, base, ids) = (scope.tenant_id().0, knowledge_base_id.to_owned(), chunk_ids.to_vec());
            self.change(move |_, halves| {
                halves.vectors.delete(tenant_id, &base, &ids);
                halves.keywords.delete(tenant_id, &base, &ids);
                Ok(())
            })
            .await
        })
    }

    fn commit<'a>(&'a self, sequence: i64) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(self.change(move |inner, halves| {
            halves.vectors.commit(sequence)?;
            halves.keywords.commit(sequence)?;
            inner.publish(halves)
        }))
    }

    fn committed_sequence(&self) -> i64 {
        self.inner.sequence.load(Ordering::Acquire)
    }

    fn count<'a>(&'a self, scope: &'a TenantScope, knowledge_base_id: &'a str) -> BoxFuture<'a, ProviderResult<u64>> {
        Box::pin(async move { self.view().keywords.count(scope.tenant_id().0, knowledge_base_id).map_err(|error| fault(&error)) })
    }
}

#[cfg(test)]
impl Generation {
    /// What a kill between the two halves of a commit leaves.
    pub(super) async fn commit_vectors_alone(&self, sequence: i64) -> ProviderResult<()> {
        self.change(move |_, halves| Ok(halves.vectors.commit(sequence)?)).await
    }
}
