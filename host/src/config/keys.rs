//! Which keys and variables exist, and which of the reference's do nothing here.

/// Keys of `config.yaml` by their dotted path; `true` where the key has an effect.
pub(super) const FILE_KEYS: &[(&str, bool)] = &[
    ("knowhost.listen", true),
    ("knowhost.data_dir", true),
    ("knowhost.sample", true),
    ("knowhost.dataset_dir", true),
    ("knowhost.private_hosts", true),
    ("knowhost.tenant_creation", true),
    ("knowhost.fusion", true),
    ("knowhost.log", true),
    ("knowhost.ingest_workers", true),
    ("server.host", true),
    ("server.port", true),
    ("server.shutdown_timeout", true),
    ("server.log_path", false),
    ("conversation.max_rounds", true),
    ("conversation.keyword_threshold", true),
    ("conversation.vector_threshold", true),
    ("conversation.embedding_top_k", true),
    ("conversation.rerank_top_k", true),
    ("conversation.rerank_threshold", true),
    ("conversation.fallback_strategy", true),
    ("conversation.fallback_response", true),
    ("conversation.fallback_prompt", false),
    ("conversation.enable_rewrite", true),
    ("conversation.enable_rerank", true),
    ("conversation.rewrite_prompt_system", true),
    ("conversation.rewrite_prompt_user", true),
    ("conversation.generate_summary_prompt", true),
    ("conversation.generate_session_title_prompt", true),
    ("conversation.keywords_extraction_prompt", false),
    ("conversation.keywords_extraction_prompt_user", false),
    ("conversation.simplify_query_prompt", false),
    ("conversation.simplify_query_prompt_user", false),
    ("conversation.extract_entities_prompt", false),
    ("conversation.extract_relationships_prompt", false),
    ("conversation.summary.max_tokens", true),
    ("conversation.summary.repeat_penalty", true),
    ("conversation.summary.top_k", true),
    ("conversation.summary.top_p", true),
    ("conversation.summary.frequency_penalty", true),
    ("conversation.summary.presence_penalty", true),
    ("conversation.summary.prompt", true),
    ("conversation.summary.context_template", true),
    ("conversation.summary.no_match_prefix", true),
    ("conversation.summary.temperature", true),
    ("conversation.summary.seed", true),
    ("conversation.summary.max_completion_tokens", true),
    ("docreader.addr", false),
];

/// Sections that the reference reads or once read, with whatever is in them.
pub(super) const FILE_SECTIONS_WITHOUT_EFFECT: &[&str] =
    &["knowledge_base", "extract", "tenant", "models", "vector_database", "stream_manager", "asynq", "docreader"];

/// Our own variables, each setting one key.
pub(super) const OWN_VARIABLES: &[(&str, &str)] = &[
    ("KNOWHOST_LISTEN", "knowhost.listen"),
    ("KNOWHOST_DATA_DIR", "knowhost.data_dir"),
    ("KNOWHOST_SAMPLE", "knowhost.sample"),
    ("KNOWHOST_DATASET_DIR", "knowhost.dataset_dir"),
    ("KNOWHOST_PRIVATE_HOSTS", "knowhost.private_hosts"),
    ("KNOWHOST_TENANT_CREATION", "knowhost.tenant_creation"),
    ("KNOWHOST_FUSION", "knowhost.fusion"),
    ("KNOWHOST_LOG", "knowhost.log"),
    ("KNOWHOST_INGEST_WORKERS", "knowhost.ingest_workers"),
];

/// Our own variables that set no key of the file: secrets, and what the build, the tests and the command line use.
pub(super) const OWN_VARIABLES_ELSEWHERE: &[&str] = &[
    "KNOWHOST_OPERATOR_KEY",
    "KNOWHOST_CONFIG",
    "KNOWHOST_API_KEY",
    "KNOWHOST_URL",
    "KNOWHOST_BIN",
    "KNOWHOST_PLUGINS_DIR",
    "KNOWHOST_CACHE",
];

