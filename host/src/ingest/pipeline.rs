//! The worker half of an upload: the steps from a stored file to a findable document, in order, each safe to do twice.
//!
//! Not here: the steps' own work, and who calls (`jobs`).

use super::chunks::{storage_bytes, summary_chunk, text_chunks};
use super::embed::Embedding;
use super::parse::ParseChild;
use super::split::{Splitter, check_count};
use super::{copy, fetch, summary};
use crate::domain::{Chunk, Job, JobKind, JobProgress, Knowledge, KnowledgeBase, KnowledgeKind, ParseStatus, ScopeOf, TenantScope};
use crate::error::{Error, Result};
use crate::files::Files;
use crate::jobs::{JobContext, JobHandler};
use crate::limits::{INDEX_WAIT, JOB_TIME_MAX, SUMMARY_TIME};
use crate::provider::{CallContext, ChatTask, Followers, Pages, Registry};
use crate::store::{Completion, CompletionOutcome, KnowledgePatch, Store};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Instant;

/// The contract's text for a full quota.
pub(super) const QUOTA_FULL: &str = "存储空间不足";

/// What ingestion is built from.
pub struct IngestParts {
    pub store: Store,
    pub files: Files,
    pub registry: Registry,
    pub followers: Arc<dyn Followers>,
    /// A leased job is the proof that its tenant's data may be worked on; `app` hands in the maker of scopes.
    pub scope_of: ScopeOf,
    pub parser: ParseChild,
    /// Fetches web pages under the rules of private addresses.
    pub pages: Arc<dyn Pages>,
    /// `conversation.generate_summary_prompt`.
    pub summary_prompt: String,
}

/// Does the jobs about documents.
pub struct Ingest {
    parts: IngestParts,
}

/// One document on its way.
pub(super) struct Run<'a> {
    pub(super) parts: &'a IngestParts,
    pub(super) scope: TenantScope,
    pub(super) job: &'a JobContext,
    pub(super) call: CallContext,
    pub(super) knowledge: Knowledge,
    pub(super) kb: KnowledgeBase,
}

impl Ingest {
    pub fn new(parts: IngestParts) -> Self {
        Self { parts }
    }

    pub(super) fn parts(&self) -> &IngestParts {
        &self.parts
    }

    async fn ingest(&self, job: &Job, context: &JobContext) -> Result<()> {
        let parts = &self.parts;
        let scope = (parts.scope_of)(job.tenant_id);
        let knowledge = parts.store.start_knowledge(&scope, &job.subject_id).await?;
        if knowledge.parse_status != ParseStatus::Processing {
            return Ok(());
        }
        let kb = parts.store.get_knowledge_base(&scope, &knowledge.knowledge_base_id).await?;
        let request_id = job.payload["request_id"].as_str().unwrap_or_default();
        let call = CallContext::background(job.tenant_id, request_id, JOB_TIME_MAX);
        // Whoever drops this future, a lost lease or a stopping server, stops the calls to models too.
        let _cancel = call.cancel.clone().drop_guard();
        let mut run = Run { parts, scope, job: context, call, knowledge, kb };
        run.run().await
    }
}

impl JobHandler for Ingest {
    fn kinds(&self) -> &[JobKind] {
        &[JobKind::IngestKnowledge, JobKind::CopyKnowledgeBase]
    }

