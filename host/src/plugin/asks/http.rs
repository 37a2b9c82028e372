//! HTTP exchanges for plugins: checked, given their secret, carried out by the host's own pooled client.
//!
//! Not here: when a chunk is wanted (`ops`). Redirects are not followed: the plugin sees them and may ask again, which is checked again.

use super::address::{Addresses, Closed, Door, PrivateHosts};
use super::auth::{self, Unsigned};
use super::env::CallEnv;
use super::grants::origin_of;
use super::redaction::Redaction;
use crate::domain::TenantId;
use crate::limits;
use crate::plugin::wasm::wit::io;
use anyhow::Context;
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Set by the transport, by the host, or by `auth`: never by a plugin.
pub(super) const HEADERS_OF_THE_HOST: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "authorization",
];
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Why an exchange ended without its end.
pub(in crate::plugin) struct Failure {
    pub(in crate::plugin) fault: io::Fault,
    pub(in crate::plugin) text: String,
}

pub(in crate::plugin) fn failure(fault: io::Fault, text: impl Into<String>) -> Failure {
    Failure { fault, text: text.into() }
}

pub(super) fn denied(text: impl Into<String>) -> Failure {
    failure(io::Fault::Denied, text)
}

/// The ways out: what the operator opened for everybody, and with loopback for the tenant that owns this machine.
pub(in crate::plugin) struct HttpDoor {
    everybody: Way,
    local: Way,
    local_tenant: OnceLock<TenantId>,
    /// For web pages: without the hosts that are open only for models.
    pages: Way,
}

impl HttpDoor {
    /// `listed` is what the operator opened for everything, `private` that and the hosts of models.
    pub(in crate::plugin) fn new(private: PrivateHosts, listed: PrivateHosts) -> anyhow::Result<Self> {
        // Whoever installs one first wins, and any of them will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let local = Way::new(Addresses::new(private.with_loopback()))?;
        let pages = Way::new(Addresses::new(listed))?;
        Ok(Self { everybody: Way::new(Addresses::new(private))?, local, local_tenant: OnceLock::new(), pages })
    }

    /// Once: the tenant whose models may stand on this machine.
    pub(super) fn set_local_tenant(&self, tenant_id: TenantId) {
        let _ = self.local_tenant.set(tenant_id);
    }

    pub(super) fn pages(&self) -> &Way {
        &self.pages
    }

    /// Why a server that acts for the tenant must not be sent to `host`; a name that can not be resolved here is that server's to tell.
    /// Hosts that are open for models only, such as that server's own, are no places to fetch from.
    pub(in crate::plugin) async fn check_host(&self, tenant_id: TenantId, host: &str) -> Result<(), String> {
        let way = if self.local_tenant.get() == Some(&tenant_id) { &self.local } else { &self.pages };
        match way.addresses.open(host, false).await {
            Err(Closed::Refused(text)) => Err(text),
            Ok(_) | Err(Closed::Unknown(_)) => Ok(()),
        }
    }

    fn way_of(&self, tenant_id: TenantId) -> &Way {
        if self.local_tenant.get() == Some(&tenant_id) { &self.local } else { &self.everybody }
    }
}

/// Clients and the resolver below them.
pub(super) struct Way {
    pub(super) addresses: Arc<Addresses>,
    pub(super) general: reqwest::Client,
    /// Connects only to what is listed as private: for secrets over plain http.
    private_only: reqwest::Client,
}

impl Way {
    fn new(addresses: Arc<Addresses>) -> anyhow::Result<Self> {
        let general = client(Door { addresses: addresses.clone(), private_only: false })?;
        let private_only = client(Door { addresses: addresses.clone(), private_only: true })?;
        Ok(Self { addresses, general, private_only })
    }
}

