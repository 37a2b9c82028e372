//! Why a provider did not answer.

/// The reasons of the plugin contract (`plugin-sdk/wit/v0.1/io.wit`, `error`) and those of the host around a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderErrorKind {
    Invalid,
    Unauthorised,
    Denied,
    NotFound,
    RateLimited {
        retry_after_ms: Option<u32>,
    },
    TooLong,
    Upstream,
    Unsupported,
    /// The plugin trapped, ran out of time or broke its contract.
    PluginFault,
    Timeout,
    Cancelled,
}

/// A provider's failure, signed with the plugin that gave it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{plugin}: {message}")]
pub struct ProviderError {
    pub kind: ProviderErrorKind,
    /// Name and version, e.g. `remote-api 0.1.0`.
    pub plugin: String,
    pub message: String,
}

impl ProviderError {
    pub fn new(kind: ProviderErrorKind, plugin: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, plugin: plugin.into(), message: message.into() }
    }

    pub fn is_transient(&self) -> bool {
        match self.kind {
            ProviderErrorKind::RateLimited { .. }
            | ProviderErrorKind::Upstream
            | ProviderErrorKind::PluginFault
            | ProviderErrorKind::Timeout => true,
            ProviderErrorKind::Invalid
            | ProviderErrorKind::Unauthorised
            | ProviderErrorKind::Denied
            | ProviderErrorKind::NotFound
            | ProviderErrorKind::TooLong
            | ProviderErrorKind::Unsupported
            | ProviderErrorKind::Cancelled => false,
        }
    }
}
