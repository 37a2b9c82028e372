//! What the reference calls types in texts about values that do not fit.
//!
//! Not here: the values (`bind`).

/// A request by its own name, with the package that the text puts before it.
pub(super) fn of_request(name: &str) -> String {
    match name {
        "RegisterRequest" | "LoginRequest" | "Tenant" | "KnowledgeBase" | "Knowledge" | "SearchParams" | "Session" => {
            format!("types.{name}")
        }
        _ => format!("handler.{name}"),
    }
}

/// A part of a request by the name of our type; `None` where the reference has an unnamed one.
pub(super) fn of_part(ours: &str) -> Option<&'static str> {
    Some(match ours {
        "EnginesRequest" => "types.RetrieverEngines",
        "RetrieverEngine" => "types.RetrieverEngineParams",
        "ParametersRequest" => "types.ModelParameters",
        "EmbeddingParameters" => "types.EmbeddingParameters",
        "ConfigRequest" => "types.KnowledgeBaseConfig",
        "ChunkingConfig" => "types.ChunkingConfig",
        "ImageProcessingConfig" => "types.ImageProcessingConfig",
        "VlmConfig" => "types.VLMConfig",
        "StorageConfig" => "types.StorageConfig",
        "ExtractConfig" => "types.ExtractConfig",
        "GraphNode" => "types.GraphNode",
        "GraphRelation" => "types.GraphRelation",
        "ImageInfo" => "types.ImageInfo",
        "LlmConfig" => "handler.LLMConfig",
        "StrategyRequest" => "handler.SessionStrategy",
        "SummaryRequest" => "types.SummaryConfig",
        "TitleMessage" => "types.Message",
        "Reference" => "types.SearchResult",
        _ => return None,
    })
}

/// A text by its field, where the reference has a type of its own for it.
pub(super) fn of_text(request: &str, field: &str) -> &'static str {
    match (request, field) {
        ("CreateModelRequest", "type") => "types.ModelType",
        ("CreateModelRequest", "source") => "types.ModelSource",
        ("CreateSessionRequest", "session_strategy.fallback_strategy") | ("Session", "fallback_strategy") => "types.FallbackStrategy",
        _ => "string",
    }
}

/// A list by the Rust name of its type.
pub(super) fn of_list(ours: &str) -> String {
    let item = ours.trim_end_matches('>').rsplit(['<', ':']).next().unwrap_or_default();
    match item {
        "String" => "[]string".to_owned(),
        "f32" => "[]float32".to_owned(),
        "Reference" => "types.References".to_owned(),
        "GraphNode" | "GraphRelation" | "ImageInfo" => format!("[]*types.{item}"),
        other => format!("[]{}", of_part(other).unwrap_or_default()),
    }
}