fn client(door: Door) -> anyhow::Result<reqwest::Client> {
    let door = Arc::new(door);
    let builder = || {
        reqwest::Client::builder()
            .user_agent(concat!("knowhost/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // Behind a proxy the address check would see nothing.
            .no_proxy()
            .dns_resolver(door.clone())
            .connect_timeout(limits::PLUGIN_CONNECT)
            .pool_max_idle_per_host(limits::PLUGIN_CONNECTIONS_IDLE_MAX)
            .http2_max_header_list_size(limits::PLUGIN_HEADERS_BYTES_MAX as u32)
            .tcp_nodelay(true)
    };
    builder().build().or_else(|error| {
        // A machine without any certificate can still reach its own models over plain http.
        tracing::warn!("no TLS certificates of this machine: plugins reach no https host ({error})");
        builder().tls_certs_only([]).build().context("no HTTP client for plugins")
    })
}

/// An open exchange whose head has arrived.
pub(super) struct Exchange {
    response: reqwest::Response,
    /// What arrived beyond the last chunk handed out.
    rest: Bytes,
    redaction: Redaction,
    received_bytes: u64,
    bytes_max: u64,
    until: Instant,
}

/// Sends the request and waits for the head.
pub(super) async fn open(env: &CallEnv, request: io::HttpRequest) -> Result<(io::HttpHead, Exchange), Failure> {
    let op = request.op;
    let Prepared { client, request, time, redaction } = prepare(env, request).await?;
    let until = (Instant::now() + time).min(env.context.deadline.into());
    let send = async {
        match env.room.tape.get() {
            None => client.execute(request).await.map_err(|error| transport_failure(&error)),
            Some(tape) => tape.exchange(client, request, redaction.clone()).await,
        }
    };
    let response = tokio::time::timeout_at(until, send)
        .await
        .map_err(|_| failure(io::Fault::Timeout, "the exchange took longer than it may"))?
        .map_err(|failure| Failure { text: redaction.text(&failure.text), ..failure })?;
    let headers = response_headers(response.headers(), &redaction)?;
    let head = io::HttpHead { op, status: response.status().as_u16(), headers };
    Ok((head, Exchange { response, rest: Bytes::new(), redaction, received_bytes: 0, bytes_max: env.grants.response_bytes_max, until }))
}

impl Exchange {
    /// The next piece of the body; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        while self.rest.is_empty() {
            let piece = tokio::time::timeout_at(self.until, self.response.chunk())
                .await
                .map_err(|_| failure(io::Fault::Timeout, "the exchange took longer than it may"))?
                .map_err(|error| transport_failure(&error))?;
            let Some(piece) = piece else {
                self.rest = self.redaction.rest();
                if self.rest.is_empty() {
                    return Ok(None);
                }
                break;
            };
            self.received_bytes += piece.len() as u64;
            if self.received_bytes > self.bytes_max {
                let text = format!("the answer is larger than {} bytes", self.bytes_max);
                return Err(failure(io::Fault::TooLarge, text));
            }
            self.rest = self.redaction.chunk(piece);
        }
        let chunk = self.rest.split_to(self.rest.len().min(limits::PLUGIN_CHUNK_BYTES_MAX));
        Ok(Some(chunk.into()))
    }
}

struct Prepared {
    client: reqwest::Client,
    request: reqwest::Request,
    time: Duration,
    redaction: Redaction,
}

