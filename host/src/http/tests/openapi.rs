//! The description of the API against the router: every route is described, nothing else is, and answers have the described shape.
//!
//! Not here: the description itself (`http::openapi`).

use crate::http::routes_listed;
use axum::http::Method;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The description as it is made from the handlers.
pub(super) struct Document(Value);

impl Document {
    pub(super) fn load() -> Self {
        Self(crate::http::openapi::document())
    }

    fn operations(&self) -> Vec<(String, String, &Map<String, Value>)> {
        let paths = self.0["paths"].as_object().expect("paths");
        let mut operations = Vec::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().expect("methods") {
                operations.push((method.to_uppercase(), path.clone(), operation.as_object().expect("an operation")));
            }
        }
        operations
    }

    /// Fails unless the answer has the shape that the description gives for its status. Paths without a route are not looked at.
    pub(super) fn check(&self, method: &Method, path: &str, status: u16, body: &Value) {
        let operations = self.operations();
        let of_method = || operations.iter().filter(|(described, ..)| described == method.as_str());
        let exact = of_method().find(|(_, pattern, _)| pattern == path);
        let Some((_, _, operation)) = exact.or_else(|| of_method().find(|(_, pattern, _)| fits(pattern, path))) else { return };
        let place = format!("{method} {path} {status}");
        let response = operation["responses"].get(status.to_string()).unwrap_or_else(|| panic!("{place} is not described"));
        let schema = &self.resolve(response)["content"]["application/json"]["schema"];
        self.check_shape(&place, schema, body);
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let target = self.0.pointer(reference.trim_start_matches('#'));
                self.resolve(target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => value,
        }
    }

    fn check_shape(&self, place: &str, schema: &Value, value: &Value) {
        let schema = self.resolve(schema);
        if schema.as_object().is_some_and(Map::is_empty) {
            return;
        }
        if let Some(parts) = schema.get("oneOf").and_then(Value::as_array) {
            let fits = |part: &&Value| self.looks_like(self.resolve(part), value);
            let part = parts.iter().find(fits).unwrap_or_else(|| panic!("{place}: {value} is none of {parts:?}"));
            return self.check_shape(place, part, value);
        }
        assert!(self.type_fits(schema, value), "{place}: {value} is not {}", schema["type"]);
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            assert!(words.contains(value), "{place}: {value} is none of {words:?}");
        }
        // Objects of any fields have no list of them.
        let is_free = schema.get("properties").is_none() && schema.get("additionalProperties").is_none();
        match value {
            Value::Object(_) if is_free => {}
            Value::Object(fields) => self.check_fields(place, schema, fields),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.check_shape(&format!("{place}/{at}"), &schema["items"], item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn check_fields(&self, place: &str, schema: &Value, fields: &Map<String, Value>) {
        for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            assert!(fields.contains_key(required.as_str().expect("a name")), "{place}: {required} is missing");
        }
        for (name, value) in fields {
            let described = schema.get("properties").and_then(|properties| properties.get(name));
            match (described, schema.get("additionalProperties")) {
                (Some(described), _) => self.check_shape(&format!("{place}/{name}"), described, value),
                (None, Some(Value::Object(_))) => self.check_shape(&format!("{place}/{name}"), &schema["additionalProperties"], value),
                (None, Some(Value::Bool(true))) => {}
                (None, _) => panic!("{place}: {name} is not described"),
            }
        }
    }

    /// Types and names of the outermost fields: enough to choose among alternatives.
    fn looks_like(&self, schema: &Value, value: &Value) -> bool {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let complete = required.into_iter().all(|name| value.get(name).is_some());
        let known = value.as_object().is_none_or(|fields| {
            fields.iter().all(|(name, value)| {
                let described = schema["properties"].get(name).map(|described| self.resolve(described));
                described.is_some_and(|described| self.type_fits(described, value))
            })
        });
        self.type_fits(schema, value) && complete && known
    }

    fn type_fits(&self, schema: &Value, value: &Value) -> bool {
        if schema.as_object().is_some_and(Map::is_empty) {
            return true;
        }
        if let Some(parts) = schema.get("oneOf").and_then(Value::as_array) {
            return parts.iter().any(|part| self.type_fits(self.resolve(part), value));
        }
        let fits = |word: &str| match word {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("unknown type {other} in the description"),
        };
        match &schema["type"] {
            Value::String(word) => fits(word),
            Value::Array(words) => words.iter().filter_map(Value::as_str).any(fits),
            other => panic!("a schema without a type: {other} in {schema}"),
        }
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len() && wanted.iter().zip(given).all(|(want, give)| *want == give || want.starts_with('{'))
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = Document::load();
    let described: BTreeSet<(String, String)> = document.operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let routed: BTreeSet<(String, String)> =
        routes_listed().into_iter().map(|(method, path)| (method.to_string(), path.to_owned())).collect();
    let missing: Vec<_> = routed.difference(&described).collect();
    let invented: Vec<_> = described.difference(&routed).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "without #[utoipa::path] or a line in openapi::ApiDoc: {missing:?}; described but not routed: {invented:?}"
    );
}

#[test]
fn every_operation_says_what_it_takes_and_answers() {
    let document = Document::load();
    for (method, path, operation) in document.operations() {
        let at = format!("{method} {path}");
        assert!(operation.get("summary").is_some_and(Value::is_string), "{at}: no summary");
        assert!(!operation["responses"].as_object().expect("responses").is_empty(), "{at}: no responses");
        let declared: BTreeSet<String> = operation
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|parameter| document.resolve(parameter))
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().expect("a name").to_owned())
            .collect();
        let used: BTreeSet<String> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(str::to_owned).collect();
        assert_eq!(declared, used, "{at}: parameters of the path");
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = Document::load();
    let mut names = BTreeSet::new();
    for (method, path, operation) in document.operations() {
        let name = operation["operationId"].as_str().expect("a name").to_owned();
        assert!(names.insert(name.clone()), "{method} {path}: {name} is another one's");
    }
}

#[test]
fn the_committed_file_is_the_generated_one() {
    let committed = include_str!("../../../../docs/openapi.json");
    assert!(committed == crate::http::openapi::text(), "docs/openapi.json is old: `cargo run --release -- openapi > docs/openapi.json`");
}

/// The reference's own answers. What differs on purpose is in the list of `replay`; routes that do not exist here are not looked at.
#[test]
fn every_recorded_answer_has_the_described_shape() {
    let document = Document::load();
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../../../../tests/contract/recorded-answers.json")).expect("the recording is JSON");
    let mut checked = 0;
    for step in &recorded {
        let request = &step["request"];
        let is_json = step["type"].as_str().is_some_and(|kind| kind.starts_with("application/json"));
        let path = request["path"].as_str().expect("a path").split('?').next().unwrap_or_default();
        let method: Method = request["method"].as_str().expect("a method").parse().expect("a method");
        let status = u16::try_from(step["status"].as_u64().expect("a status")).expect("a status");
        if is_json {
            document.check(&method, path, status, &step["body"]);
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} answers were looked at");
}
