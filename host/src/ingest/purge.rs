//! Clears what a deleted knowledge base left: chunks, vectors, index entries and files, in batches.
//!
//! Not here: deleting the knowledge base itself, which the request did.

use crate::domain::TenantScope;
use crate::error::Result;
use crate::files::Files;
use crate::store::Store;

pub(super) async fn knowledge_base(store: &Store, files: &Files, scope: &TenantScope, id: &str) -> Result<()> {
    let mut files_gone_of = Vec::new();
    loop {
        let step = store.purge_knowledge_base(scope, id, &files_gone_of).await?;
        if step.knowledge_ids.is_empty() {
            return Ok(());
        }
        for path in &step.file_paths {
            files.delete(path).await?;
        }
        files_gone_of = step.knowledge_ids;
    }
}
