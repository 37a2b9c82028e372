//! From TOML to [`Manifest`], with an error for each key that is wrong.
//!
//! Not here: the meaning of the fields (`manifest`).

use super::{AllowedHost, Limits, Manifest, ManifestError, ManifestFile, ManifestModel, ModelKind, Origin, Profile, SecretGrant, Task};
use toml::{Table, Value};

type Result<T> = std::result::Result<T, ManifestError>;

const KEYS: [&str; 15] = [
    "name",
    "title",
    "version",
    "licence",
    "interface",
    "profile",
    "tasks",
    "allowed_hosts",
    "secrets",
    "settings",
    "allowed_models",
    "cache_bytes_max",
    "limits",
    "models",
    "files",
];
const LIMIT_KEYS: [&str; 7] = [
    "turn_ms_max",
    "memory_bytes_max",
    "calls_per_instance_max",
    "open_ops_max",
    "response_bytes_max",
    "exchange_ms_max",
    "texts_per_call_max",
];
const MODEL_KEYS: [&str; 6] = ["kind", "name", "title", "dimension", "digest", "score_map"];
const FILE_KEYS: [&str; 5] = ["name", "sha256", "size_bytes", "url", "member"];
const TASKS: [(&str, Task); 5] =
    [("answer", Task::Answer), ("rewrite", Task::Rewrite), ("summary", Task::Summary), ("title", Task::Title), ("extract", Task::Extract)];
const MODEL_KINDS: [(&str, ModelKind); 3] =
    [("embedder", ModelKind::Embedder), ("reranker", ModelKind::Reranker), ("chat-model", ModelKind::ChatModel)];
const PROFILES: [(&str, Profile); 2] = [("network", Profile::Network), ("compute", Profile::Compute)];
const CAPABILITIES: [&str; 3] = ["chat", "embed", "rerank"];
/// A manifest is read by people before they allow a plugin.
const TOML_BYTES_MAX: usize = 256 << 10;
const HOSTS_MAX: usize = 64;
const FILES_MAX: usize = 16;
const FILE_NAME: &str = "a plain file name of at most 128 letters, digits, dots, - and _, not beginning with a dot";
const ADDRESS_BYTES_MAX: usize = 2_000;

fn fault<T>(key: &str, text: impl Into<String>) -> Result<T> {
    Err(ManifestError { key: key.into(), text: text.into() })
}

pub(super) fn manifest(text: &str) -> Result<Manifest> {
    if text.len() > TOML_BYTES_MAX {
        return fault("", format!("it is longer than {TOML_BYTES_MAX} bytes"));
    }
    let mut table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return fault("", format!("it is not valid TOML: {error}")),
    };
    known_keys("", &table, &KEYS)?;
    let allowed_hosts = hosts("allowed_hosts", table.remove("allowed_hosts"))?;
    let manifest = Manifest {
        name: name(&mut table)?,
        title: required_text(&mut table, "", "title", "a short name for people")?,
        version: version(&mut table)?,
        licence: required_text(&mut table, "", "licence", "an SPDX expression such as \"Apache-2.0\"")?,
        interface: interface(&mut table)?,
        profile: one_of("profile", table.remove("profile"), &PROFILES)?,
        tasks: many_of("tasks", table.remove("tasks"), &TASKS)?,
        secrets: secrets(table.remove("secrets"), &allowed_hosts)?,
        settings: settings(table.remove("settings"))?,
        allowed_models: many_of("allowed_models", table.remove("allowed_models"), &CAPABILITIES.map(|name| (name, name.to_owned())))?,
        cache_bytes_max: number("cache_bytes_max", table.remove("cache_bytes_max"))?.unwrap_or(0),
        limits: limits(table.remove("limits"))?,
        models: models(table.remove("models"))?,
        files: files(table.remove("files"))?,
        allowed_hosts,
    };
    if manifest.profile == Profile::Compute && !manifest.allowed_hosts.is_empty() {
        return fault(
            "allowed_hosts",
            "must be empty with profile \"compute\": compute plugins have no exchanges; use profile \"network\"",
        );
    }
    Ok(manifest)
}

/// A value as it may stand in an error.
fn display(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| value.type_str().to_owned())
}

fn path(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.into() } else { format!("{parent}.{key}") }
}

fn known_keys(parent: &str, table: &Table, keys: &[&str]) -> Result<()> {
    match table.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => fault(&path(parent, key), format!("is not known; the keys here are {}", keys.join(", "))),
        None => Ok(()),
    }
}

