//! What the first start makes: a tenant, and a sample knowledge base that can be asked.
//!
//! Not here: how documents are taken in; the sample goes the way of every upload.

use super::parts::Parts;
use crate::domain::{ChunkingConfig, KnowledgeBase, ParseStatus, Session, Tenant, TenantId, TenantScope, Timestamp};
use crate::library::tenants::{NewTenant, retriever_engines_of};
use crate::provider::{BUILTIN_EMBED, BUILTIN_RERANK};
use crate::store::{KnowledgeFilter, Page};
use anyhow::{Context, Result};
use std::time::Duration;

/// A question that the sample answers.
pub const SAMPLE_QUESTION: &str = "Where may my dog stay on the ferry?";

const NAME: &str = "Sample";
const DESCRIPTION: &str = "Documents of a ferry line, a small town and its neighbours, in English and Chinese";
/// The fact in the store that names the tenant of the command line.
const FIRST_TENANT: &str = "first_tenant";
const POLL: Duration = Duration::from_millis(200);

/// The documents of `examples/corpus`: name and bytes.
static DOCUMENTS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/corpus.rs"));

/// How many documents of a knowledge base came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentCounts {
    pub completed: u64,
    pub failed: u64,
}

pub(super) fn documents_count() -> u64 {
    DOCUMENTS.len() as u64
}

/// The tenant that the command line acts for, made at first start; tells whether it was made now.
pub(super) async fn first_tenant(parts: &Parts) -> Result<(Tenant, bool)> {
    if let Some(id) = parts.store.find_fact(FIRST_TENANT).await?
        && let Ok(id) = id.parse()
        && let Some(tenant) = parts.store.find_tenant(TenantId(id)).await?
    {
        return Ok((tenant, false));
    }
    let new = NewTenant {
        name: "default".to_owned(),
        description: "Made at first start".to_owned(),
        business: String::new(),
        retriever_engines: retriever_engines_of("postgres"),
    };
    let tenant = parts.library.create_tenant(new).await.context("the first tenant")?;
    parts.store.save_fact(FIRST_TENANT, &tenant.id.to_string()).await?;
    Ok((tenant, true))
}

/// Makes the sample knowledge base and uploads its documents; they are read in the background.
pub(super) async fn fill(parts: &Parts, scope: &TenantScope) -> Result<String> {
    let now = Timestamp::now();
    let kb = KnowledgeBase {
        id: String::new(),
        name: NAME.to_owned(),
        description: DESCRIPTION.to_owned(),
        tenant_id: scope.tenant_id(),
        chunking_config: ChunkingConfig::default(),
        image_processing_config: Default::default(),
        embedding_model_id: BUILTIN_EMBED.to_owned(),
        // Empty: the tenant's default model, so that adding one is enough to have generated answers.
        summary_model_id: String::new(),
        rerank_model_id: if SAMPLE_RERANKS { BUILTIN_RERANK.to_owned() } else { String::new() },
        vlm_model_id: String::new(),
        vlm_config: Default::default(),
        storage_config: Default::default(),
        extract_config: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let kb = parts.library.create_knowledge_base(scope, kb).await.context("the sample knowledge base")?;
    for (name, bytes) in DOCUMENTS {
        parts.upload(scope, &kb.id, name, bytes).await.with_context(|| format!("the sample document {name}"))?;
    }
    Ok(kb.id)
}

/// The built-in reranker stays off where it was measured not to help (`docs/benchmarks.md`).
const SAMPLE_RERANKS: bool = false;

pub(super) async fn wait(parts: &Parts, scope: &TenantScope, knowledge_base_id: &str, progress: impl Fn(u64)) -> Result<DocumentCounts> {
    loop {
        let mut counts = DocumentCounts::default();
        let mut open = 0;
        let mut page = 1;
        loop {
            let listed = parts.store.list_knowledge(scope, knowledge_base_id, &KnowledgeFilter::default(), Page::new(page, 100)).await?;
            for knowledge in &listed.items {
                match knowledge.parse_status {
                    ParseStatus::Completed => counts.completed += 1,
                    ParseStatus::Failed => counts.failed += 1,
                    ParseStatus::Unprocessed | ParseStatus::Pending | ParseStatus::Processing => open += 1,
                }
            }
            if listed.items.len() < 100 {
                break;
            }
            page += 1;
        }
        progress(counts.completed + counts.failed);
        if open == 0 {
            return Ok(counts);
        }
        tokio::time::sleep(POLL).await;
    }
}

pub(super) async fn make_session(parts: &Parts, scope: &TenantScope, knowledge_base_id: &str) -> Result<String> {
    let session: Session = parts.new_session(scope, knowledge_base_id).await?;
    Ok(session.id)
}
