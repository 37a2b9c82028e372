//! Plain types and ids that every room shares.
//!
//! No input or output, no SQL, no runtime. Serde derives stand here because the JSON columns of the schema and the answers of the API share these shapes.

mod chunk;
mod evaluation;
mod job;
mod knowledge;
mod knowledge_base;
mod message;
mod model;
mod scope;
mod session;
mod tenant;
pub mod timestamp;
pub mod zone;

pub use chunk::{Chunk, ChunkType, ImageInfo};
pub use evaluation::{
    Evaluation, EvaluationMetric, EvaluationParams, EvaluationStatus, EvaluationTask, GenerationMetrics, QuestionScores, RetrievalMetrics,
};
pub use job::{Job, JobKind, JobProgress, JobState, NewJob};
pub use knowledge::{EnableStatus, Knowledge, KnowledgeKind, ParseStatus};
pub use knowledge_base::{
    ChunkingConfig, ExtractConfig, GraphNode, GraphRelation, ImageProcessingConfig, KnowledgeBase, StorageConfig, VlmConfig,
};
pub use message::{MatchType, Message, Role, SearchResult};
pub use model::{EmbeddingParameters, Model, ModelParameters, ModelStatus, ModelType};
pub use scope::{ScopeOf, TenantId, TenantScope};
pub use session::{Session, SummaryParameters};
pub use tenant::{AuthToken, RetrieverEngine, RetrieverEngines, Tenant, TokenType, User};
pub use timestamp::Timestamp;
pub use zone::Zone;