fn text(key: &str, value: Value, what: &str) -> Result<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Ok(text),
        Value::String(_) => fault(key, format!("is empty; it must be {what}")),
        other @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_)) => {
            fault(key, format!("is {}; it must be {what}, as text", other.type_str()))
        }
    }
}

fn required_text(table: &mut Table, parent: &str, key: &str, what: &str) -> Result<String> {
    match table.remove(key) {
        Some(value) => text(&path(parent, key), value, what),
        None => fault(&path(parent, key), format!("is missing; it must be {what}")),
    }
}

fn name(table: &mut Table) -> Result<String> {
    let what = "1 to 64 characters out of a-z, 0-9 and -, beginning with a letter";
    let name = required_text(table, "", "name", what)?;
    let fits = name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-');
    if fits { Ok(name) } else { fault("name", format!("is {name:?}; it must be {what}")) }
}

fn version(table: &mut Table) -> Result<String> {
    let what = "three numbers such as \"1.2.3\", perhaps with a suffix such as \"-beta.1\"";
    let version = required_text(table, "", "version", what)?;
    let (numbers, suffix) = version.split_once(['-', '+']).unwrap_or((&version, "x"));
    let parts: Vec<&str> = numbers.split('.').collect();
    let fits = parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit()))
        && !suffix.is_empty()
        && version.len() <= 64
        && suffix.chars().all(|char| char.is_ascii_alphanumeric() || ".-+".contains(char));
    if fits { Ok(version) } else { fault("version", format!("is {version:?}; it must be {what}")) }
}

fn interface(table: &mut Table) -> Result<String> {
    let what = format!("the version of the plugin interface, \"{}\"", crate::INTERFACE);
    let interface = required_text(table, "", "interface", &what)?;
    if interface == crate::INTERFACE { Ok(interface) } else { fault("interface", format!("is {interface:?}; it must be {what}")) }
}

fn names<T>(values: &[(&str, T)]) -> String {
    values.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

fn one_of<T: Clone>(key: &str, value: Option<Value>, values: &[(&str, T)]) -> Result<T> {
    let Some(value) = value else { return fault(key, format!("is missing; it must be one of {}", names(values))) };
    match value.as_str().and_then(|text| values.iter().find(|(name, _)| *name == text)) {
        Some((_, found)) => Ok(found.clone()),
        None => fault(key, format!("is {}; it must be one of {}", display(&value), names(values))),
    }
}

fn list(key: &str, value: Option<Value>, what: &str) -> Result<Vec<Value>> {
    match value {
        None => Ok(vec![]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => fault(key, format!("is {}; it must be a list of {what}", other.type_str())),
    }
}

fn many_of<T: Clone + PartialEq>(key: &str, value: Option<Value>, values: &[(&str, T)]) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for item in list(key, value, &names(values))? {
        let one = one_of(key, Some(item.clone()), values)?;
        if found.contains(&one) {
            return fault(key, format!("names {} twice", display(&item)));
        }
        found.push(one);
    }
    Ok(found)
}

fn number(key: &str, value: Option<Value>) -> Result<Option<u64>> {
    let Some(value) = value else { return Ok(None) };
    match value.as_integer().and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0) {
        Some(number) => Ok(Some(number)),
        None => fault(key, format!("is {}; it must be a whole number above 0", display(&value))),
    }
}

fn subtable(key: &str, value: Option<Value>, what: &str) -> Result<Option<Table>> {
    match value {
        None => Ok(None),
        Some(Value::Table(table)) => Ok(Some(table)),
        Some(other) => fault(key, format!("is {}; it must be {what}", other.type_str())),
    }
}

fn hosts(key: &str, value: Option<Value>) -> Result<Vec<AllowedHost>> {
    let mut found = Vec::new();
    for item in list(key, value, "addresses")? {
        let host = host(key, &item)?;
        if found.contains(&host) {
            return fault(key, format!("names {} twice", display(&item)));
        }
        found.push(host);
    }
    if found.len() > HOSTS_MAX {
        return fault(key, format!("names more than {HOSTS_MAX} hosts"));
    }
    Ok(found)
}

fn host(key: &str, item: &Value) -> Result<AllowedHost> {
    match item.as_str() {
        Some("{base_url}") => Ok(AllowedHost::BaseUrl),
        Some(address) if origin(address).is_some() => Ok(origin(address).map_or(AllowedHost::BaseUrl, AllowedHost::Origin)),
        Some(_) | None => fault(
            key,
            format!(
                "has {}; it must hold addresses such as \"https://api.example.com\" or \"http://localhost:8080\" \
                 (scheme, host and port, no path, no wildcard), or \"{{base_url}}\" for the address in the model row",
                display(item)
            ),
        ),
    }
}

