//! Turns of a conversation and the passages they cite.

use super::knowledge::words;
use super::{ChunkType, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message {
    pub id: String,
    pub session_id: String,
    pub request_id: String,
    pub content: String,
    pub role: Role,
    pub knowledge_references: Vec<SearchResult>,
    pub is_completed: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

words!(Role { User = "user", Assistant = "assistant", System = "system" });

/// A found chunk, as searches return it, answers cite it and messages keep it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchResult {
    pub id: String,
    pub content: String,
    pub knowledge_id: String,
    pub chunk_index: i64,
    pub knowledge_title: String,
    pub start_at: i64,
    pub end_at: i64,
    pub seq: i64,
    /// In [0, 1]; what is shown, not what ranks.
    pub score: f64,
    #[schema(value_type = u8, minimum = 0, maximum = 6)]
    pub match_type: MatchType,
    /// Chunks merged into this one.
    pub sub_chunk_id: Option<Vec<String>>,
    pub metadata: Option<BTreeMap<String, String>>,
    pub chunk_type: ChunkType,
    pub parent_chunk_id: String,
    pub image_info: String,
    pub knowledge_filename: String,
    pub knowledge_source: String,
}

/// How a chunk came into a result; a number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum MatchType {
    Vector = 0,
    Keywords = 1,
    Neighbour = 2,
    History = 3,
    Parent = 4,
    Relation = 5,
    Graph = 6,
}

impl From<MatchType> for u8 {
    fn from(value: MatchType) -> Self {
        value as Self
    }
}

impl TryFrom<u8> for MatchType {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, Self::Error> {
        Ok(match value {
            0 => Self::Vector,
            1 => Self::Keywords,
            2 => Self::Neighbour,
            3 => Self::History,
            4 => Self::Parent,
            5 => Self::Relation,
            6 => Self::Graph,
            other => return Err(format!("{other} is no match type (0 to 6)")),
        })
    }
}
