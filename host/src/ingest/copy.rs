//! Makes a knowledge base hold what another one holds: documents too many are deleted, missing ones taken over with their vectors.
//!
//! Not here: who may ask for it (`library`), and how rows are copied (`store`).

use super::chunks::storage_bytes;
use super::embed::Embedding;
use super::pipeline::{IngestParts, QUOTA_FULL, sentence};
use crate::domain::{ChunkType, Job, JobProgress, Knowledge, KnowledgeBase, ParseStatus, TenantScope};
use crate::error::{Error, Result};
use crate::jobs::JobContext;
use crate::limits::{INDEX_WAIT, JOB_TIME_MAX};
use crate::provider::CallContext;
use crate::store::{Completion, CompletionOutcome, CopiedDocument, DocumentHash};
use std::collections::HashSet;
use std::time::Instant;
use uuid::Uuid;

/// Runs the job; done twice it goes on where the first run ended.
pub(super) async fn knowledge_base(parts: &IngestParts, job: &Job, context: &JobContext) -> Result<()> {
    let scope = (parts.scope_of)(job.tenant_id);
    let (source_id, target_id) = (source_of(job), job.subject_id.as_str());
    let Some(kb) = target(parts, &scope, target_id).await? else { return Ok(()) };
    let wanted = parts.store.list_document_hashes(&scope, source_id).await?;
    let present = parts.store.list_document_hashes(&scope, target_id).await?;
    remove_others(parts, &scope, &wanted, &present).await?;
    let call = CallContext::background(job.tenant_id, job.payload["request_id"].as_str().unwrap_or_default(), JOB_TIME_MAX);
    let _cancel = call.cancel.clone().drop_guard();
    let copier = Copier { parts, scope, call, kb };
    let missing = missing(job, &wanted, &present);
    let mut to_try_again = None;
    for (at, (source, copy_id)) in missing.iter().enumerate() {
        let percent = i64::try_from(at * 100 / missing.len()).unwrap_or(0);
        let text = format!("{at} of {} documents are copied", missing.len());
        context.progress(&JobProgress { stage: "copy".into(), percent, text }).await?;
        match copier.copy(&source.id, copy_id).await {
            // Somebody deleted the document, its copy or the whole knowledge base meanwhile.
            Ok(()) | Err(Error::NotFound { .. }) => {}
            // One document does not hold up the others.
            Err(error) if error.is_transient() => to_try_again = Some(error),
            Err(error) => copier.fail(copy_id, &error).await?,
        }
    }
    to_try_again.map_or(Ok(()), Err)
}

/// What is half copied when the job ends for good is failed with a sentence.
pub(super) async fn give_up(parts: &IngestParts, job: &Job, error: &Error) -> Result<()> {
    let scope = (parts.scope_of)(job.tenant_id);
    let Some(kb) = target(parts, &scope, &job.subject_id).await? else { return Ok(()) };
    let call = CallContext::background(job.tenant_id, "", JOB_TIME_MAX);
    let copier = Copier { parts, scope, call, kb };
    for source in parts.store.list_document_hashes(&copier.scope, source_of(job)).await? {
        copier.fail(&copy_id(job, &source.id), error).await?;
    }
    Ok(())
}

fn source_of(job: &Job) -> &str {
    job.payload["source_id"].as_str().unwrap_or_default()
}

/// The same for every run of a job.
fn copy_id(job: &Job, source_id: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("copy {} of {source_id} into {}", job.id, job.subject_id).as_bytes()).to_string()
}

