//! A plugin before it is loaded: its bytes or its linked-in table, with form, digest and manifest. Nothing of it runs here.
//!
//! Not here: whether it may be loaded (`lock`), and loading (`loaded`).

use super::native::linked_manifest;
use super::wasm::INTERFACE_VERSIONS;
use crate::limits;
use crate::provider::PluginForm;
use anyhow::{Context, anyhow};
use knowhost_plugin_sdk::manifest::Manifest;
use knowhost_plugin_sdk::native::{Table, section};
use knowhost_plugin_sdk::section::read_manifest;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

#[derive(Clone, Debug)]
pub(super) enum Binary {
    /// A component or a native library.
    File(Cow<'static, [u8]>),
    /// Part of this server's own binary.
    Linked(&'static Table),
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self::File(Cow::Owned(bytes))
    }
}

impl Binary {
    pub(super) fn form(&self) -> PluginForm {
        match self {
            Self::File(bytes) => form_of(bytes),
            Self::Linked(_) => PluginForm::Linked,
        }
    }

    /// Of the file; a plugin that was linked in has none, so it goes by its manifest.
    pub(super) fn digest(&self) -> anyhow::Result<String> {
        match self {
            Self::File(bytes) => Ok(digest_of(bytes)),
            Self::Linked(table) => Ok(digest_of(linked_manifest(table)?.as_bytes())),
        }
    }

    pub(super) fn manifest(&self) -> anyhow::Result<Manifest> {
        match self {
            Self::File(bytes) => manifest_of(bytes),
            Self::Linked(table) => checked(linked_manifest(table)?),
        }
    }
}

/// SHA-256, hexadecimal.
pub fn digest_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub(super) fn form_of(bytes: &[u8]) -> PluginForm {
    if section::is_native(bytes) { PluginForm::Native } else { PluginForm::Component }
}

/// Whether a file would run outside of the sandbox.
pub fn is_native(bytes: &[u8]) -> bool {
    form_of(bytes) == PluginForm::Native
}

/// The manifest of a file, checked; nothing runs.
pub fn manifest_of(bytes: &[u8]) -> anyhow::Result<Manifest> {
    if bytes.len() as u64 > limits::PLUGIN_COMPONENT_BYTES_MAX {
        anyhow::bail!("it is larger than {} MiB", limits::PLUGIN_COMPONENT_BYTES_MAX >> 20);
    }
    checked(text_of(bytes)?)
}

/// The text of a file's manifest.
pub(super) fn text_of(bytes: &[u8]) -> anyhow::Result<&str> {
    match form_of(bytes) {
        PluginForm::Native => section::read_manifest(bytes).map_err(|reason| anyhow!(reason)),
        PluginForm::Component | PluginForm::Linked => {
            read_manifest(bytes).context("it holds no manifest (or is no component): `knowhost plugin build` puts one in")
        }
    }
}

fn checked(text: &str) -> anyhow::Result<Manifest> {
    let manifest = Manifest::parse(text)?;
    if !INTERFACE_VERSIONS.iter().any(|version| version.rsplit_once('.').is_some_and(|(minor, _)| minor == manifest.interface)) {
        anyhow::bail!("it speaks plugin interface {}; this server speaks {}", manifest.interface, INTERFACE_VERSIONS.join(", "));
    }
    Ok(manifest)
}
