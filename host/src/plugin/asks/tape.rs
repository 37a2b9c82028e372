//! What may stand in the place of the network: recorded exchanges, for the tools of plugin authors.
//!
//! Not here: any recording (`plugin::check`). A server never sets one; grants, secrets and limits are checked before it is asked.

use super::http::Failure;
use super::redaction::Redaction;
use crate::provider::BoxFuture;

pub(in crate::plugin) trait Tape: Send + Sync {
    /// Whether the network is asked in the end; if not, no name is looked up.
    fn is_live(&self) -> bool;

    /// Answers a request that was granted, with its secrets in place; `redaction` takes them out of what is written down.
    fn exchange(
        &self,
        client: reqwest::Client,
        request: reqwest::Request,
        redaction: Redaction,
    ) -> BoxFuture<'static, Result<reqwest::Response, Failure>>;

    /// A request that was not granted.
    fn refused(&self, text: &str);
}
