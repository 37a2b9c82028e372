//! One error for the whole host: a variant for each thing that a caller can do about it.
//!
//! Not here: status codes and wire shapes (`http::error`), and the reasons of providers (`provider::ProviderError`).

use crate::provider::ProviderError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is malformed; the text says what to change.
    #[error("{0}")]
    BadRequest(String),
    /// A field breaks a rule; `details` names the field.
    #[error("{message}")]
    Validation { message: String, details: Option<String> },
    #[error("{0}")]
    Unauthorized(String),
    #[error("{0}")]
    Forbidden(String),
    /// `what` is the whole message, e.g. `Knowledge base not found`.
    #[error("{what}")]
    NotFound { what: String },
    #[error("{0}")]
    Conflict(String),
    /// Body, quota or text too large.
    #[error("{0}")]
    TooLarge(String),
    /// `details` tells what is taken instead.
    #[error("{message}")]
    UnsupportedType { message: String, details: String },
    #[error("{message}")]
    RateLimited { message: String, retry_after_ms: Option<u64> },
    #[error("{0}")]
    Timeout(String),
    /// A part that the request needs does not answer; `reason` is fit for the caller.
    #[error("{reason}")]
    Unavailable { reason: String },
    /// A model's provider refused or failed; signed with plugin name and version.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A fault of ours. The text stays in the log.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Error {
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::Internal(error.into())
    }

    /// What a person may read of it; `None` for our own faults, whose text stays in the log.
    pub fn public_text(&self) -> Option<String> {
        (!matches!(self, Self::Internal(_))).then(|| self.to_string())
    }

    /// Whether the same work may succeed later without a change by anybody.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Timeout(_) | Self::Unavailable { .. } | Self::Internal(_) => true,
            Self::Provider(error) => error.is_transient(),
            Self::BadRequest(_)
            | Self::Validation { .. }
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound { .. }
            | Self::Conflict(_)
            | Self::TooLarge(_)
            | Self::UnsupportedType { .. } => false,
        }
    }
}
