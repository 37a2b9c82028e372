//! Reads the layers, names what is wrong and where it stands.

use super::value::{Entries, Entry, LoadError, as_boolean, as_number, as_text, boolean, entry, list, number, set, text, word};
use super::{Conversation, Fusion, Settings, TenantCreation, keys, prompt};
use crate::domain::Zone;
use config::{Config, File, FileFormat};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

const BUILTIN: &str = include_str!("../../../config/config.yaml");
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the command line sets; it wins over everything else.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub listen: Option<String>,
    pub data_dir: Option<PathBuf>,
}

/// Reads all layers. `.env` of the working folder counts as environment, but never overrides it.
pub fn load(flags: &Flags) -> Result<Settings, LoadError> {
    let (environment, from_dotenv) = environment()?;
    let mut entries = flatten_yaml(BUILTIN, "built-in defaults")?;
    let mut without_effect = Vec::new();
    if let Some(path) = config_file(flags, &environment)? {
        read_file(&path, &environment, &mut entries, &mut without_effect)?;
    }
    apply_environment(&environment, &from_dotenv, &mut entries, &mut without_effect)?;
    if let Some(listen) = &flags.listen {
        set(&mut entries, "knowhost.listen", Value::from(listen.as_str()), "--listen");
    }
    if let Some(data_dir) = &flags.data_dir {
        set(&mut entries, "knowhost.data_dir", Value::from(data_dir.to_string_lossy().into_owned()), "--data-dir");
    }
    settings(&entries, &environment, without_effect)
}

/// A variable that the command line names, such as one that holds a secret.
pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

/// The conversation of the built-in file alone.
pub(super) fn builtin_conversation() -> Conversation {
    let built = flatten_yaml(BUILTIN, "built-in defaults").and_then(|entries| conversation(&entries));
    #[expect(clippy::expect_used, reason = "Invariant: the built-in file is part of the binary and a test reads it")]
    built.expect("the built-in configuration is valid")
}

/// Variables that are set and not empty, and those of them that come from `.env`.
fn environment() -> Result<(BTreeMap<String, String>, Vec<String>), LoadError> {
    let mut variables: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    let mut from_dotenv = Vec::new();
    match dotenvy::from_path_iter(".env") {
        Ok(lines) => {
            for line in lines {
                let (name, value) = line.map_err(|error| LoadError::new("a line", ".env", format!("{error}; write NAME=value")))?;
                if let btree_map::Entry::Vacant(place) = variables.entry(name) {
                    from_dotenv.push(place.key().clone());
                    place.insert(value);
                }
            }
        }
        Err(error) if error.not_found() => {}
        Err(error) => return Err(LoadError::new("the file", ".env", error.to_string())),
    }
    variables.retain(|_, value| !value.is_empty());
    Ok((variables, from_dotenv))
}

fn config_file(flags: &Flags, environment: &BTreeMap<String, String>) -> Result<Option<PathBuf>, LoadError> {
    let named = flags.config.clone().or_else(|| environment.get("KNOWHOST_CONFIG").map(PathBuf::from));
    if let Some(path) = named {
        if path.is_file() {
            return Ok(Some(path));
        }
        return Err(LoadError::new("--config", path.display().to_string(), "there is no such file"));
    }
    Ok(["config.yaml", "config/config.yaml"].into_iter().map(PathBuf::from).find(|path| path.is_file()))
}

