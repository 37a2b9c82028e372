//! Texts that are chunks already: each becomes one, under the number it comes with.
//!
//! Not here: who has such texts (`evaluate`), and documents, which are parsed and cut first (`pipeline`).

use super::chunks::passage_chunks;
use super::pipeline::{Ingest, Run};
use super::split::check_count;
use crate::domain::{Knowledge, ParseStatus, TenantScope};
use crate::error::Result;
use crate::jobs::JobContext;
use crate::limits::JOB_TIME_MAX;
use crate::provider::CallContext;

impl Ingest {
    /// Makes a document of `passages` and answers when it can be searched. Safe to do twice: what an earlier attempt did is kept.
    pub async fn take_in_passages(
        &self,
        scope: &TenantScope,
        context: &JobContext,
        knowledge: &Knowledge,
        request_id: &str,
        passages: Vec<(i64, String)>,
    ) -> Result<()> {
        check_count(passages.len())?;
        let parts = self.parts();
        parts.store.ensure_knowledge(scope, knowledge).await?;
        let knowledge = parts.store.start_knowledge(scope, &knowledge.id).await?;
        if knowledge.parse_status == ParseStatus::Completed {
            return Ok(());
        }
        let kb = parts.store.get_knowledge_base(scope, &knowledge.knowledge_base_id).await?;
        let call = CallContext::background(scope.tenant_id(), request_id, JOB_TIME_MAX);
        let _cancel = call.cancel.clone().drop_guard();
        let chunks = passage_chunks(&knowledge, passages);
        let run = Run { parts, scope: *scope, job: context, call, knowledge, kb };
        run.make_findable(&chunks, String::new()).await
    }
}