/// `scheme://host[:port][/]`
fn origin(address: &str) -> Option<Origin> {
    let (scheme, rest) = address.split_once("://")?;
    let default_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            (host, port.parse::<u16>().ok().filter(|port| *port > 0)?)
        }
        Some(_) | None => (rest, default_port),
    };
    let is_name = !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-')
        });
    let is_v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok() && !inner.contains(|char: char| char.is_ascii_uppercase()));
    (is_name || is_v6).then(|| Origin { scheme: scheme.into(), host: host.into(), port })
}

fn secrets(value: Option<Value>, allowed: &[AllowedHost]) -> Result<Vec<SecretGrant>> {
    let Some(table) = subtable("secrets", value, "a table of secret names with the hosts each may go to")? else { return Ok(vec![]) };
    let mut found = Vec::new();
    for (name, value) in table {
        let key = path("secrets", &name);
        let fits = !name.is_empty()
            && name.len() <= 64
            && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        if !fits {
            return fault(&key, "is no name of a secret; it must be made of a-z, 0-9 and _");
        }
        let hosts = hosts(&key, Some(value))?;
        if hosts.is_empty() {
            return fault(&key, "names no host; a secret needs the hosts that it may be sent to");
        }
        if let Some(stranger) = hosts.iter().find(|host| !allowed.contains(host)) {
            let known = allowed.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", ");
            return fault(&key, format!("names \"{stranger}\", which is not in `allowed_hosts` ({known})"));
        }
        found.push(SecretGrant { name, hosts });
    }
    Ok(found)
}

fn settings(value: Option<Value>) -> Result<Option<serde_json::Value>> {
    let Some(table) = subtable("settings", value, "a JSON Schema of an object, with `properties`")? else { return Ok(None) };
    let schema = match serde_json::to_value(&table) {
        Ok(schema) => schema,
        Err(error) => return fault("settings", format!("is no JSON Schema: {error}")),
    };
    if schema.get("type").is_some_and(|kind| kind != "object") {
        return fault("settings.type", "must be \"object\": settings are named values");
    }
    let Some(properties) = schema.get("properties").and_then(serde_json::Value::as_object) else {
        return fault("settings.properties", "is missing; it must be a table with one schema for each setting");
    };
    if let Some((name, _)) = properties.iter().find(|(_, schema)| !schema.is_object()) {
        return fault(&format!("settings.properties.{name}"), "must be a JSON Schema, e.g. { type = \"string\" }");
    }
    if let Some(required) = schema.get("required") {
        let named = required
            .as_array()
            .is_some_and(|names| names.iter().all(|name| name.as_str().is_some_and(|name| properties.contains_key(name))));
        if !named {
            return fault("settings.required", "must be a list of names out of `settings.properties`");
        }
    }
    Ok(Some(schema))
}

fn limits(value: Option<Value>) -> Result<Limits> {
    let Some(mut table) = subtable("limits", value, "a table of limits")? else { return Ok(Limits::default()) };
    known_keys("limits", &table, &LIMIT_KEYS)?;
    let mut limit = |key: &str| number(&path("limits", key), table.remove(key));
    Ok(Limits {
        turn_ms_max: limit("turn_ms_max")?,
        memory_bytes_max: limit("memory_bytes_max")?,
        calls_per_instance_max: limit("calls_per_instance_max")?,
        open_ops_max: limit("open_ops_max")?,
        response_bytes_max: limit("response_bytes_max")?,
        exchange_ms_max: limit("exchange_ms_max")?,
        texts_per_call_max: limit("texts_per_call_max")?,
    })
}

fn models(value: Option<Value>) -> Result<Vec<ManifestModel>> {
    let mut found: Vec<ManifestModel> = Vec::new();
    for (index, item) in list("models", value, "tables, written as [[models]]")?.into_iter().enumerate() {
        let key = format!("models[{index}]");
        let Some(table) = subtable(&key, Some(item), "a table, written as [[models]]")? else { continue };
        let model = model(&key, table)?;
        if found.iter().any(|other| other.kind == model.kind && other.name == model.name) {
            return fault(&path(&key, "name"), format!("{:?} is there twice", model.name));
        }
        found.push(model);
    }
    Ok(found)
}

