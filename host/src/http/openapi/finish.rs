//! What the annotations leave to rules: who may ask, path parameters, refusals that all routes share, and what an answer always holds.
//!
//! Not here: anything about a single route.

use crate::http::auth::OPEN;
use crate::http::router::routes_listed;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Fields that an answer may leave out. All others are always there: what is unset is `null`, empty or zero.
const MAY_BE_ABSENT: &[(&str, &[&str])] = &[
    ("CurrentSettings", &["llm", "embedding", "nodeExtract"]),
    ("Download", &["endTime"]),
    ("Fault", &["details", "request_id"]),
    ("Evaluation", &["metric"]),
    ("EvaluationTask", &["err_msg", "total", "finished"]),
    ("FoundChunk", &["explain"]),
    ("GraphNode", &["name", "chunks", "attributes"]),
    ("GraphRelation", &["node1", "node2", "type"]),
    ("LoggedIn", &["tenant"]),
    ("ModelServer", &["version", "error"]),
    ("Plugin", &["allowed_digest", "get", "reason"]),
    ("RequestedDownload", &["taskId"]),
    ("ShownExtract", &["text", "tags", "nodes", "relations"]),
    ("ShownMultimodal", &["vlm", "storageType", "cos", "minio"]),
];

/// What a path parameter is, by the segment before it, else by its name.
const PARAMETERS: &[(&str, &str)] = &[
    ("tenants", "Number of the caller's own tenant."),
    ("knowledge-bases", "Id of a knowledge base."),
    ("knowledge", "Id of a document."),
    ("chunks", "Id of a document."),
    ("sessions", "Id of a session."),
    ("continue-stream", "Id of a session."),
    ("knowledge-chat", "Id of a session."),
    ("messages", "Id of a session."),
    ("models", "Id of a model."),
    ("plugins", "Name of a plugin."),
    ("config", "Id of a knowledge base."),
    ("initialize", "Id of a knowledge base."),
    ("progress", "Id of a download."),
    ("tasks", "Id of a download."),
    ("{knowledge_id}", "Id of a chunk."),
    ("{session_id}", "Id of a message."),
];

pub(super) fn finish(mut document: Value) -> Value {
    let mut schemas = take_schemas(&mut document);
    let plain = schemas.clone();
    for (name, schema) in &mut schemas {
        if is_inlined(name, schema) {
            fold(schema, &plain);
        }
    }
    fold(&mut document, &plain);
    inline_into(&mut document, &schemas);
    let mut kept = Map::new();
    for (name, schema) in &schemas {
        if !is_inlined(name, schema) {
            let mut schema = schema.clone();
            inline_into(&mut schema, &schemas);
            kept.insert(name.clone(), schema);
        }
    }
    walk(&mut document, &mut tidy);
    kept.values_mut().for_each(|schema| walk(schema, &mut tidy));
    // After inlining; a flattened part is a component itself.
    let parts = kept.clone();
    kept.values_mut().for_each(|schema| merge_all_of(schema, &parts));
    tell_requests_from_answers(&mut document, &mut kept);
    document["components"]["schemas"] = Value::Object(kept);
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The token of a login."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The key of a tenant, or of the operator."},
    });
    complete_operations(&mut document);
    document
}

fn take_schemas(document: &mut Value) -> Map<String, Value> {
    match document.pointer_mut("/components/schemas").map(Value::take) {
        Some(Value::Object(schemas)) => schemas,
        Some(_) | None => Map::new(),
    }
}

/// Envelopes around a type, and plain texts and numbers, are no components of their own.
fn is_inlined(name: &str, schema: &Value) -> bool {
    let is_plain = matches!(schema.get("type").and_then(Value::as_str), Some("string" | "integer" | "number" | "boolean"));
    name.contains('_') || (is_plain && schema.get("enum").is_none())
}

fn referenced(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

fn inline_into(value: &mut Value, schemas: &Map<String, Value>) {
    while let Some((name, schema)) = referenced(value).and_then(|name| schemas.get_key_value(name)) {
        if !is_inlined(name, schema) {
            return;
        }
        let beside = value.take();
        *value = schema.clone();
        if let Some(fields) = value.as_object_mut() {
            // What a plain type is for people of the code would be said at each of its fields.
            fields.shift_remove("description");
            beside.get("description").into_iter().for_each(|description| drop(fields.insert("description".into(), description.clone())));
        }
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| inline_into(field, schemas)),
        Value::Array(items) => items.iter_mut().for_each(|item| inline_into(item, schemas)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Applies `change` to a value and all in it, outermost first.
fn walk(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    change(value);
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, change)),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Defaults that say nothing go; `null` or a plain type is one type list; `*` stands for all other names (see `go_json`).
fn tidy(schema: &mut Value) {
    if schema.get("default").is_some_and(says_nothing)
        && let Some(fields) = schema.as_object_mut()
    {
        fields.shift_remove("default");
    }
    if let Some(plain) = other_than_null(schema)
        && let Some(word) = plain.get("type").and_then(Value::as_str)
        && plain.get("enum").is_none()
    {
        let mut merged = plain.clone();
        merged["type"] = json!([word, "null"]);
        if let Some(description) = schema.get("description") {
            merged["description"] = description.clone();
        }
        *schema = merged;
    }
    let rest = schema.get_mut("properties").and_then(Value::as_object_mut).and_then(|properties| properties.shift_remove("*"));
    if let (Some(_), Some(fields)) = (rest, schema.as_object_mut()) {
        fields.insert("additionalProperties".into(), json!(true));
    }
}

/// Zero values all the way down.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(says_nothing),
    }
}

