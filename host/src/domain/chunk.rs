//! Pieces of a document, as they are indexed.

use super::knowledge::words;
use super::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Chunk {
    pub id: String,
    pub tenant_id: TenantId,
    pub knowledge_id: String,
    pub knowledge_base_id: String,
    pub content: String,
    /// Place in its knowledge.
    pub chunk_index: i64,
    pub is_enabled: bool,
    /// Code point offsets in the parsed text; the end is exclusive.
    pub start_at: i64,
    pub end_at: i64,
    /// Empty: none.
    pub pre_chunk_id: String,
    pub next_chunk_id: String,
    pub chunk_type: ChunkType,
    pub parent_chunk_id: String,
    pub relation_chunks: Option<Vec<String>>,
    pub indirect_relation_chunks: Option<Vec<String>>,
    /// JSON text of a list of [`ImageInfo`], or empty.
    pub image_info: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

words!(ChunkType {
    Text = "text",
    ImageOcr = "image_ocr",
    ImageCaption = "image_caption",
    Summary = "summary",
    Entity = "entity",
    Relationship = "relationship",
});

impl ChunkType {
    pub const ALL: [Self; 6] = [Self::Text, Self::ImageOcr, Self::ImageCaption, Self::Summary, Self::Entity, Self::Relationship];
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageInfo {
    pub url: String,
    pub original_url: String,
    pub start_pos: i64,
    pub end_pos: i64,
    pub caption: String,
    pub ocr_text: String,
}