fn read_file(
    path: &Path,
    environment: &BTreeMap<String, String>,
    entries: &mut Entries,
    without_effect: &mut Vec<String>,
) -> Result<(), LoadError> {
    let place = path.display().to_string();
    let size = std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
    if size > FILE_BYTES_MAX {
        return Err(LoadError::new("the file", place, format!("{size} bytes are too many; {FILE_BYTES_MAX} are accepted")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::new("the file", place.as_str(), error.to_string()))?;
    for (key, entry) in flatten_yaml(&expand(&text, environment), &place)? {
        match keys::has_effect(&key) {
            Some(true) => {
                entries.insert(key, entry);
            }
            Some(false) => without_effect.push(key),
            None => return Err(LoadError::new(&key, place, unknown_key(&key))),
        }
    }
    Ok(())
}

fn unknown_key(key: &str) -> String {
    let section = key.rsplit_once('.').map_or("", |(section, _)| section);
    let near: Vec<&str> = keys::FILE_KEYS
        .iter()
        .filter_map(|(name, _)| name.rsplit_once('.').filter(|(parent, _)| *parent == section).map(|(_, leaf)| leaf))
        .collect();
    if near.is_empty() {
        "no such section; the sections are knowhost, server, conversation, conversation.summary and those of the reference".to_owned()
    } else {
        format!("no such key; {section} has {}", near.join(", "))
    }
}

fn apply_environment(
    environment: &BTreeMap<String, String>,
    from_dotenv: &[String],
    entries: &mut Entries,
    without_effect: &mut Vec<String>,
) -> Result<(), LoadError> {
    let place = |name: &str| if from_dotenv.iter().any(|other| other == name) { ".env" } else { "environment" };
    for (key, effect) in keys::FILE_KEYS {
        let name = key.replace('.', "_").to_uppercase();
        if key.starts_with("knowhost.") {
            continue;
        }
        if let (true, Some(value)) = (*effect, environment.get(&name)) {
            set(entries, key, Value::from(value.as_str()), &format!("{name} in {}", place(&name)));
        }
    }
    for (name, value) in environment {
        if let Some((_, key)) = keys::OWN_VARIABLES.iter().find(|(own, _)| own == name) {
            set(entries, key, Value::from(value.as_str()), &format!("{name} in {}", place(name)));
        } else if name.starts_with("KNOWHOST_")
            && !name.starts_with("KNOWHOST_TEST_")
            && !keys::OWN_VARIABLES_ELSEWHERE.contains(&name.as_str())
        {
            let names: Vec<&str> =
                keys::OWN_VARIABLES.iter().map(|(own, _)| *own).chain(keys::OWN_VARIABLES_ELSEWHERE.iter().copied()).collect();
            return Err(LoadError::new(name, place(name), format!("no such variable; there are {}", names.join(", "))));
        } else if keys::variable_without_effect(name) {
            without_effect.push(name.clone());
        }
    }
    Ok(())
}

/// `${NAME}` becomes the variable's value where it is set, and stays otherwise.
fn expand(text: &str, environment: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let Some(end) = tail.find('}') else {
            rest = tail;
            break;
        };
        match environment.get(&tail[2..end]) {
            Some(value) => out.push_str(value),
            None => out.push_str(&tail[..=end]),
        }
        rest = &tail[end + 1..];
    }
    out.push_str(rest);
    out
}

fn flatten_yaml(text: &str, place: &str) -> Result<Entries, LoadError> {
    let tree: Value = Config::builder()
        .add_source(File::from_str(text, FileFormat::Yaml))
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| LoadError::new("the file", place, format!("is not readable YAML: {error}")))?;
    let mut entries = Entries::new();
    if let Value::Object(map) = tree {
        flatten("", map, place, &mut entries);
    }
    Ok(entries)
}

fn flatten(prefix: &str, map: Map<String, Value>, place: &str, entries: &mut Entries) {
    for (name, value) in map {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(inner) if keys::has_effect(&key).is_none() => flatten(&key, inner, place, entries),
            Value::Null => {}
            value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                entries.insert(key, Entry { value, place: place.to_owned() });
            }
        }
    }
}

