//! HTTP exchanges: requests with secrets by name, bodies that are pulled chunk by chunk.
//!
//! Not here: lines and events inside a body (`read`). No byte is sent by the plugin; the host does it, if it is granted.

use crate::bindings::io::{Ask, Auth, BasicLogin, Event, Fault, Header, HttpRequest, PlacedSecret, Sigv4};
use crate::call::{Io, Op};
use crate::ctx::unexpected;
use crate::error::HostFault;
use crate::read::{Events, Lines};
use crate::{Error, Result};
use std::cell::RefCell;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;

/// What [`Body::bytes`] collects at most.
pub const BODY_BYTES_MAX: usize = 32 << 20;

/// A request to be sent. Await it to get the [`Body`].
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    io: Rc<RefCell<Io>>,
    request: HttpRequest,
    fault: Option<String>,
}

impl Request {
    pub(crate) fn new(io: Rc<RefCell<Io>>, method: &str, url: String) -> Self {
        let request = HttpRequest { op: 0, method: method.into(), url, headers: vec![], auth: vec![], body: vec![], timeout_ms: None };
        Self { io, request, fault: None }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.request.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// `Authorization: Bearer` with the secret of this name; the host puts it in.
    pub fn bearer(self, secret: &str) -> Self {
        self.auth(Auth::Bearer(secret.into()))
    }

    /// `Authorization: Basic` with this name and the secret as its password.
    pub fn basic(self, user: impl Into<String>, secret: &str) -> Self {
        self.auth(Auth::Basic(BasicLogin { user: user.into(), secret: secret.into() }))
    }

    /// The header `name` with `prefix` and the secret of this name.
    pub fn secret_header(self, name: &str, prefix: &str, secret: &str) -> Self {
        self.auth(Auth::Header(PlacedSecret { name: name.into(), prefix: prefix.into(), secret: secret.into() }))
    }

    /// The query parameter `name` with the secret of this name.
    pub fn secret_query(self, name: &str, secret: &str) -> Self {
        self.auth(Auth::Query(PlacedSecret { name: name.into(), prefix: String::new(), secret: secret.into() }))
    }

    /// Signed as AWS wants it; both keys are names of secrets.
    pub fn sigv4(self, access_key: &str, secret_key: &str, region: &str, service: &str) -> Self {
        self.auth(Auth::Sigv4(Sigv4 {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            region: region.into(),
            service: service.into(),
        }))
    }

    /// One more secret, at another place than those before it.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.request.auth.push(auth);
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request.body = body.into();
        self
    }

    /// The value as JSON, with its content type.
    pub fn json(mut self, value: &impl serde::Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.request.body = body,
            Err(error) => self.fault = Some(format!("the request is no JSON: {error}")),
        }
        self.header("Content-Type", "application/json")
    }

    /// For the whole exchange; the host may shorten it.
    pub fn timeout_ms(mut self, ms: u32) -> Self {
        self.request.timeout_ms = Some(ms);
        self
    }

    /// Resolves with the head of the response, whatever its status.
    pub async fn send(self) -> Result<Body, HostFault> {
        if let Some(text) = self.fault {
            return Err(HostFault::new(Fault::Protocol, text));
        }
        let mut request = self.request;
        let mut op = Op::open(&self.io, |op| {
            request.op = op;
            Ask::Http(request)
        });
        match op.event().await {
            Some(Event::HttpHead(head)) => Ok(Body { op, status: head.status, headers: head.headers }),
            Some(Event::Fault(fault)) => {
                op.live = false;
                Err(fault.into())
            }
            Some(other) => Err(unexpected(&other)),
            None => Err(HostFault::new(Fault::Protocol, "the exchange was closed")),
        }
    }
}

impl IntoFuture for Request {
    type Output = Result<Body, HostFault>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A response. Its bytes stay with the peer until they are asked for; dropping it closes the exchange.
pub struct Body {
    op: Op,
    status: u16,
    headers: Vec<Header>,
}

impl Body {
    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The first header of this name, case ignored.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }

    /// The next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HostFault> {
        if !self.op.live {
            return Ok(None);
        }
        self.op.io.borrow_mut().read(self.op.id);
        match self.op.event().await {
            Some(Event::HttpChunk(chunk)) => Ok(Some(chunk.data)),
            Some(Event::HttpEnd(_)) | None => {
                self.op.live = false;
                Ok(None)
            }
            Some(Event::Fault(fault)) => {
                self.op.live = false;
                Err(fault.into())
            }
            Some(other) => Err(unexpected(&other)),
        }
    }

    /// All bytes, up to [`BODY_BYTES_MAX`].
    pub async fn bytes(&mut self) -> Result<Vec<u8>, HostFault> {
        self.bytes_up_to(BODY_BYTES_MAX).await
    }

    /// All bytes; more than `max` are a fault.
    pub async fn bytes_up_to(&mut self, max: usize) -> Result<Vec<u8>, HostFault> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() + chunk.len() > max {
                return Err(HostFault::new(Fault::TooLarge, format!("the response is larger than {max} bytes")));
            }
            if all.is_empty() { all = chunk } else { all.extend_from_slice(&chunk) }
        }
        Ok(all)
    }

    /// The beginning of the body as text, for error messages: at most `max` bytes, and what came before a fault.
    pub async fn excerpt(&mut self, max: usize) -> String {
        let mut all = Vec::new();
        while all.len() < max
            && let Ok(Some(chunk)) = self.chunk().await
        {
            all.extend_from_slice(&chunk);
        }
        all.truncate(max);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// The body as JSON.
    pub async fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::upstream(format!("the response is not the expected JSON: {error}")))
    }

    /// The body line by line.
    pub fn lines(self) -> Lines {
        Lines::new(self)
    }

    /// The body as server-sent events.
    pub fn events(self) -> Events {
        Events::new(self.lines())
    }
}