/// The other part of "null or ...".
fn other_than_null(schema: &Value) -> Option<&Value> {
    let parts = schema.get("oneOf")?.as_array().filter(|parts| parts.len() == 2)?;
    let null = parts.iter().position(|part| *part == json!({"type": "null"}))?;
    parts.get(1 - null)
}

/// What stands written out in an envelope, though it is a component, becomes a reference to it.
fn fold(value: &mut Value, schemas: &Map<String, Value>) {
    if value.get("properties").is_some() || value.get("allOf").is_some() {
        let name = schemas.iter().find(|(name, schema)| !is_inlined(name, schema) && *schema == value).map(|(name, _)| name);
        if let Some(name) = name {
            *value = json!({"$ref": format!("#/components/schemas/{name}")});
        }
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| fold(field, schemas)),
        Value::Array(items) => items.iter_mut().for_each(|item| fold(item, schemas)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A flattened field becomes a part of its object.
fn merge_all_of(schema: &mut Value, schemas: &Map<String, Value>) {
    let Some(parts) = schema.get("allOf").and_then(Value::as_array).cloned() else { return };
    let mut merged = json!({"type": "object", "properties": {}, "required": []});
    if let Some(description) = schema.get("description") {
        merged["description"] = description.clone();
    }
    for part in &parts {
        let mut part = referenced(part).and_then(|name| schemas.get(name)).unwrap_or(part).clone();
        merge_all_of(&mut part, schemas);
        merge_properties(&mut merged, &part);
        // Variants side by side: the words of their tag become one list.
        part.get("oneOf").and_then(Value::as_array).into_iter().flatten().for_each(|variant| merge_properties(&mut merged, variant));
        if let (Some(all), Some(names)) = (merged["required"].as_array_mut(), part.get("required").and_then(Value::as_array)) {
            all.extend(names.iter().cloned());
        }
        if let Some(rest) = part.get("additionalProperties") {
            merged["additionalProperties"] = rest.clone();
        }
    }
    *schema = merged;
}

fn merge_properties(merged: &mut Value, part: &Value) {
    for (name, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let known = merged["properties"].get_mut(name).and_then(|known| known.get_mut("enum")).and_then(Value::as_array_mut);
        match (known, property.get("enum").and_then(Value::as_array)) {
            (Some(known), Some(words)) => known.extend(words.iter().cloned()),
            (None | Some(_), None | Some(_)) => merged["properties"][name] = property.clone(),
        }
    }
}

/// Answers hold all their fields, requests need only the required ones; a type of both becomes two.
fn tell_requests_from_answers(document: &mut Value, schemas: &mut Map<String, Value>) {
    let mut answered = BTreeSet::new();
    let mut sent = BTreeSet::new();
    if let Some(responses) = document.pointer_mut("/components/responses") {
        reach(responses, schemas, &mut answered);
        walk(responses, &mut |schema| require_all(schema, &[]));
    }
    for operation in operations(document) {
        if let Some(responses) = operation.get_mut("responses") {
            reach(responses, schemas, &mut answered);
            walk(responses, &mut |schema| require_all(schema, &[]));
        }
        operation.get("requestBody").into_iter().for_each(|body| reach(body, schemas, &mut sent));
    }
    let both: BTreeSet<String> = answered
        .intersection(&sent)
        .filter(|name| schemas.get(*name).is_some_and(|schema| schema.get("properties").is_some()))
        .cloned()
        .collect();
    let mut point_to_input = |value: &mut Value| {
        if let Some(name) = referenced(value).filter(|name| both.contains(*name)) {
            value["$ref"] = json!(format!("#/components/schemas/{name}Input"));
        }
    };
    for operation in operations(document) {
        operation.get_mut("requestBody").into_iter().for_each(|body| walk(body, &mut point_to_input));
    }
    for name in &sent {
        let Some(schema) = schemas.get(name) else { continue };
        let mut input = schema.clone();
        walk(&mut input, &mut point_to_input);
        let name = if both.contains(name) { format!("{name}Input") } else { name.clone() };
        if !answered.contains(&name) {
            schemas.insert(name, input);
        }
    }
    for name in &answered {
        let absent = MAY_BE_ABSENT.iter().find(|(listed, _)| listed == name).map_or(&[][..], |(_, fields)| fields);
        if let Some(schema) = schemas.get_mut(name) {
            walk(schema, &mut |schema| require_all(schema, absent));
        }
    }
    schemas.retain(|name, _| answered.contains(name) || sent.contains(name) || name.ends_with("Input"));
    schemas.sort_keys();
}

fn require_all(schema: &mut Value, but: &[&str]) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let names: Vec<&String> = properties.keys().filter(|name| !but.contains(&name.as_str())).collect();
        schema["required"] = json!(names);
    }
}