fn settings(entries: &Entries, environment: &BTreeMap<String, String>, mut without_effect: Vec<String>) -> Result<Settings, LoadError> {
    without_effect.sort();
    without_effect.dedup();
    let variable = |name: &str| environment.get(name).cloned();
    let bad = |key: &str, problem: String| LoadError::new(key, "environment or .env", problem);
    let tenant_aes_key = variable("TENANT_AES_KEY");
    if let Some(key) = &tenant_aes_key
        && !matches!(key.len(), 16 | 24 | 32)
    {
        return Err(bad("TENANT_AES_KEY", format!("has {} bytes; 16, 24 or 32 are accepted", key.len())));
    }
    let ollama_base_url = variable("OLLAMA_BASE_URL").unwrap_or_else(|| "http://localhost:11434".to_owned());
    if !url::Url::parse(&ollama_base_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Err(bad("OLLAMA_BASE_URL", format!("{ollama_base_url:?} is no address; write http://host:11434")));
    }
    let concurrency_pool_size = match variable("CONCURRENCY_POOL_SIZE") {
        None => 5,
        Some(text) => match text.parse::<usize>() {
            Ok(size) if (1..=1024).contains(&size) => size,
            _ => return Err(bad("CONCURRENCY_POOL_SIZE", format!("{text:?} is not accepted; write a number from 1 to 1024"))),
        },
    };
    Ok(Settings {
        listen: listen(entries)?,
        data_dir: PathBuf::from(text(entries, "knowhost.data_dir")?),
        sample: boolean(entries, "knowhost.sample")?,
        dataset_dir: PathBuf::from(text(entries, "knowhost.dataset_dir")?),
        private_hosts: list(entries, "knowhost.private_hosts")?,
        tenant_creation: word(
            entries,
            "knowhost.tenant_creation",
            &[("anyone", TenantCreation::Anyone), ("operator", TenantCreation::Operator)],
        )?,
        fusion: word(entries, "knowhost.fusion", &[("rank", Fusion::Rank), ("reference", Fusion::Reference)])?,
        log: text(entries, "knowhost.log")?,
        ingest_workers: number(entries, "knowhost.ingest_workers", 0.0, 256.0)? as usize,
        shutdown_timeout_s: shutdown_timeout(entries)?,
        conversation: conversation(entries)?,
        tenant_aes_key,
        jwt_secret: variable("JWT_SECRET"),
        operator_key: variable("KNOWHOST_OPERATOR_KEY"),
        disable_registration: match variable("DISABLE_REGISTRATION").as_deref() {
            None | Some("false" | "0" | "no") => false,
            Some("true" | "1" | "yes") => true,
            Some(other) => return Err(bad("DISABLE_REGISTRATION", format!("{other:?} is not accepted; write true or false"))),
        },
        ollama_base_url,
        ollama_optional: variable("OLLAMA_OPTIONAL").as_deref() == Some("true"),
        graph_enabled: variable("ENABLE_GRAPH_RAG").as_deref() == Some("true")
            || variable("NEO4J_ENABLE").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        minio_configured: variable("MINIO_ACCESS_KEY_ID").is_some() && variable("MINIO_SECRET_ACCESS_KEY").is_some(),
        concurrency_pool_size,
        zone: match variable("TZ") {
            None => Zone::of_machine(),
            Some(name) => Zone::named(&name).ok_or_else(|| {
                bad("TZ", format!("{name:?} is no time zone of this machine; write a name like Asia/Shanghai or a rule like CST-8"))
            })?,
        },
        without_effect,
    })
}

fn conversation(entries: &Entries) -> Result<Conversation, LoadError> {
    for key in ["keyword_threshold", "vector_threshold", "rerank_threshold"] {
        number(entries, &format!("conversation.{key}"), 0.0, 1.0)?;
    }
    for key in ["max_rounds", "embedding_top_k", "rerank_top_k"] {
        number(entries, &format!("conversation.{key}"), 0.0, 1_000.0)?;
    }
    let mut tree = Map::new();
    let mut summary = Map::new();
    for (key, entry) in entries {
        let Some(name) = key.strip_prefix("conversation.") else { continue };
        match name.strip_prefix("summary.") {
            Some(name) => summary.insert(name.to_owned(), typed(key, entry)?),
            None => tree.insert(name.to_owned(), typed(key, entry)?),
        };
    }
    for (name, text) in [
        ("prompt", prompt::answer_system()),
        ("context_template", prompt::answer_context()),
        ("no_match_prefix", prompt::no_match_prefix()),
    ] {
        summary.entry(name).or_insert(Value::from(text));
    }
    tree.insert("summary".to_owned(), Value::Object(summary));
    serde_json::from_value(Value::Object(tree)).map_err(|error| LoadError::new("conversation", "settings", error.to_string()))
}

