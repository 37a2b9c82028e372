//! One tenant and its caller, and answers as text that is the same on each run.

use knowhost_tests::{Answer, Caller, OPERATOR_KEY, shared_server};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

/// A tenant of its own on the server that all cases share.
///
/// The person is called `ann`, has the address `ann@example.com` and the password `secret12` as far as a case can see.
pub struct Scene {
    key: Caller,
    token: Caller,
    anonymous: Caller,
    operator: Caller,
    /// Tells this tenant's person apart from those of other cases; cut out of answers.
    suffix: String,
    tenant_id: u64,
    /// Ids in the order in which they were first seen.
    ids: RefCell<Vec<String>>,
}

impl Scene {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let suffix = format!("-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let anonymous = Caller::new(&shared_server().url(), None);
        let account = json!({ "username": format!("ann{suffix}"), "email": format!("ann{suffix}@example.com"), "password": "secret12" });
        anonymous.post("/api/v1/auth/register", &account).expect("answered").expect_status(201);
        let login = anonymous.post("/api/v1/auth/login", &account).expect("answered").expect_status(200).json;
        let text = |pointer: &str| login.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned();
        Self {
            key: Caller::new(&shared_server().url(), Some(&text("/tenant/api_key"))),
            token: anonymous.with_bearer(&text("/token")),
            anonymous,
            operator: Caller::new(&shared_server().url(), Some(OPERATOR_KEY)),
            suffix,
            tenant_id: login["tenant"]["id"].as_u64().expect("a tenant id"),
            ids: RefCell::default(),
        }
    }

    /// Calls with the tenant's API key.
    pub fn key(&self) -> Asker<'_> {
        Asker { scene: self, caller: &self.key }
    }

    /// Calls with the person's access token.
    pub fn token(&self) -> Asker<'_> {
        Asker { scene: self, caller: &self.token }
    }

    /// Calls with the operator's key.
    pub fn operator(&self) -> Asker<'_> {
        Asker { scene: self, caller: &self.operator }
    }

    /// Calls without credentials.
    pub fn anonymous(&self) -> Asker<'_> {
        Asker { scene: self, caller: &self.anonymous }
    }

    /// The person's address on the wire, for bodies.
    pub fn email(&self) -> String {
        format!("ann{}@example.com", self.suffix)
    }

    pub fn username(&self) -> String {
        format!("ann{}", self.suffix)
    }

    pub fn tenant_id(&self) -> u64 {
        self.tenant_id
    }

    /// The caller itself, where a case needs more than JSON (uploads, streams).
    pub fn caller(&self) -> &Caller {
        &self.key
    }

    /// An answer as the snapshots show it.
    pub fn shown(&self, answer: &Answer) -> String {
        let kind = answer.header("content-type").unwrap_or("no content type");
        let body = if kind.starts_with("application/json") {
            let mut body = answer.json.clone();
            self.filter("", &mut body);
            serde_json::to_string_pretty(&body).expect("JSON")
        } else {
            self.filtered(&answer.text)
        };
        if kind == "application/json; charset=utf-8" || kind == "application/json" {
            format!("{}\n{body}", answer.status)
        } else {
            format!("{} {kind}\n{body}", answer.status)
        }
    }

    fn filter(&self, name: &str, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.filtered(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.filter(name, item)),
            Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| self.filter(name, value)),
            Value::Number(number) if name == "tenant_id" || number.as_u64() == Some(self.tenant_id) => *value = json!("<tenant>"),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without what differs from run to run.
    pub fn filtered(&self, text: &str) -> String {
        if is_time(text) {
            return if text.starts_with("0001-01-01") { text.to_owned() } else { "<time>".to_owned() };
        }
        if text.starts_with("sk-") && text.len() == 51 {
            return "<key>".to_owned();
        }
        if text.starts_with("eyJ") && text.split('.').count() == 3 {
            return "<token>".to_owned();
        }
        let text = text.replace(&format!("ann{}", self.suffix), "ann");
        let mut shown = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((at, id)) = find_id(rest) {
            shown.push_str(&rest[..at]);
            shown.push_str(&self.name_of(id));
            rest = &rest[at + id.len()..];
        }
        shown + rest
    }

    fn name_of(&self, id: &str) -> String {
        let mut ids = self.ids.borrow_mut();
        let place = ids.iter().position(|seen| seen == id).unwrap_or_else(|| {
            ids.push(id.to_owned());
            ids.len() - 1
        });
        format!("<id{}>", place + 1)
    }
}

/// Somebody who asks, and whose answers come as text for a snapshot.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    scene: &'a Scene,
    caller: &'a Caller,
}

impl Asker<'_> {
    /// `route` is a method and a path: `GET /models`, below `/api/v1` unless it is `/health`.
    pub fn ask(&self, route: &str) -> String {
        self.scene.shown(&self.send(route, None))
    }

    pub fn ask_with(&self, route: &str, body: Value) -> String {
        self.scene.shown(&self.send(route, Some(body.to_string())))
    }

    /// A body that need not be JSON.
    pub fn ask_raw(&self, route: &str, body: &str) -> String {
        self.scene.shown(&self.send(route, Some(body.to_owned())))
    }

    /// The id of what a request made.
    pub fn make(&self, route: &str, body: Value) -> String {
        let answer = self.send(route, Some(body.to_string()));
        assert!(matches!(answer.status, 200 | 201), "{route}: {} {}", answer.status, answer.text);
        answer.json["data"]["id"].as_str().unwrap_or_else(|| panic!("{route}: {}", answer.text)).to_owned()
    }

    pub fn send(&self, route: &str, body: Option<String>) -> Answer {
        let (method, path) = route.split_once(' ').expect("a method and a path");
        let path = if path.starts_with("/health") { path.to_owned() } else { format!("/api/v1{path}") };
        let mut request = self.caller.request(method, &path);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        self.caller.send(request).expect("answered")
    }
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20 && bytes[4] == b'-' && bytes[10] == b'T' && bytes[13] == b':' && bytes[..4].iter().all(u8::is_ascii_digit)
}

/// The first UUID in a text and where it stands.
fn find_id(text: &str) -> Option<(usize, &str)> {
    let is_id = |window: &[u8]| {
        window.iter().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
    };
    let at = text.as_bytes().windows(36).position(is_id)?;
    Some((at, &text[at..at + 36]))
}
