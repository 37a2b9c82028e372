//! Plugins that are allowed but wait for their files, and how they are taken up when the files are there.
//!
//! Not here: how files get there (`install`).

use super::binary::Binary;
use super::files::{Fingerprint, PluginFiles};
use super::listing;
use super::loaded::{Plugin, Workshop};
use crate::provider::{PluginListing, PluginState, ProviderError, ProviderErrorKind};
use knowhost_plugin_sdk::manifest::Manifest;

/// Costs the size of its file (nothing for a shipped one) and no instance.
pub(super) struct Incomplete {
    binary: Binary,
    pub(super) third_party: bool,
    manifest: Manifest,
    pub(super) digest: String,
    files: PluginFiles,
    /// Why the files that were `seen` did not do.
    reason: String,
    seen: Fingerprint,
}

pub(super) enum Loading {
    Ready(Box<Plugin>),
    Incomplete(Box<Incomplete>),
}

impl Loading {
    pub(super) fn manifest(&self) -> &Manifest {
        match self {
            Self::Ready(plugin) => &plugin.manifest,
            Self::Incomplete(plugin) => &plugin.manifest,
        }
    }
}

impl Workshop {
    /// Loads a plugin, or puts it aside until its files are there. Bad files never stop a start.
    pub(super) fn load_or_wait(&self, binary: Binary, third_party: bool) -> anyhow::Result<Loading> {
        let manifest = binary.manifest()?;
        let files = self.files(&manifest);
        let seen = files.fingerprint();
        let reason = match files.lacking() {
            Some(reason) => reason,
            None => match self.load(&binary, third_party) {
                Ok(plugin) => return Ok(Loading::Ready(Box::new(plugin))),
                Err(error) if manifest.files.is_empty() => return Err(error),
                Err(error) => {
                    tracing::error!(plugin = manifest.name, "its files do not do: {error:#}");
                    format!("{error:#}")
                }
            },
        };
        Ok(Loading::Incomplete(Box::new(Incomplete { digest: binary.digest()?, binary, third_party, manifest, files, reason, seen })))
    }
}

impl Incomplete {
    pub(super) fn name(&self) -> &str {
        &self.manifest.name
    }

    pub(super) fn brings_models(&self) -> bool {
        !self.manifest.models.is_empty()
    }

    /// Another try, if somebody has put other files in place since the last one. `None`: nothing has changed.
    pub(super) fn try_again(&self, workshop: &Workshop) -> Option<anyhow::Result<Loading>> {
        let changed = self.files.lacking().is_none() && self.files.fingerprint() != self.seen;
        changed.then(|| workshop.load_or_wait(self.binary.clone(), self.third_party))
    }

    /// What a caller of one of its models is told.
    pub(super) fn error(&self) -> ProviderError {
        let text = format!("{}; run `knowhost models get {}`", self.reason(), self.get_name());
        ProviderError::new(ProviderErrorKind::Unsupported, self.name(), text)
    }

    fn reason(&self) -> String {
        self.files.lacking().unwrap_or_else(|| self.reason.clone())
    }

    /// What `models get` fetches it by.
    fn get_name(&self) -> &str {
        self.manifest.models.first().map_or(self.name(), |model| &model.name)
    }

    pub(super) fn listing(&self) -> PluginListing {
        let state = PluginState::NeedsFiles { reason: self.reason(), get: self.get_name().to_owned() };
        listing::of_manifest(&self.manifest, self.digest.clone(), self.binary.form(), state)
    }
}