/// Texts from the environment become the type that the built-in value of the key has.
fn typed(key: &str, entry: &Entry) -> Result<Value, LoadError> {
    let wants_number = key.ends_with("_threshold")
        || key.ends_with("_top_k")
        || key.ends_with(".max_rounds")
        || (key.starts_with("conversation.summary.")
            && !["prompt", "context_template", "no_match_prefix"].iter().any(|text| key.ends_with(text)));
    let wants_boolean = key.ends_with(".enable_rewrite") || key.ends_with(".enable_rerank");
    if wants_boolean {
        return as_boolean(key, entry).map(Value::from);
    }
    if !wants_number {
        return as_text(key, entry).map(Value::from);
    }
    let number = as_number(key, entry)?;
    let whole = ["max_rounds", "embedding_top_k", "rerank_top_k", "max_tokens", "summary.top_k", "seed", "max_completion_tokens"];
    if !whole.iter().any(|name| key.ends_with(name)) {
        return Ok(Value::from(number));
    }
    if number.fract() != 0.0 {
        return Err(LoadError::new(key, &entry.place, format!("{number} is not a whole number")));
    }
    Ok(Value::from(number as i64))
}

fn listen(entries: &Entries) -> Result<SocketAddr, LoadError> {
    let own = entry(entries, "knowhost.listen")?;
    let from_server = entries.contains_key("server.port") || entries.contains_key("server.host");
    if own.place == "built-in defaults" && from_server {
        let host = entries.get("server.host").map_or(Ok("127.0.0.1".to_owned()), |entry| as_text("server.host", entry))?;
        let address: IpAddr = match host.as_str() {
            "localhost" => IpAddr::from([127, 0, 0, 1]),
            other => other.parse().map_err(|_| {
                LoadError::new(
                    "server.host",
                    entries.get("server.host").map_or("", |e| e.place.as_str()),
                    format!("{other:?} is no IP address"),
                )
            })?,
        };
        let port = if entries.contains_key("server.port") { number(entries, "server.port", 0.0, 65_535.0)? as u16 } else { 8080 };
        return Ok(SocketAddr::new(address, port));
    }
    let text = as_text("knowhost.listen", own)?;
    let text = text.replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        LoadError::new("knowhost.listen", &own.place, format!("{text:?} is not accepted; write address:port, for example 127.0.0.1:8080"))
    })
}

/// A number of seconds, or a Go duration such as `30s` or `1m30s`.
fn shutdown_timeout(entries: &Entries) -> Result<u64, LoadError> {
    let key = "server.shutdown_timeout";
    let entry = entry(entries, key)?;
    if let Ok(seconds) = as_number(key, entry) {
        return Ok(seconds.clamp(0.0, 3_600.0) as u64);
    }
    let text = as_text(key, entry)?;
    let mut seconds = 0;
    let mut digits = String::new();
    for letter in text.chars() {
        match (letter, digits.parse::<u64>()) {
            ('0'..='9', _) => digits.push(letter),
            ('h', Ok(count)) => seconds += count * 3_600,
            ('m', Ok(count)) => seconds += count * 60,
            ('s', Ok(count)) => seconds += count,
            _ => {
                return Err(LoadError::new(key, &entry.place, format!("{text:?} is not accepted; write seconds (30) or a duration (30s)")));
            }
        }
        if !letter.is_ascii_digit() {
            digits.clear();
        }
    }
    Ok(seconds.min(3_600))
}

#[cfg(test)]
mod tests;