/// All checks; nothing has left the host before they passed.
async fn prepare(env: &CallEnv, request: io::HttpRequest) -> Result<Prepared, Failure> {
    let method = METHODS
        .iter()
        .find(|method| **method == request.method)
        .ok_or_else(|| denied(format!("the method {:?} is not one of {}", request.method, METHODS.join(", "))))?;
    let mut url = Url::parse(&request.url).map_err(|error| denied(format!("the address {:?} is malformed: {error}", request.url)))?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(denied("an address is http or https and holds no user name or password"));
    }
    url.set_fragment(None);
    let origin = origin_of(&url).ok_or_else(|| denied("the address names no host"))?;
    env.grants.check_host(&env.plugin.name, &origin, env.base_url.as_ref()).map_err(|text| env.refused(text))?;
    if request.body.len() > limits::PLUGIN_REQUEST_BODY_BYTES_MAX {
        let text = format!("the request is larger than {} MiB", limits::PLUGIN_REQUEST_BODY_BYTES_MAX >> 20);
        return Err(failure(io::Fault::TooLarge, text));
    }
    let mut headers = request_headers(&request.headers)?;
    let private_only = !request.auth.is_empty() && url.scheme() == "http";
    let host = url.host_str().unwrap_or_default().to_owned();
    let unsigned = Unsigned { method, origin: &origin, url: &mut url, headers: &mut headers, body: &request.body };
    let derived = auth::place_all(env, &request.auth, unsigned)?;
    let way = env.room.http.way_of(env.context.tenant_id);
    if env.room.tape.get().is_none_or(|tape| tape.is_live()) {
        way.addresses.open(&host, private_only).await.map_err(closed_failure)?;
    }
    let client = if private_only { &way.private_only } else { &way.general };
    let method = reqwest::Method::from_bytes(method.as_bytes()).map_err(|error| denied(error.to_string()))?;
    let mut prepared = reqwest::Request::new(method, url);
    *prepared.headers_mut() = headers;
    if !request.body.is_empty() {
        *prepared.body_mut() = Some(request.body.into());
    }
    let asked = request.timeout_ms.map_or(limits::PLUGIN_EXCHANGE, |ms| Duration::from_millis(u64::from(ms)));
    let redaction = Redaction::new(&env.secrets, &derived);
    Ok(Prepared { client: client.clone(), request: prepared, time: asked.min(env.grants.exchange_max), redaction })
}

fn closed_failure(closed: Closed) -> Failure {
    match closed {
        Closed::Refused(text) => denied(text),
        Closed::Unknown(text) => failure(io::Fault::Connect, text),
    }
}

fn request_headers(headers: &[io::Header]) -> Result<HeaderMap, Failure> {
    let bytes: usize = headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    if bytes > limits::PLUGIN_HEADERS_BYTES_MAX {
        return Err(failure(io::Fault::TooLarge, format!("headers of {bytes} bytes; the limit is {}", limits::PLUGIN_HEADERS_BYTES_MAX)));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        let name = header_name(&header.name)?;
        if HEADERS_OF_THE_HOST.contains(&name.as_str()) {
            return Err(denied(format!("the header {name} is set by the host; a secret goes into the request's auth")));
        }
        let value = HeaderValue::from_str(&header.value).map_err(|_| denied(format!("the header {name} holds a forbidden character")))?;
        map.append(name, value);
    }
    Ok(map)
}

pub(super) fn header_name(name: &str) -> Result<HeaderName, Failure> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| denied(format!("{name:?} is no header name")))
}

/// A server may send back what it was sent (a redirect with the whole query): the secret is taken out.
fn response_headers(headers: &HeaderMap, redaction: &Redaction) -> Result<Vec<io::Header>, Failure> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > limits::PLUGIN_HEADERS_BYTES_MAX {
        return Err(failure(
            io::Fault::TooLarge,
            format!("the answer's headers are larger than {} bytes", limits::PLUGIN_HEADERS_BYTES_MAX),
        ));
    }
    let header = |(name, value): (&HeaderName, &HeaderValue)| io::Header {
        name: name.as_str().to_owned(),
        value: redaction.text(&String::from_utf8_lossy(value.as_bytes())),
    };
    Ok(headers.iter().map(header).collect())
}

/// The whole chain of causes in one line.
pub(in crate::plugin) fn transport_failure(error: &reqwest::Error) -> Failure {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(Closed::Refused(text)) = error.downcast_ref::<Closed>() {
            return denied(text.clone());
        }
        causes.push(error.to_string());
        cause = error.source();
    }
    causes.dedup();
    let reason = if causes.is_empty() { "no reason given".to_owned() } else { causes.join(": ") };
    if error.is_timeout() {
        failure(io::Fault::Timeout, format!("no answer in time ({reason})"))
    } else if error.is_connect() {
        failure(io::Fault::Connect, format!("no connection ({reason})"))
    } else {
        failure(io::Fault::Protocol, format!("the exchange broke off ({reason})"))
    }
}