/// Variables of the reference that work here.
#[cfg(test)]
pub(super) const REFERENCE_VARIABLES: &[&str] = &[
    "TENANT_AES_KEY",
    "JWT_SECRET",
    "DISABLE_REGISTRATION",
    "OLLAMA_BASE_URL",
    "OLLAMA_OPTIONAL",
    "CONCURRENCY_POOL_SIZE",
    "TZ",
    "ENABLE_GRAPH_RAG",
    "NEO4J_ENABLE",
    "MINIO_ACCESS_KEY_ID",
    "MINIO_SECRET_ACCESS_KEY",
];

/// Variables of the reference, its document reader and its compose file that do nothing here.
pub(super) const REFERENCE_VARIABLES_WITHOUT_EFFECT: &[&str] = &[
    // Server, database, engines: what runs here is SQLite with the embedded index.
    "GIN_MODE",
    "DB_DRIVER",
    "DB_HOST",
    "DB_PORT",
    "DB_USER",
    "DB_PASSWORD",
    "DB_NAME",
    "RETRIEVE_DRIVER",
    "ELASTICSEARCH_ADDR",
    "ELASTICSEARCH_USERNAME",
    "ELASTICSEARCH_PASSWORD",
    "ELASTICSEARCH_INDEX",
    // Files: they lie in the data folder.
    "STORAGE_TYPE",
    "LOCAL_STORAGE_BASE_DIR",
    "MINIO_ENDPOINT",
    "MINIO_BUCKET_NAME",
    "MINIO_PUBLIC_ENDPOINT",
    "MINIO_USE_SSL",
    "MINIO_PATH_PREFIX",
    "COS_SECRET_ID",
    "COS_SECRET_KEY",
    "COS_REGION",
    "COS_BUCKET_NAME",
    "COS_PATH_PREFIX",
    "COS_APP_ID",
    "COS_ENABLE_OLD_DOMAIN",
    // Streams: they are kept in memory.
    "STREAM_MANAGER_TYPE",
    "REDIS_ADDR",
    "REDIS_PASSWORD",
    "REDIS_DB",
    "REDIS_PREFIX",
    // Graphs: nothing is stored there.
    "NEO4J_URI",
    "NEO4J_USERNAME",
    "NEO4J_PASSWORD",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    // The document reader: documents are parsed in a child process of the server itself.
    "DOCREADER_ADDR",
    "GRPC_PORT",
    "GRPC_MAX_WORKERS",
    "OCR_BACKEND",
    "OCR_API_BASE_URL",
    "OCR_API_KEY",
    "OCR_MODEL",
    "VLM_MODEL_BASE_URL",
    "VLM_MODEL_NAME",
    "VLM_MODEL_API_KEY",
    "VLM_INTERFACE_TYPE",
    "WEB_PROXY",
    "EXTERNAL_HTTP_PROXY",
    "EXTERNAL_HTTPS_PROXY",
    "MINERU_ENDPOINT",
    "LIBREOFFICE_PATH",
    "ANTIWORD_PATH",
    // Compose alone, and what nothing reads any more.
    "APP_PORT",
    "FRONTEND_PORT",
    "DOCREADER_PORT",
    "MINIO_PORT",
    "MINIO_CONSOLE_PORT",
];

/// Families of such variables, by what their names begin with.
pub(super) const REFERENCE_PREFIXES_WITHOUT_EFFECT: &[&str] = &["INIT_LLM_", "INIT_EMBEDDING_", "INIT_RERANK_"];

pub(super) fn variable_without_effect(name: &str) -> bool {
    REFERENCE_VARIABLES_WITHOUT_EFFECT.contains(&name) || REFERENCE_PREFIXES_WITHOUT_EFFECT.iter().any(|prefix| name.starts_with(prefix))
}

pub(super) fn has_effect(path: &str) -> Option<bool> {
    if let Some((_, effect)) = FILE_KEYS.iter().find(|(key, _)| *key == path) {
        return Some(*effect);
    }
    let section = path.split('.').next().unwrap_or(path);
    FILE_SECTIONS_WITHOUT_EFFECT.contains(&section).then_some(false)
}
