//! What stands beside a hit: the chunk it is a part of, chunks related to it, and its neighbours.
//!
//! Not here: finding the hits.

use super::Explain;
use crate::domain::{ChunkType, MatchType, SearchResult, TenantScope};
use crate::error::Result;
use crate::store::{FoundChunk, FoundKnowledge, Store};
use std::collections::{HashMap, HashSet};

/// A found chunk with what ranks it (`rank_score`, never shown) and, when asked for, why.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub result: SearchResult,
    pub rank_score: f64,
    pub explain: Option<Explain>,
}

/// A hit before its chunk was read.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub chunk_id: String,
    pub score: f64,
    pub match_type: MatchType,
    pub rank_score: f64,
    pub explain: Option<Explain>,
}

/// Expansions rank after every direct hit, in the order of the hits that brought them.
const EXPANSION_RANK: f64 = 1e-6;
/// A parent ranks right after its child, whose place it takes when the child is not shown.
const PARENT_RANK: f64 = 1.0 - 1e-9;

/// Reads the chunks of the hits and of what stands beside them; best first. What is disabled, deleted or of another base is left out.
pub(super) async fn expand(store: &Store, scope: &TenantScope, knowledge_base_id: &str, hits: Vec<Hit>) -> Result<Vec<Candidate>> {
    let ids: Vec<&str> = hits.iter().map(|hit| hit.chunk_id.as_str()).collect();
    let found = store.find_found(scope, knowledge_base_id, &ids).await?;
    let chunks: HashMap<&str, &FoundChunk> = found.chunks.iter().map(|chunk| (chunk.id.as_str(), chunk)).collect();
    let knowledge: HashMap<&str, &FoundKnowledge> = found.knowledge.iter().map(|knowledge| (knowledge.id.as_str(), knowledge)).collect();
    let hits: Vec<Hit> = hits.into_iter().filter(|hit| chunks.contains_key(hit.chunk_id.as_str())).collect();

    // Direct hits are known first, so that nothing that stands beside one can take its place.
    let mut seen: HashSet<&str> = hits.iter().filter_map(|hit| chunks.get(hit.chunk_id.as_str())).map(|chunk| chunk.id.as_str()).collect();
    let mut beside = Vec::new();
    for (kind, links) in [(MatchType::Parent, parent as Links), (MatchType::Relation, relations), (MatchType::Neighbour, neighbours)] {
        for hit in &hits {
            let Some(chunk) = chunks.get(hit.chunk_id.as_str()) else { continue };
            for id in links(chunk) {
                if !id.is_empty() && seen.insert(id) {
                    beside.push(stands_beside(hit, id.to_owned(), kind));
                }
            }
        }
    }
    let candidate = |hit: Hit| {
        let chunk = chunks.get(hit.chunk_id.as_str()).filter(|chunk| is_shown(chunk.chunk_type))?;
        let knowledge = knowledge.get(chunk.knowledge_id.as_str())?;
        Some(Candidate { rank_score: hit.rank_score, explain: hit.explain, result: result(chunk, knowledge, hit.score, hit.match_type) })
    };
    let mut candidates: Vec<Candidate> = hits.into_iter().chain(beside).filter_map(candidate).collect();
    candidates.sort_by(|a, b| b.rank_score.total_cmp(&a.rank_score).then_with(|| places(&a.result).cmp(&places(&b.result))));
    Ok(candidates)
}

/// What orders a tie: the place in the document, because ids are another each time that a document is stored.
fn places(result: &SearchResult) -> (&str, i64, &str) {
    (&result.knowledge_id, result.chunk_index, &result.id)
}

type Links = fn(&FoundChunk) -> Vec<&str>;

fn parent(chunk: &FoundChunk) -> Vec<&str> {
    vec![&chunk.parent_chunk_id]
}

fn relations(chunk: &FoundChunk) -> Vec<&str> {
    chunk.relation_chunks.iter().map(String::as_str).collect()
}

fn neighbours(chunk: &FoundChunk) -> Vec<&str> {
    let has_neighbours = chunk.chunk_type == ChunkType::Text;
    if has_neighbours { vec![&chunk.next_chunk_id, &chunk.pre_chunk_id] } else { Vec::new() }
}

fn stands_beside(hit: &Hit, chunk_id: String, kind: MatchType) -> Hit {
    let is_parent = kind == MatchType::Parent;
    Hit {
        chunk_id,
        score: if is_parent { hit.score } else { 0.0 },
        match_type: kind,
        rank_score: hit.rank_score * if is_parent { PARENT_RANK } else { EXPANSION_RANK },
        explain: hit.explain.as_ref().map(|explain| Explain { beside: Some(hit.chunk_id.clone()), ..explain.clone() }),
    }
}

/// Pictures, entities and relations are found, but shown as the texts that they belong to.
fn is_shown(chunk_type: ChunkType) -> bool {
    match chunk_type {
        ChunkType::Text | ChunkType::Summary => true,
        ChunkType::ImageOcr | ChunkType::ImageCaption | ChunkType::Entity | ChunkType::Relationship => false,
    }
}

fn result(chunk: &FoundChunk, knowledge: &FoundKnowledge, score: f64, match_type: MatchType) -> SearchResult {
    SearchResult {
        id: chunk.id.clone(),
        content: chunk.content.clone(),
        knowledge_id: chunk.knowledge_id.clone(),
        chunk_index: chunk.chunk_index,
        knowledge_title: knowledge.title.clone(),
        start_at: chunk.start_at,
        end_at: chunk.end_at,
        seq: chunk.chunk_index,
        score,
        match_type,
        sub_chunk_id: None,
        metadata: Some(knowledge.metadata.clone()),
        chunk_type: chunk.chunk_type,
        parent_chunk_id: chunk.parent_chunk_id.clone(),
        image_info: chunk.image_info.clone(),
        knowledge_filename: knowledge.file_name.clone(),
        knowledge_source: knowledge.source.clone(),
    }
}
