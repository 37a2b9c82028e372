//! A running hash of what a guest said: by it a call that is told the same events again is known to be the same call.
//!
//! Not here: the events (`plugin::calls`). The hash guards against guests that are not deterministic, not against forgers: a plugin could only fool itself.

use super::bindings::exports::knowhost::plugin::{catalogue, chat_model};
use super::bindings::knowhost::plugin::io;
use super::kinds::{Kind, Step};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Of a longer text or body the head, the tail and the length count.
const HASHED_BYTES_MAX: usize = 64 << 10;

/// How much a call has said so far, and the hash of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::plugin) struct Trace {
    pub(in crate::plugin) asks: u32,
    pub(in crate::plugin) deltas: u32,
    hash: u64,
}

impl Trace {
    pub(in crate::plugin) fn add<K: Kind>(&mut self, step: &Step<K>) {
        let mut hasher = DefaultHasher::new();
        self.hash.hash(&mut hasher);
        (step.asks.len(), step.deltas.len(), step.end.is_some()).hash(&mut hasher);
        step.asks.iter().for_each(|ask| ask.trace(&mut hasher));
        step.deltas.iter().for_each(|delta| delta.trace(&mut hasher));
        self.hash = hasher.finish();
        self.asks = self.asks.saturating_add(u32::try_from(step.asks.len()).unwrap_or(u32::MAX));
        self.deltas = self.deltas.saturating_add(u32::try_from(step.deltas.len()).unwrap_or(u32::MAX));
    }
}

/// Goes into the hash of a call.
pub(in crate::plugin) trait Traced {
    fn trace(&self, hasher: &mut DefaultHasher);
}

fn bytes(bytes: &[u8], hasher: &mut DefaultHasher) {
    bytes.len().hash(hasher);
    if bytes.len() <= HASHED_BYTES_MAX {
        hasher.write(bytes);
    } else {
        hasher.write(&bytes[..HASHED_BYTES_MAX / 2]);
        hasher.write(&bytes[bytes.len() - HASHED_BYTES_MAX / 2..]);
    }
}

fn text(text: &str, hasher: &mut DefaultHasher) {
    bytes(text.as_bytes(), hasher);
}

impl Traced for () {
    fn trace(&self, _hasher: &mut DefaultHasher) {}
}

impl Traced for chat_model::Delta {
    fn trace(&self, hasher: &mut DefaultHasher) {
        std::mem::discriminant(self).hash(hasher);
        match self {
            Self::Text(piece) | Self::Reasoning(piece) => text(piece, hasher),
            Self::Tool(tool) => {
                (tool.index, &tool.id, &tool.name).hash(hasher);
                text(&tool.arguments, hasher);
            }
        }
    }
}

impl Traced for catalogue::Progress {
    fn trace(&self, hasher: &mut DefaultHasher) {
        text(&self.status, hasher);
        (self.completed_bytes, self.total_bytes).hash(hasher);
    }
}

impl Traced for io::Ask {
    fn trace(&self, hasher: &mut DefaultHasher) {
        std::mem::discriminant(self).hash(hasher);
        match self {
            Self::Http(request) => http(request, hasher),
            Self::Read(op) | Self::Close(op) => op.hash(hasher),
            Self::Sleep(timer) => (timer.op, timer.ms).hash(hasher),
            Self::Log(line) => {
                std::mem::discriminant(&line.level).hash(hasher);
                text(&line.text, hasher);
            }
            Self::Model(call) => model(call, hasher),
            Self::CacheGet(read) => (read.op, &read.key).hash(hasher),
            Self::CachePut(write) => {
                (write.op, &write.key, write.ttl_ms).hash(hasher);
                bytes(&write.value, hasher);
            }
        }
    }
}

fn http(request: &io::HttpRequest, hasher: &mut DefaultHasher) {
    (request.op, &request.method, &request.url, request.timeout_ms).hash(hasher);
    request.headers.iter().for_each(|header| (&header.name, &header.value).hash(hasher));
    request.auth.iter().for_each(|auth| match auth {
        io::Auth::Bearer(secret) => (1_u8, secret).hash(hasher),
        io::Auth::Basic(login) => (2_u8, &login.user, &login.secret).hash(hasher),
        io::Auth::Header(placed) => (3_u8, &placed.name, &placed.prefix, &placed.secret).hash(hasher),
        io::Auth::Query(placed) => (4_u8, &placed.name, &placed.prefix, &placed.secret).hash(hasher),
        io::Auth::Sigv4(keys) => (5_u8, &keys.access_key, &keys.secret_key, &keys.region, &keys.service).hash(hasher),
    });
    bytes(&request.body, hasher);
}

fn model(call: &io::ModelCall, hasher: &mut DefaultHasher) {
    (call.op, &call.model, call.max_output_tokens).hash(hasher);
    std::mem::discriminant(&call.request).hash(hasher);
    match &call.request {
        io::ModelRequest::Chat(turns) => turns.iter().for_each(|turn| {
            turn.role.hash(hasher);
            text(&turn.text, hasher);
        }),
        io::ModelRequest::Embed(texts) => texts.iter().for_each(|one| text(one, hasher)),
        io::ModelRequest::Rerank(rerank) => {
            text(&rerank.query, hasher);
            rerank.texts.iter().for_each(|one| text(one, hasher));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kinds::ChatModelKind;
    use super::*;

    fn step(asks: Vec<io::Ask>, text: &str) -> Step<ChatModelKind> {
        Step { asks, deltas: vec![chat_model::Delta::Text(text.into())], end: None }
    }

    fn trace(steps: &[Step<ChatModelKind>]) -> Trace {
        let mut trace = Trace::default();
        steps.iter().for_each(|step| trace.add(step));
        trace
    }

    #[test]
    fn what_is_said_in_another_order_has_another_hash() {
        let read = || vec![io::Ask::Read(1)];
        let there = trace(&[step(read(), "a"), step(vec![], "b")]);
        assert_eq!(there, trace(&[step(read(), "a"), step(vec![], "b")]));
        assert_eq!((there.asks, there.deltas), (1, 2));
        assert_ne!(there, trace(&[step(read(), "b"), step(vec![], "a")]));
        assert_ne!(there, trace(&[step(vec![], "a"), step(read(), "b")]), "the same ask in another step");
        assert_ne!(there, trace(&[step(vec![io::Ask::Close(1)], "a"), step(vec![], "b")]));
    }

    #[test]
    fn any_part_of_a_request_counts() {
        let request = || io::HttpRequest {
            op: 1,
            method: "POST".into(),
            url: "http://a/".into(),
            headers: vec![],
            auth: vec![io::Auth::Bearer("key".into())],
            body: vec![1; HASHED_BYTES_MAX * 2],
            timeout_ms: None,
        };
        let of = |request| trace(&[step(vec![io::Ask::Http(request)], "")]);
        let first = of(request());
        assert_eq!(first, of(request()));
        let changes: [fn(&mut io::HttpRequest); 5] = [
            |request| request.op = 2,
            |request| request.url.push('b'),
            |request| request.auth.clear(),
            |request| request.body[HASHED_BYTES_MAX * 2 - 1] = 2,
            |request| request.headers.push(io::Header { name: "a".into(), value: "b".into() }),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut other = request();
            change(&mut other);
            assert_ne!(first, of(other), "change {number}");
        }
    }
}
