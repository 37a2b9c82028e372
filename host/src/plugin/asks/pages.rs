//! Web pages for the host itself: the same checked addresses as for plugins, redirects followed hop by hop, each one checked.
//!
//! Not here: loopback for the first tenant's models and the host of Ollama; a page is fetched only from what is public or what
//! the operator listed.

use super::address::Closed;
use super::http::{Failure, HttpDoor, transport_failure};
use crate::error::{Error, Result};
use crate::limits::{PAGE_BYTES_MAX, PAGE_REDIRECTS_MAX, PAGE_TIME};
use crate::plugin::wasm::wit::io::Fault;
use crate::provider::{BoxFuture, CallContext, Page, Pages};
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

const WANTED: HeaderValue = HeaderValue::from_static("text/html, application/xhtml+xml, application/pdf, text/plain;q=0.9, */*;q=0.5");

impl Pages for HttpDoor {
    fn open<'a>(&'a self, context: &'a CallContext, url: &'a str) -> BoxFuture<'a, Result<Page>> {
        let until = (Instant::now() + PAGE_TIME).min(context.deadline.into());
        Box::pin(async move { tokio::time::timeout_at(until, self.follow(url, until)).await.unwrap_or_else(|_| Err(too_slow())) })
    }
}

impl HttpDoor {
    async fn follow(&self, url: &str, until: Instant) -> Result<Page> {
        let mut at = parse(url)?;
        for _ in 0..=PAGE_REDIRECTS_MAX {
            let response = self.get(&at).await?;
            let Some(next) = redirect(&at, &response)? else { return page(at, response, until) };
            at = next;
        }
        Err(Error::BadRequest(format!("The address leads through more than {PAGE_REDIRECTS_MAX} redirects.")))
    }

    async fn get(&self, url: &Url) -> Result<Response> {
        let way = self.pages();
        way.addresses.open(url.host_str().unwrap_or_default(), false).await.map_err(|closed| match closed {
            Closed::Refused(text) => refused(&text),
            Closed::Unknown(text) => Error::BadRequest(format!("The address could not be found ({text}).")),
        })?;
        let mut request = Request::new(Method::GET, url.clone());
        request.headers_mut().insert(ACCEPT, WANTED);
        way.general.execute(request).await.map_err(|error| from_failure(transport_failure(&error)))
    }
}

fn parse(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| Error::BadRequest(format!("The address is malformed: {error}.")))?;
    checked(url)
}

/// Every hop has to be such an address.
fn checked(mut url: Url) -> Result<Url> {
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(Error::BadRequest("The address is not an http or https address.".into()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::BadRequest("The address holds a user name or password.".into()));
    }
    url.set_fragment(None);
    Ok(url)
}

fn redirect(at: &Url, response: &Response) -> Result<Option<Url>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let sent = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let sent = sent.ok_or_else(|| Error::BadRequest("The address redirects without saying where to.".into()))?;
    let next = at.join(sent).map_err(|error| Error::BadRequest(format!("The address redirects to a malformed one: {error}.")))?;
    checked(next).map(Some)
}

/// A page whose head is good; the body is counted and timed while it is read.
fn page(url: Url, response: Response, until: Instant) -> Result<Page> {
    let status = response.status();
    if !status.is_success() {
        let text = format!("The address answered with status {}.", status.as_u16());
        let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        return Err(if passes { Error::Unavailable { reason: text } } else { Error::BadRequest(text) });
    }
    if response.content_length().is_some_and(|length| length > PAGE_BYTES_MAX) {
        return Err(too_large());
    }
    let header = |headers: &HeaderMap, name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let content_type = header(response.headers(), CONTENT_TYPE).unwrap_or_default();
    let pieces = response.bytes_stream().scan(0_u64, move |received_bytes, piece| {
        let piece = piece.map_err(|error| from_failure(transport_failure(&error))).and_then(|bytes| {
            *received_bytes += bytes.len() as u64;
            if *received_bytes > PAGE_BYTES_MAX { Err(too_large()) } else { Ok(Vec::from(bytes)) }
        });
        std::future::ready(Some(piece))
    });
    let timed = futures_util::stream::unfold(pieces.boxed(), move |mut pieces| async move {
        match tokio::time::timeout_at(until, pieces.next()).await {
            Ok(piece) => piece.map(|piece| (piece, pieces)),
            Err(_) => Some((Err(too_slow()), futures_util::stream::empty().boxed())),
        }
    });
    Ok(Page { url: url.into(), content_type, body: timed.boxed() })
}

fn too_slow() -> Error {
    Error::Timeout(format!("The address did not answer completely within {} seconds.", PAGE_TIME.as_secs()))
}

fn too_large() -> Error {
    Error::BadRequest(format!("The address answered with more than {} MiB.", PAGE_BYTES_MAX >> 20))
}

fn refused(text: &str) -> Error {
    Error::BadRequest(format!("The address may not be fetched: {text}."))
}

fn from_failure(failure: Failure) -> Error {
    match failure.fault {
        Fault::Denied => refused(&failure.text),
        Fault::Timeout => Error::Timeout(failure.text),
        Fault::Connect | Fault::Protocol => Error::Unavailable { reason: format!("The address could not be read: {}.", failure.text) },
        Fault::TooLarge | Fault::Unsupported | Fault::Upstream => {
            Error::BadRequest(format!("The address could not be read: {}.", failure.text))
        }
    }
}
