//! The rows of the two-tenant matrix (`tests/contract/matrix.json`) as requests; the unit tests of the router read this file too.
//!
//! A row: method and pattern; the body, or a query that begins with `?`; the statuses for the owner, another tenant, an id that nobody
//! has and one that nobody could have. `<name>` in a body stands for an id as in a path; parameters of a pattern go by their place.
//! Deletions stand last: rows are asked of the owner in this order. Not here: who asks.

use serde_json::Value;
use std::collections::BTreeMap;

/// Passed without a look at credentials, so that no row says more.
pub const OPEN: [&str; 6] = [
    "GET /health",
    "GET /docs",
    "GET /api/v1/openapi.json",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
];

/// What the owner has, by the name of its kind.
pub type Ids = BTreeMap<&'static str, String>;

pub struct Row {
    pub route: String,
    body: String,
    pub own: u16,
    pub foreign: u16,
    pub absent: u16,
    pub malformed: u16,
}

/// The table in its order.
pub fn rows(table: &str) -> Vec<Row> {
    let table: Vec<Value> = serde_json::from_str(table).expect("the matrix is JSON");
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        let status = |at: usize| row["statuses"][at].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
        Row { route: text("route"), body: text("body"), own: status(0), foreign: status(1), absent: status(2), malformed: status(3) }
    };
    table.iter().map(row).collect()
}

impl Row {
    pub fn method(&self) -> &str {
        self.route.split(' ').next().unwrap_or_default()
    }

    /// The path with its query, and the body.
    pub fn request(&self, ids: &Ids) -> (String, String) {
        let pattern = self.route.split(' ').nth(1).unwrap_or_default();
        let segment = |segment: &str| match segment.strip_prefix('{') {
            Some(parameter) => ids[named(pattern, parameter.trim_end_matches('}'))].replace(' ', "%20"),
            None => segment.to_owned(),
        };
        let mut path = pattern.split('/').map(segment).collect::<Vec<_>>().join("/");
        let mut body = ids.iter().fold(self.body.clone(), |body, (name, id)| body.replace(&format!("<{name}>"), id));
        if body.starts_with('?') {
            path.push_str(&body.replace(' ', "%20"));
            body.clear();
        }
        (path, body)
    }
}

/// What a parameter of a pattern names.
fn named(pattern: &str, parameter: &str) -> &'static str {
    match (parameter, pattern.split('/').nth(3).unwrap_or_default()) {
        (_, "initialization") if pattern.contains("/download/") => "task",
        ("session_id", _) | (_, "sessions" | "knowledge-chat") => "session",
        ("knowledge_id", _) | (_, "knowledge") if parameter != "chunk_id" => "knowledge",
        ("chunk_id", _) | (_, "chunks") => "chunk",
        (_, "messages") => "message",
        (_, "tenants") => "tenant",
        (_, "models") => "model",
        (_, "plugins") => "plugin",
        (_, "knowledge-bases" | "initialization") => "kb",
        (parameter, _) => panic!("what does {parameter} of {pattern} name?"),
    }
}

/// The same kinds with another id everywhere; a tenant's is a number.
fn instead(ids: &Ids, id: &str, tenant: &str) -> Ids {
    ids.keys().map(|name| (*name, if *name == "tenant" { tenant.to_owned() } else { id.to_owned() })).collect()
}

/// Ids that nobody has.
pub fn absent(ids: &Ids) -> Ids {
    instead(ids, "00000000-0000-4000-8000-000000000000", "99999999")
}

/// Ids that nobody could have.
pub fn malformed(ids: &Ids) -> Ids {
    instead(ids, "no id", "no id")
}