    fn run<'a>(&'a self, job: &'a Job, context: &'a JobContext) -> BoxFuture<'a, Result<()>> {
        async move {
            let scope = (self.parts.scope_of)(job.tenant_id);
            if job.kind == JobKind::CopyKnowledgeBase {
                return copy::knowledge_base(&self.parts, job, context).await;
            }
            let Err(error) = self.ingest(job, context).await else { return Ok(()) };
            // A document that was deleted meanwhile has nobody who waits for it; whatever failed, failed because of that.
            if self.parts.store.find_knowledge(&scope, &job.subject_id).await?.is_none() {
                tracing::info!(knowledge_id = job.subject_id, "the document was deleted while it was processed");
                return Ok(());
            }
            Err(error)
        }
        .boxed()
    }

    fn give_up<'a>(&'a self, job: &'a Job, error: &'a Error) -> BoxFuture<'a, Result<()>> {
        async move {
            if job.kind == JobKind::CopyKnowledgeBase {
                return copy::give_up(&self.parts, job, error).await;
            }
            let scope = (self.parts.scope_of)(job.tenant_id);
            let Some(knowledge) = self.parts.store.find_knowledge(&scope, &job.subject_id).await? else { return Ok(()) };
            if knowledge.parse_status == ParseStatus::Completed {
                return Ok(());
            }
            match self.parts.store.fail_knowledge(&scope, &job.subject_id, &sentence(error)).await {
                Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }
}

