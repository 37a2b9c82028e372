//! Plugins as the operator sees and decides about them, while the server runs.
//!
//! Not here: who is the operator (`http::auth`, `library::auth`), and the work behind the desk (`plugin`).

use super::Library;
use crate::error::{Error, Result};
use crate::provider::{PluginDesk, PluginGrantsChange, PluginListing};
use std::sync::Arc;

impl Library {
    /// Once, by `app`; without it there are no plugins to decide about.
    pub fn set_plugin_desk(&self, desk: Arc<dyn PluginDesk>) {
        let _ = self.inner.plugin_desk.set(desk);
    }

    pub async fn list_plugins(&self) -> Result<Vec<PluginListing>> {
        self.at_the_desk(|desk| desk.list()).await
    }

    /// `digest`: of the file that was shown.
    pub async fn allow_plugin(&self, name: &str, digest: Option<&str>) -> Result<PluginListing> {
        let (name, digest) = (name.to_owned(), digest.map(str::to_owned));
        self.at_the_desk(move |desk| desk.allow(&name, digest.as_deref())).await
    }

    /// For a native library, which will run as the server itself.
    pub async fn allow_native_plugin(&self, name: &str, digest: &str) -> Result<PluginListing> {
        let (name, digest) = (name.to_owned(), digest.to_owned());
        self.at_the_desk(move |desk| desk.allow_native(&name, &digest)).await
    }

    pub async fn get_plugin(&self, name: &str) -> Result<PluginListing> {
        let found = self.list_plugins().await?.into_iter().find(|plugin| plugin.name == name);
        found.ok_or_else(|| Error::not_found(format!("there is no plugin {name}")))
    }

    pub async fn grant_to_plugin(&self, name: &str, change: PluginGrantsChange) -> Result<PluginListing> {
        let name = name.to_owned();
        self.at_the_desk(move |desk| desk.grant(&name, &change)).await
    }

    pub async fn roll_plugin_back(&self, name: &str) -> Result<PluginListing> {
        let name = name.to_owned();
        self.at_the_desk(move |desk| desk.roll_back(&name)).await
    }

    pub async fn deny_plugin(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.at_the_desk(move |desk| desk.deny(&name)).await
    }

    /// On a thread of its own kind, because files are read and components compiled.
    async fn at_the_desk<T: Send + 'static>(&self, work: impl FnOnce(&dyn PluginDesk) -> Result<T> + Send + 'static) -> Result<T> {
        let desk = self.inner.plugin_desk.get().cloned();
        let desk = desk.ok_or_else(|| Error::Unavailable { reason: "this server has no plugins".into() })?;
        tokio::task::spawn_blocking(move || work(&*desk)).await.map_err(Error::internal)?
    }
}