async fn target(parts: &IngestParts, scope: &TenantScope, id: &str) -> Result<Option<KnowledgeBase>> {
    match parts.store.get_knowledge_base(scope, id).await {
        Ok(kb) => Ok(Some(kb)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Documents of the target whose content the source does not have.
async fn remove_others(parts: &IngestParts, scope: &TenantScope, wanted: &[DocumentHash], present: &[DocumentHash]) -> Result<()> {
    let wanted: HashSet<&str> = wanted.iter().map(|document| document.file_hash.as_str()).collect();
    let mut last = None;
    for other in present.iter().filter(|document| !wanted.contains(document.file_hash.as_str())) {
        let deleted = match parts.store.delete_knowledge(scope, &other.id).await {
            Ok(deleted) => deleted,
            Err(Error::NotFound { .. }) => continue,
            Err(error) => return Err(error),
        };
        if let Some(path) = &deleted.file_path {
            parts.files.delete(path).await?;
            parts.store.forget_files(scope, &[deleted.knowledge.id]).await?;
        }
        last = Some(deleted.sequence);
    }
    match last {
        Some(sequence) => parts.followers.wait_until(sequence, Instant::now() + INDEX_WAIT).await,
        None => Ok(()),
    }
}

/// Completed documents that the target lacks, with the ids of their copies; what an earlier run began is begun again.
fn missing<'a>(job: &Job, wanted: &'a [DocumentHash], present: &[DocumentHash]) -> Vec<(&'a DocumentHash, String)> {
    let begun: HashSet<&str> = present.iter().filter(|document| !document.is_completed).map(|document| document.id.as_str()).collect();
    let mut missing = Vec::new();
    for source in wanted.iter().filter(|document| document.is_completed) {
        let copy_id = copy_id(job, &source.id);
        let is_there = present.iter().any(|document| document.file_hash == source.file_hash && document.id != copy_id);
        if begun.contains(copy_id.as_str()) || (!is_there && !present.iter().any(|document| document.id == copy_id)) {
            missing.push((source, copy_id));
        }
    }
    missing
}

struct Copier<'a> {
    parts: &'a IngestParts,
    scope: TenantScope,
    call: CallContext,
    kb: KnowledgeBase,
}

impl Copier<'_> {
    async fn copy(&self, source_id: &str, copy_id: &str) -> Result<()> {
        let store = &self.parts.store;
        let CopiedDocument { source, copy } = store.copy_document(&self.scope, source_id, &self.kb.id, copy_id).await?;
        if copy.parse_status != ParseStatus::Processing {
            return Ok(());
        }
        let storage_size_bytes = self.embed(&source, &copy).await?;
        if !store.has_quota_for(&self.scope, storage_size_bytes).await? {
            return Err(Error::TooLarge(QUOTA_FULL.into()));
        }
        let sequence = store.publish_chunks(&self.scope, &copy.id).await?;
        self.parts.followers.wait_until(sequence, Instant::now() + INDEX_WAIT).await?;
        let completion = Completion { description: source.description, storage_size_bytes };
        match store.complete_knowledge(&self.scope, &copy.id, &completion).await? {
            CompletionOutcome::Completed(_) | CompletionOutcome::AlreadyCompleted(_) => Ok(()),
            CompletionOutcome::QuotaExceeded => Err(Error::TooLarge(QUOTA_FULL.into())),
        }
    }

    /// Vectors for chunks whose own could not be taken over; answers what the copy counts against the quota.
    async fn embed(&self, source: &Knowledge, copy: &Knowledge) -> Result<i64> {
        let store = &self.parts.store;
        if let Some(fixed) = store.find_fixed_embedding(&self.scope, &self.kb.id).await?
            && store.list_chunks_to_embed(&self.scope, &copy.id, &fixed, 1).await?.is_empty()
        {
            return Ok(source.storage_size_bytes);
        }
        let chunks = store.list_all_chunks(&self.scope, &copy.id, &ChunkType::ALL).await?;
        let Some(first) = chunks.first() else { return Ok(0) };
        let embedder = self.parts.registry.embedder(&self.scope, &self.kb.embedding_model_id).await?;
        let embedding = Embedding { store, scope: &self.scope, knowledge: copy, embedder: embedder.as_ref(), context: &self.call };
        let origin = embedding.origin(&first.content).await?;
        while embedding.next(&origin).await? > 0 {}
        Ok(storage_bytes(&chunks, origin.dimension))
    }

    /// A copy that was completed or deleted stays as it is.
    async fn fail(&self, copy_id: &str, error: &Error) -> Result<()> {
        let Some(copy) = self.parts.store.find_knowledge(&self.scope, copy_id).await? else { return Ok(()) };
        if copy.parse_status == ParseStatus::Completed {
            return Ok(());
        }
        match self.parts.store.fail_knowledge(&self.scope, copy_id, &sentence(error)).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
