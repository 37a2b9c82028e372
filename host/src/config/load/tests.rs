use super::*;

fn with(yaml: &str, environment: &[(&str, &str)]) -> Result<Settings, LoadError> {
    let environment: BTreeMap<String, String> = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut entries = flatten_yaml(BUILTIN, "built-in defaults")?;
    let mut without_effect = Vec::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, yaml).expect("written");
    read_file(&path, &environment, &mut entries, &mut without_effect)?;
    apply_environment(&environment, &[], &mut entries, &mut without_effect)?;
    settings(&entries, &environment, without_effect)
}

fn refused(yaml: &str, environment: &[(&str, &str)]) -> String {
    with(yaml, environment).map(|_| ()).expect_err("is refused").to_string()
}

#[test]
fn every_key_of_the_shipped_file_is_known_and_has_a_value() {
    let entries = flatten_yaml(BUILTIN, "built-in defaults").expect("readable");
    for key in entries.keys() {
        assert_eq!(keys::has_effect(key), Some(true), "{key}");
    }
    for (key, effect) in keys::FILE_KEYS {
        let leaf = key.rsplit('.').next().expect("a name");
        assert!(!effect || BUILTIN.contains(&format!("{leaf}:")), "{key} is not described in config.yaml");
    }
    let conversation = builtin_conversation();
    assert!(conversation.summary.context_template.contains("{{range"));
    assert_eq!(conversation.summary.no_match_prefix, "<think>\n</think>\nNO_MATCH");
}

#[test]
fn later_layers_win() {
    let settings = with(
        "conversation:\n  max_rounds: 7\n  embedding_top_k: 3\n",
        &[("CONVERSATION_MAX_ROUNDS", "9"), ("KNOWHOST_LISTEN", "127.0.0.1:0")],
    )
    .expect("accepted");
    assert_eq!(settings.conversation.max_rounds, 9);
    assert_eq!(settings.conversation.embedding_top_k, 3);
    assert_eq!(settings.listen.port(), 0);
}

#[test]
fn server_host_and_port_of_the_reference_are_heard() {
    let settings = with("server:\n  host: 0.0.0.0\n  port: 9000\n", &[]).expect("accepted");
    assert_eq!(settings.listen.to_string(), "0.0.0.0:9000");
    let settings = with("server:\n  port: 9000\n", &[("KNOWHOST_LISTEN", "127.0.0.1:1")]).expect("accepted");
    assert_eq!(settings.listen.to_string(), "127.0.0.1:1");
}

#[test]
fn names_in_braces_are_replaced_where_they_are_set() {
    let settings = with("conversation:\n  fallback_response: \"${GREETING} ${NOBODY}\"\n", &[("GREETING", "hello")]).expect("accepted");
    assert_eq!(settings.conversation.fallback_response, "hello ${NOBODY}");
}

#[test]
fn mistakes_are_named_with_key_place_and_accepted_values() {
    let text = refused("conversation:\n  max_round: 7\n", &[]);
    assert!(text.contains("conversation.max_round") && text.contains("config.yaml") && text.contains("max_rounds"), "{text}");
    let text = refused("knowhost:\n  fusion: best\n", &[]);
    assert!(text.contains("rank or reference"), "{text}");
    let text = refused("", &[("KNOWHOST_LISTEN", "here")]);
    assert!(text.contains("KNOWHOST_LISTEN") && text.contains("127.0.0.1:8080"), "{text}");
    let text = refused("", &[("KNOWHOST_LISTENS", "x")]);
    assert!(text.contains("KNOWHOST_LISTEN,"), "{text}");
    let text = refused("conversation:\n  vector_threshold: 5\n", &[]);
    assert!(text.contains("from 0 to 1"), "{text}");
    let text = refused("", &[("TENANT_AES_KEY", "short")]);
    assert!(text.contains("16, 24 or 32"), "{text}");
    let text = refused("conversation: [1\n", &[]);
    assert!(text.contains("YAML"), "{text}");
}

#[test]
fn keys_of_the_reference_without_effect_are_listed_once() {
    let settings =
        with("knowledge_base:\n  chunk_size: 512\nvector_database:\n  driver: x\n", &[("DB_DRIVER", "postgres")]).expect("accepted");
    assert_eq!(settings.without_effect, ["DB_DRIVER", "knowledge_base", "vector_database"]);
}