impl Run<'_> {
    async fn run(&mut self) -> Result<()> {
        let splitter = Splitter::new(&self.kb.chunking_config)?;
        self.progress("parse", 5, "reading the file").await?;
        let parsed = match self.knowledge.kind {
            KnowledgeKind::Url => self.parse_page().await?,
            KnowledgeKind::File | KnowledgeKind::Passage => self.parse().await?,
        };
        self.progress("split", 25, "cutting the text").await?;
        let (texts, parsed_bytes) = self.split(splitter, parsed).await?;
        tracing::debug!(knowledge_id = self.knowledge.id, parsed_bytes, chunks = texts.len(), "a document was read and cut");
        self.progress("summary", 30, "summing up").await?;
        let (description, summary) = self.summarise(&texts).await;
        let chunks: Vec<Chunk> = texts.into_iter().chain(summary).collect();
        self.make_findable(&chunks, description).await
    }

    /// From chunks to a completed document.
    pub(super) async fn make_findable(&self, chunks: &[Chunk], description: String) -> Result<()> {
        let storage_size_bytes = self.embed(chunks).await?;
        self.progress("index", 90, "making it findable").await?;
        let sequence = self.parts.store.publish_chunks(&self.scope, &self.knowledge.id).await?;
        self.parts.followers.wait_until(sequence, Instant::now() + INDEX_WAIT).await?;
        let completion = Completion { description, storage_size_bytes };
        match self.parts.store.complete_knowledge(&self.scope, &self.knowledge.id, &completion).await? {
            CompletionOutcome::Completed(_) | CompletionOutcome::AlreadyCompleted(_) => Ok(()),
            CompletionOutcome::QuotaExceeded => Err(Error::TooLarge(QUOTA_FULL.into())),
        }
    }

    async fn parse(&self) -> Result<knowhost_parse::Parsed> {
        let file = self.parts.files.read(&self.knowledge.file_path).await.map_err(|error| {
            let is_missing = matches!(error, Error::NotFound { .. });
            if is_missing { Error::BadRequest("The stored file is missing; upload it again.".into()) } else { error }
        })?;
        self.parts.parser.parse(&self.knowledge.file_type, file.size_bytes, file.file).await
    }

    /// Fetches the page, reads it, and gives the document the title that the page has.
    async fn parse_page(&mut self) -> Result<knowhost_parse::Parsed> {
        let page = fetch::page(self.parts.pages.as_ref(), &self.parts.files, &self.call, &self.knowledge.source).await?;
        let parsed = self.parts.parser.parse(page.file_type, page.file.size_bytes, page.file.file).await?;
        let title = fetch::title(parsed.title.as_deref(), &page.url);
        if self.knowledge.title.is_empty() && !title.is_empty() {
            let patch = KnowledgePatch { title: Some(title), ..KnowledgePatch::default() };
            self.knowledge = self.parts.store.update_knowledge(&self.scope, &self.knowledge.id, &patch).await?;
        }
        Ok(parsed)
    }

    /// Off the async threads: a large text takes a while.
    async fn split(&self, splitter: Splitter, parsed: knowhost_parse::Parsed) -> Result<(Vec<Chunk>, usize)> {
        let knowledge = self.knowledge.clone();
        let work = move || {
            let pieces =
                if parsed.record_ends.is_empty() { splitter.split(&parsed.text) } else { splitter.split_records(parsed.records()) };
            check_count(pieces.len())?;
            Ok((text_chunks(&knowledge, pieces), parsed.text.len()))
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }

    /// Description and summary chunk. Without a model that can sum up, the first chunk describes the document and is found as itself.
    async fn summarise(&self, texts: &[Chunk]) -> (String, Option<Chunk>) {
        match self.write_summary(texts).await {
            Ok(Some(description)) => {
                let chunk = summary_chunk(&self.knowledge, texts, &description);
                (description, chunk)
            }
            Ok(None) => (texts.first().map(|chunk| chunk.content.clone()).unwrap_or_default(), None),
            Err(error) => {
                tracing::warn!(knowledge_id = self.knowledge.id, error = ?error, "a document was not summed up");
                (texts.first().map(|chunk| chunk.content.clone()).unwrap_or_default(), None)
            }
        }
    }

    async fn write_summary(&self, texts: &[Chunk]) -> Result<Option<String>> {
        if texts.is_empty() {
            return Ok(None);
        }
        let model = self.parts.registry.chat_model(&self.scope, &self.kb.summary_model_id).await?;
        if !model.can(ChatTask::Summary) {
            return Ok(None);
        }
        let call = CallContext { deadline: Instant::now() + SUMMARY_TIME, ..self.call.clone() };
        let written = summary::write(model.as_ref(), &call, &self.parts.summary_prompt, &self.knowledge, texts);
        match tokio::time::timeout(SUMMARY_TIME, written).await {
            // Too long for a summary is the contract's case of none at all.
            Ok(written) => Ok(Some(written?.unwrap_or_default())),
            Err(_) => Err(Error::Timeout("the summary took too long".into())),
        }
    }

    /// Saves the chunks and their vectors; answers what they count against the quota.
    async fn embed(&self, chunks: &[Chunk]) -> Result<i64> {
        let store = &self.parts.store;
        let Some(first) = chunks.first() else {
            store.save_chunks(&self.scope, &self.knowledge.id, chunks).await?;
            return Ok(0);
        };
        let embedder = self.parts.registry.embedder(&self.scope, &self.kb.embedding_model_id).await?;
        let embedding =
            Embedding { store, scope: &self.scope, knowledge: &self.knowledge, embedder: embedder.as_ref(), context: &self.call };
        self.progress("embed", 35, "embedding").await?;
        let origin = embedding.origin(&first.content).await?;
        let storage_size_bytes = storage_bytes(chunks, origin.dimension);
        if !store.has_quota_for(&self.scope, storage_size_bytes).await? {
            return Err(Error::TooLarge(QUOTA_FULL.into()));
        }
        store.save_chunks(&self.scope, &self.knowledge.id, chunks).await?;
        let (mut done, total) = (0, chunks.len());
        loop {
            let embedded = embedding.next(&origin).await?;
            if embedded == 0 {
                break;
            }
            done += embedded;
            let percent = 35 + i64::try_from(done.min(total) * 50 / total).unwrap_or(50);
            self.progress("embed", percent, &format!("{done} of {total} chunks are embedded")).await?;
        }
        Ok(storage_size_bytes)
    }

    async fn progress(&self, stage: &str, percent: i64, text: &str) -> Result<()> {
        self.job.progress(&JobProgress { stage: stage.to_owned(), percent, text: text.to_owned() }).await
    }
}

/// What the owner of a document reads; a fault of ours stays in the log.
pub(super) fn sentence(error: &Error) -> String {
    let fault = || "The document could not be processed because of a fault in the server; its log says more.".into();
    error.public_text().unwrap_or_else(fault)
}
