//! What a search shows of its hits: their chunks, what stands beside them and their documents, in one query and one row.
//!
//! Not here: which of it is shown, and how it ranks. A row costs the driver more than its text costs to write and read as JSON.

use super::Store;
use super::convert::{from_json, id_list};
use super::fault::fault;
use crate::domain::{ChunkType, TenantScope};
use crate::error::Result;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A chunk as a search needs it. The order of the fields is that of the query.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FoundChunk {
    pub id: String,
    pub knowledge_id: String,
    pub content: String,
    pub chunk_index: i64,
    pub start_at: i64,
    pub end_at: i64,
    /// Empty: none.
    pub pre_chunk_id: String,
    pub next_chunk_id: String,
    pub chunk_type: ChunkType,
    pub parent_chunk_id: String,
    pub relation_chunks: Vec<String>,
    pub image_info: String,
}

/// An enabled document as a search needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKnowledge {
    pub id: String,
    pub title: String,
    pub file_name: String,
    pub source: String,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct KnowledgeParts(String, String, String, String, Option<String>);

/// In no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Those asked for and those beside them: parents, related ones, neighbours of texts.
    pub chunks: Vec<FoundChunk>,
    /// The documents of those asked for.
    pub knowledge: Vec<FoundKnowledge>,
}

/// ?1 tenant, ?2 ids, ?3 knowledge base. The plus signs keep the planner from the other indexes: ids are few, and a base may hold a million chunks.
const QUERY: &str = "with hits as materialized (\
     select id, knowledge_id, chunk_type, pre_chunk_id, next_chunk_id, parent_chunk_id, relation_chunks from chunks \
     where id in (select value from json_each(?2)) \
     and +tenant_id = ?1 and +knowledge_base_id = ?3 and +is_enabled = 1 and +deleted_at is null) \
     select (select json_group_array(json_array(id, knowledge_id, content, chunk_index, start_at, end_at, coalesce(pre_chunk_id, ''), \
     coalesce(next_chunk_id, ''), chunk_type, coalesce(parent_chunk_id, ''), json(coalesce(relation_chunks, '[]')), \
     coalesce(image_info, ''))) from chunks where id in (select value from json_each(?2) \
     union all select parent_chunk_id from hits where parent_chunk_id <> '' \
     union all select next_chunk_id from hits where chunk_type = 'text' and next_chunk_id <> '' \
     union all select pre_chunk_id from hits where chunk_type = 'text' and pre_chunk_id <> '' \
     union all select related.value from hits, json_each(hits.relation_chunks) as related where hits.relation_chunks is not null) \
     and +tenant_id = ?1 and +knowledge_base_id = ?3 and +is_enabled = 1 and +deleted_at is null), \
     (select json_group_array(json_array(id, title, coalesce(file_name, ''), source, metadata)) from knowledges \
     where id in (select knowledge_id from hits) and +tenant_id = ?1 and enable_status = 'enabled' and deleted_at is null)";

impl Store {
    /// What exists and is enabled of `ids` in a knowledge base, with what stands beside it.
    pub async fn find_found<S: AsRef<str>>(&self, scope: &TenantScope, knowledge_base_id: &str, ids: &[S]) -> Result<Found> {
        if ids.is_empty() {
            return Ok(Found::default());
        }
        let (chunks, knowledge): (String, String) = sqlx::query_as(QUERY)
            .bind(scope.tenant_id().0)
            .bind(id_list(ids))
            .bind(knowledge_base_id)
            .fetch_one(self.reader())
            .await
            .map_err(fault("reading what was found"))?;
        let parts: Vec<KnowledgeParts> = from_json("knowledges", &knowledge)?;
        Ok(Found { chunks: from_json("chunks", &chunks)?, knowledge: parts.into_iter().map(found_knowledge).collect::<Result<_>>()? })
    }
}

fn found_knowledge(parts: KnowledgeParts) -> Result<FoundKnowledge> {
    let KnowledgeParts(id, title, file_name, source, metadata) = parts;
    let metadata: Option<BTreeMap<String, String>> = metadata.as_deref().map_or(Ok(None), |text| from_json("knowledges.metadata", text))?;
    Ok(FoundKnowledge { id, title, file_name, source, metadata: metadata.unwrap_or_default() })
}