/// Every variable that the reference, its document reader or its compose file knows.
const REFERENCE: &str = "GIN_MODE DB_DRIVER DB_HOST DB_PORT DB_USER DB_PASSWORD DB_NAME RETRIEVE_DRIVER ELASTICSEARCH_ADDR ELASTICSEARCH_USERNAME \
    ELASTICSEARCH_PASSWORD ELASTICSEARCH_INDEX STORAGE_TYPE LOCAL_STORAGE_BASE_DIR MINIO_ENDPOINT MINIO_ACCESS_KEY_ID MINIO_SECRET_ACCESS_KEY \
    MINIO_BUCKET_NAME MINIO_PUBLIC_ENDPOINT MINIO_USE_SSL MINIO_PATH_PREFIX COS_SECRET_ID COS_SECRET_KEY COS_REGION COS_BUCKET_NAME \
    COS_PATH_PREFIX COS_APP_ID COS_ENABLE_OLD_DOMAIN STREAM_MANAGER_TYPE REDIS_ADDR REDIS_PASSWORD REDIS_DB REDIS_PREFIX TENANT_AES_KEY \
    ENABLE_GRAPH_RAG NEO4J_ENABLE NEO4J_URI NEO4J_USERNAME NEO4J_PASSWORD CONCURRENCY_POOL_SIZE OLLAMA_BASE_URL OLLAMA_OPTIONAL \
    DOCREADER_ADDR OTEL_EXPORTER_OTLP_ENDPOINT APP_PORT FRONTEND_PORT DOCREADER_PORT MINIO_PORT MINIO_CONSOLE_PORT INIT_LLM_MODEL_NAME \
    INIT_EMBEDDING_MODEL_NAME INIT_RERANK_MODEL_NAME GRPC_PORT GRPC_MAX_WORKERS OCR_BACKEND OCR_API_BASE_URL OCR_API_KEY OCR_MODEL \
    VLM_MODEL_BASE_URL VLM_MODEL_NAME VLM_MODEL_API_KEY VLM_INTERFACE_TYPE WEB_PROXY EXTERNAL_HTTP_PROXY EXTERNAL_HTTPS_PROXY \
    MINERU_ENDPOINT LIBREOFFICE_PATH ANTIWORD_PATH TZ DISABLE_REGISTRATION JWT_SECRET";

#[test]
fn every_variable_of_the_reference_works_or_is_said_to_have_no_effect() {
    let example = include_str!("../../../../.env.example");
    let stated = |name: &str| {
        let whole = format!("# {name}");
        let family =
            keys::REFERENCE_PREFIXES_WITHOUT_EFFECT.iter().find(|prefix| name.starts_with(**prefix)).map(|prefix| format!("# {prefix}*"));
        example.lines().any(|line| line == whole || line.starts_with(&format!("{whole}=")) || family.as_deref() == Some(line))
    };
    for name in REFERENCE.split_whitespace() {
        let works = keys::REFERENCE_VARIABLES.contains(&name);
        assert_ne!(works, keys::variable_without_effect(name), "{name} must be in one of the two lists");
        assert!(stated(name), "{name} is missing in .env.example");
        if !works {
            let settings = with("", &[(name, "anything at all")]).expect("starts");
            assert_eq!(settings.without_effect, [name]);
        }
    }
}

#[test]
fn variables_of_the_reference_that_work_set_something() {
    let settings = with("", &[("TZ", "CST-8"), ("OLLAMA_BASE_URL", "http://models:1"), ("CONCURRENCY_POOL_SIZE", "9")]).expect("accepted");
    assert_eq!(settings.zone, crate::domain::Zone::named("CST-8").expect("a zone"));
    assert_eq!((settings.ollama_base_url.as_str(), settings.concurrency_pool_size), ("http://models:1", 9));
    let key = "0123456789abcdef";
    let settings = with("", &[("TENANT_AES_KEY", key), ("JWT_SECRET", "s"), ("DISABLE_REGISTRATION", "true")]).expect("accepted");
    assert_eq!((settings.tenant_aes_key.as_deref(), settings.jwt_secret.as_deref()), (Some(key), Some("s")));
    assert!(settings.disable_registration);
    let settings = with("", &[("OLLAMA_OPTIONAL", "true"), ("NEO4J_ENABLE", "True")]).expect("accepted");
    assert!(settings.ollama_optional && settings.graph_enabled && !settings.minio_configured);
    let settings = with("", &[("OLLAMA_OPTIONAL", "1"), ("ENABLE_GRAPH_RAG", "true"), ("MINIO_ACCESS_KEY_ID", "a")]).expect("accepted");
    assert!(!settings.ollama_optional && settings.graph_enabled && !settings.minio_configured);
    let settings =
        with("", &[("MINIO_SECRET_ACCESS_KEY", "s"), ("MINIO_ACCESS_KEY_ID", "a"), ("ENABLE_GRAPH_RAG", "1")]).expect("accepted");
    assert!(settings.minio_configured && !settings.graph_enabled);
    let text = refused("", &[("TZ", "Nowhere/Land")]);
    assert!(text.contains("TZ") && text.contains("Asia/Shanghai"), "{text}");
}

#[test]
fn the_example_of_the_environment_names_every_variable_that_works() {
    let example = include_str!("../../../../.env.example");
    let names = keys::OWN_VARIABLES.iter().map(|(name, _)| *name).chain(keys::REFERENCE_VARIABLES.iter().copied());
    for name in names.chain(["KNOWHOST_OPERATOR_KEY", "KNOWHOST_CONFIG"]) {
        assert!(example.contains(&format!("# {name}=")), "{name} is missing");
    }
    for line in example.lines().filter_map(|line| line.strip_prefix("# ")) {
        let Some((name, _)) = line.split_once('=') else { continue };
        if name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') {
            let known = keys::REFERENCE_VARIABLES.contains(&name)
                || keys::OWN_VARIABLES.iter().any(|(own, _)| *own == name)
                || keys::OWN_VARIABLES_ELSEWHERE.contains(&name)
                || keys::variable_without_effect(name);
            assert!(known, "{name} is unknown to the server");
        }
    }
}