/// Adds the components that a value leads to.
fn reach(value: &Value, schemas: &Map<String, Value>, found: &mut BTreeSet<String>) {
    if let Some(name) = referenced(value)
        && found.insert(name.to_owned())
    {
        schemas.get(name).into_iter().for_each(|schema| reach(schema, schemas, found));
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|field| reach(field, schemas, found)),
        Value::Array(items) => items.iter().for_each(|item| reach(item, schemas, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
    paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut)
}

/// Paths in the order of the route table, with what every route of their kind has.
fn complete_operations(document: &mut Value) {
    let mut described = document["paths"].take().as_object().cloned().unwrap_or_default();
    let mut paths = Map::new();
    let listed = routes_listed();
    for (method, path) in &listed {
        let is_open = OPEN.iter().any(|(open_method, open)| open_method == method && open == path);
        let key = method.as_str().to_ascii_lowercase();
        let Some(mut operation) = described.get_mut(*path).and_then(Value::as_object_mut).and_then(|methods| methods.shift_remove(&key))
        else {
            continue;
        };
        complete(&mut operation, path, is_open);
        paths.entry(*path).or_insert_with(|| json!({}))[key] = operation;
    }
    // What no route has stays, so that the test of the table finds it.
    for (path, methods) in described {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            paths.entry(path.clone()).or_insert_with(|| json!({}))[method] = operation.clone();
        }
    }
    document["paths"] = Value::Object(paths);
}

fn complete(operation: &mut Value, path: &str, is_open: bool) {
    let tag = operation["tags"][0].as_str().unwrap_or_default().replace('-', "_");
    operation["operationId"] = json!(format!("{tag}_{}", operation["operationId"].as_str().unwrap_or_default()));
    let mut refusals = Vec::new();
    if is_open {
        operation["security"] = json!([]);
    } else {
        refusals.extend([("401", "Unauthenticated"), ("403", "Forbidden"), ("500", "Internal")]);
    }
    if path.contains('{') {
        refusals.push(("404", "NotFound"));
    }
    if let Some(body) = operation.get_mut("requestBody") {
        refusals.extend([("400", "BadRequest"), ("413", "TooLarge"), ("500", "Internal")]);
        // utoipa leaves the word out where a body may be left out.
        if body.get("required").is_none() {
            body["required"] = json!(false);
        }
        for media in body["content"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(sent) = other_than_null(&media["schema"]).cloned() {
                media["schema"] = sent;
            }
        }
    }
    for (status, name) in refusals {
        if operation["responses"].get(status).is_none() {
            operation["responses"][status] = json!({"$ref": format!("#/components/responses/{name}")});
        }
    }
    if let Some(events) = operation.pointer_mut("/responses/200/content/text~1event-stream") {
        let event = events["schema"].take();
        events["schema"] = json!({
            "type": "object",
            "description": "One event of the stream.",
            "properties": {
                "event": {"const": "message"},
                "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": event},
            },
            "required": ["event", "data"],
        });
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.sort_keys();
    }
    let mut parameters = path_parameters(path);
    parameters.extend(operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default());
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
}

fn path_parameters(path: &str) -> Vec<Value> {
    let segments: Vec<&str> = path.split('/').collect();
    let mut parameters = Vec::new();
    for pair in segments.windows(2) {
        let [before, segment] = pair else { continue };
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { continue };
        let description = PARAMETERS.iter().find(|(segment, _)| segment == before).map_or("An id.", |(_, description)| description);
        parameters.push(json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}}));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_may_be_absent_exist() {
        let document = crate::http::openapi::document();
        for (schema, fields) in MAY_BE_ABSENT {
            for field in *fields {
                let place = format!("/components/schemas/{schema}/properties/{field}");
                assert!(document.pointer(&place).is_some(), "{place} does not exist");
            }
        }
    }

    #[test]
    fn a_type_of_both_directions_is_whole_in_answers_only() {
        let document = crate::http::openapi::document();
        let required = |name: &str| document["components"]["schemas"][name]["required"].as_array().map_or(0, Vec::len);
        assert_eq!((required("ChunkingConfig"), required("ChunkingConfigInput")), (4, 0));
        let property = &document["components"]["schemas"]["KnowledgeBaseRequest"]["properties"]["chunking_config"];
        assert_eq!(property["$ref"], "#/components/schemas/ChunkingConfigInput");
    }
}