fn model(key: &str, mut table: Table) -> Result<ManifestModel> {
    known_keys(key, &table, &MODEL_KEYS)?;
    let kind = one_of(&path(key, "kind"), table.remove("kind"), &MODEL_KINDS)?;
    let name = required_text(&mut table, key, "name", "the model's name")?;
    let title = table.remove("title").map(|value| text(&path(key, "title"), value, "a short name for people")).transpose()?;
    let digest = table.remove("digest").map(|value| text(&path(key, "digest"), value, "a digest of the model's data")).transpose()?;
    let dimension_key = path(key, "dimension");
    let dimension = match number(&dimension_key, table.remove("dimension"))? {
        None => None,
        Some(number) => match u32::try_from(number).ok().filter(|number| *number <= 65_536) {
            Some(number) => Some(number),
            None => return fault(&dimension_key, format!("is {number}; it must be at most 65536")),
        },
    };
    match (kind, dimension) {
        (ModelKind::Embedder, None) => return fault(&dimension_key, "is missing; an embedder needs its row length"),
        (ModelKind::Reranker | ModelKind::ChatModel, Some(_)) => return fault(&dimension_key, "is for embedders only"),
        (ModelKind::Embedder, Some(_)) | (ModelKind::Reranker | ModelKind::ChatModel, None) => {}
    }
    let score_map = score_map(&path(key, "score_map"), table.remove("score_map"))?;
    Ok(ManifestModel { kind, name, title, dimension, digest, score_map })
}

fn score_map(key: &str, value: Option<Value>) -> Result<Vec<(f32, f32)>> {
    let what = "[raw, shown] pairs; raw rises, shown rises or stays and lies between 0 and 1";
    let mut points: Vec<(f32, f32)> = Vec::new();
    for item in list(key, value, what)? {
        let pair = item.as_array().map(Vec::as_slice).unwrap_or_default();
        let numbers: Vec<f32> = pair.iter().filter_map(float).collect();
        let [raw, shown] = numbers[..] else { return fault(key, format!("has {}; it must hold {what}", display(&item))) };
        let rises = points.last().is_none_or(|(last_raw, last_shown)| raw > *last_raw && shown >= *last_shown);
        if pair.len() != 2 || !(0.0..=1.0).contains(&shown) || !rises {
            return fault(key, format!("has {}; it must hold {what}", display(&item)));
        }
        points.push((raw, shown));
    }
    Ok(points)
}

fn files(value: Option<Value>) -> Result<Vec<ManifestFile>> {
    let mut found: Vec<ManifestFile> = Vec::new();
    for (index, item) in list("files", value, "tables, written as [[files]]")?.into_iter().enumerate() {
        let key = format!("files[{index}]");
        let Some(table) = subtable(&key, Some(item), "a table, written as [[files]]")? else { continue };
        let file = file(&key, table)?;
        if found.iter().any(|other| other.name == file.name) {
            return fault(&path(&key, "name"), format!("{:?} is there twice", file.name));
        }
        found.push(file);
    }
    if found.len() > FILES_MAX {
        return fault("files", format!("lists more than {FILES_MAX} files"));
    }
    Ok(found)
}

fn file(key: &str, mut table: Table) -> Result<ManifestFile> {
    known_keys(key, &table, &FILE_KEYS)?;
    let name = required_text(&mut table, key, "name", FILE_NAME)?;
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    if name.len() > 128 || name.starts_with('.') || !name.chars().all(plain) {
        return fault(&path(key, "name"), format!("is {name:?}; it must be {FILE_NAME}"));
    }
    let sha256 = required_text(&mut table, key, "sha256", "the SHA-256 of the file")?;
    if sha256.len() != 64 || !sha256.chars().all(|char| matches!(char, '0'..='9' | 'a'..='f')) {
        return fault(&path(key, "sha256"), "must be 64 hexadecimal digits in lower case");
    }
    let Some(size_bytes) = number(&path(key, "size_bytes"), table.remove("size_bytes"))? else {
        return fault(&path(key, "size_bytes"), "is missing; it must be the length of the file in bytes");
    };
    let url = table.remove("url").map(|value| text(&path(key, "url"), value, "an https address")).transpose()?;
    if url.as_ref().is_some_and(|url| !url.starts_with("https://") || url.len() > ADDRESS_BYTES_MAX || url.contains(char::is_whitespace)) {
        return fault(&path(key, "url"), "must be an address that begins with https://");
    }
    let member = table.remove("member").map(|value| text(&path(key, "member"), value, "a path inside the archive at `url`")).transpose()?;
    if member.is_some() && url.is_none() {
        return fault(&path(key, "member"), "needs a `url`, the archive that holds it");
    }
    Ok(ManifestFile { name, sha256, size_bytes, url, member })
}

fn float(value: &Value) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "scores need no more digits than f32 has")]
    let number = match value {
        Value::Float(number) => *number as f32,
        Value::Integer(number) => *number as f32,
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => return None,
    };
    number.is_finite().then_some(number)
}
