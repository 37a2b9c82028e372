//! Web pages of others, fetched under the host's rules of addresses.
//!
//! Not here: what becomes of a page.

use super::{BoxFuture, CallContext};
use crate::error::Result;
use futures_util::stream::BoxStream;

/// A page whose body is still to come, within limits of size and time.
pub struct Page {
    /// After all redirects.
    pub url: String,
    /// As the server said; empty: it said nothing.
    pub content_type: String,
    pub body: BoxStream<'static, Result<Vec<u8>>>,
}

/// Fetches pages. Errors that pass are `Unavailable` or `Timeout`, all others are sentences for who named the address.
pub trait Pages: Send + Sync {
    fn open<'a>(&'a self, context: &'a CallContext, url: &'a str) -> BoxFuture<'a, Result<Page>>;
}
