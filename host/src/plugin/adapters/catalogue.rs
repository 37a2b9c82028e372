//! The catalogue socket over plugin calls.
//!
//! Not here: the calls themselves (`plugin::calls`).

use crate::plugin::asks::{Secrets, origin_of};
use crate::plugin::calls::{Call, Output};
use crate::plugin::loaded::Plugin;
use crate::plugin::wasm::CatalogueKind;
use crate::plugin::wasm::wit::{catalogue as wit, io};
use crate::provider::{BoxFuture, CallContext, Catalogue, CatalogueEntry, ProviderError, ProviderErrorKind, ProviderResult, PullProgress};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, unfold};
use std::sync::Arc;
use url::Url;

pub(in crate::plugin) struct PluginCatalogue {
    pub(super) plugin: Arc<Plugin>,
    pub(super) base_url: String,
}

impl PluginCatalogue {
    fn error(&self, kind: ProviderErrorKind, text: impl Into<String>) -> ProviderError {
        ProviderError::new(kind, self.plugin.identity.to_string(), text)
    }

    fn call(&self, context: &CallContext, query: wit::Query, name: &str) -> ProviderResult<Call<CatalogueKind>> {
        let pools = self.plugin.catalogue.as_ref().ok_or_else(|| self.error(ProviderErrorKind::Unsupported, "it is no catalogue"))?;
        let origin = Url::parse(&self.base_url).ok().and_then(|url| origin_of(&url));
        let env = self.plugin.env(context, origin, Secrets::default());
        let model = io::Model { name: name.to_owned(), base_url: self.base_url.clone(), settings: Vec::new() };
        Ok(pools.call(env, wit::Request { model, query }))
    }

    async fn reply(&self, context: &CallContext, query: wit::Query, name: &str) -> ProviderResult<wit::Reply> {
        self.call(context, query, name)?.answer().await
    }

    /// A name may carry the registry to fetch from: `registry.example:5000/library/model:tag`. The model server connects to it, so
    /// the addresses that are closed to the tenant's models are closed to it too.
    async fn check_registry(&self, context: &CallContext, name: &str) -> ProviderResult<()> {
        let Some(host) = registry_host(name) else { return Ok(()) };
        let checked = self.plugin.http().check_host(context.tenant_id, &host).await;
        checked.map_err(|text| self.error(ProviderErrorKind::Invalid, format!("the registry of {name:?}: {text}")))
    }

    fn wrong_reply<T>(&self) -> ProviderResult<T> {
        Err(self.error(ProviderErrorKind::PluginFault, "its reply does not fit the query"))
    }
}

impl Catalogue for PluginCatalogue {
    fn status<'a>(&'a self, context: &'a CallContext) -> BoxFuture<'a, ProviderResult<String>> {
        Box::pin(async move {
            match self.reply(context, wit::Query::Status, "").await? {
                wit::Reply::Status(version) => Ok(version),
                wit::Reply::Models(_) | wit::Reply::Check(_) | wit::Reply::Done => self.wrong_reply(),
            }
        })
    }

    fn models<'a>(&'a self, context: &'a CallContext) -> BoxFuture<'a, ProviderResult<Vec<CatalogueEntry>>> {
        Box::pin(async move {
            match self.reply(context, wit::Query::Models, "").await? {
                wit::Reply::Models(entries) => Ok(entries.into_iter().map(entry).collect()),
                wit::Reply::Status(_) | wit::Reply::Check(_) | wit::Reply::Done => self.wrong_reply(),
            }
        })
    }

    fn check<'a>(&'a self, context: &'a CallContext, name: &'a str) -> BoxFuture<'a, ProviderResult<bool>> {
        Box::pin(async move {
            self.check_registry(context, name).await?;
            match self.reply(context, wit::Query::Check, name).await? {
                wit::Reply::Check(there) => Ok(there),
                wit::Reply::Status(_) | wit::Reply::Models(_) | wit::Reply::Done => self.wrong_reply(),
            }
        })
    }

    fn pull<'a>(
        &'a self,
        context: &'a CallContext,
        name: &'a str,
    ) -> BoxFuture<'a, ProviderResult<BoxStream<'static, ProviderResult<PullProgress>>>> {
        Box::pin(async move {
            self.check_registry(context, name).await?;
            let mut call = self.call(context, wit::Query::Pull, name)?;
            // A refusal comes before the first progress, so that is waited for here.
            let first = match call.next().await {
                Some(output) => progress(output?),
                None => None,
            };
            let state = first.map(|first| (call, Some(first)));
            Ok(unfold(state, next_progress).boxed())
        })
    }

    fn remove<'a>(&'a self, context: &'a CallContext, name: &'a str) -> BoxFuture<'a, ProviderResult<()>> {
        Box::pin(async move {
            match self.reply(context, wit::Query::Remove, name).await? {
                wit::Reply::Done => Ok(()),
                wit::Reply::Status(_) | wit::Reply::Models(_) | wit::Reply::Check(_) => self.wrong_reply(),
            }
        })
    }
}

/// What stands before the namespace and the model, without scheme and port, as the model server reads names.
fn registry_host(name: &str) -> Option<String> {
    let mut parts = name.rsplitn(3, '/').skip(2);
    let registry = parts.next()?;
    let registry = registry.rsplit("://").next().unwrap_or(registry);
    let host = match Url::parse(&format!("https://{registry}")) {
        Ok(url) => url.host_str().map(str::to_owned),
        Err(_) => None,
    };
    // What is no host at all is refused by the look-up.
    Some(host.unwrap_or_else(|| registry.to_owned()))
}

type PullState = Option<(Call<CatalogueKind>, Option<PullProgress>)>;

async fn next_progress(state: PullState) -> Option<(ProviderResult<PullProgress>, PullState)> {
    let (mut call, first) = state?;
    if let Some(first) = first {
        return Some((Ok(first), Some((call, None))));
    }
    match call.next().await? {
        Ok(output) => progress(output).map(|progress| (Ok(progress), Some((call, None)))),
        Err(error) => Some((Err(error), None)),
    }
}

/// `None`: the end.
fn progress(output: Output<CatalogueKind>) -> Option<PullProgress> {
    match output {
        Output::Delta(delta) => {
            Some(PullProgress { status: delta.status, completed_bytes: delta.completed_bytes, total_bytes: delta.total_bytes })
        }
        Output::End(_) => None,
    }
}

fn entry(entry: wit::Entry) -> CatalogueEntry {
    CatalogueEntry { name: entry.name, size_bytes: entry.size_bytes, digest: entry.digest, modified_at: entry.modified_at }
}

#[cfg(test)]
mod tests {
    use super::registry_host;

    #[test]
    fn a_registry_stands_before_the_last_two_parts() {
        for (name, host) in [
            ("tiny", None),
            ("tiny:latest", None),
            ("library/tiny:7b", None),
            ("registry.example/library/tiny", Some("registry.example")),
            ("registry.example:5000/library/tiny:7b", Some("registry.example")),
            ("http://10.0.0.1:5000/library/tiny", Some("10.0.0.1")),
            ("intranet/library/tiny", Some("intranet")),
            ("[::1]:5000/library/tiny", Some("[::1]")),
            ("0x7f000001/library/tiny", Some("127.0.0.1")),
            ("user@127.0.0.1/library/tiny", Some("127.0.0.1")),
            ("a/b/library/tiny", Some("a")),
        ] {
            assert_eq!(registry_host(name).as_deref(), host, "{name}");
        }
    }
}
