//! Errors of calls: constructors, texts, and what the faults of operations become.
//!
//! Not here: the variants themselves, which stand in `wit/v0.1/io.wit`.

use crate::bindings::io::{Error, Fault, OpFault, RateLimit};
use std::fmt;

impl Error {
    /// The request can not be answered as it stands.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }

    /// The provider refused the credentials.
    pub fn unauthorised(text: impl Into<String>) -> Self {
        Self::Unauthorised(text.into())
    }

    /// The host or the provider forbids it.
    pub fn denied(text: impl Into<String>) -> Self {
        Self::Denied(text.into())
    }

    /// No such model.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::NotFound(text.into())
    }

    /// The provider wants fewer requests.
    pub fn rate_limited(text: impl Into<String>, retry_after_ms: Option<u32>) -> Self {
        Self::RateLimited(RateLimit { text: text.into(), retry_after_ms })
    }

    /// More text than the model takes.
    pub fn too_long(text: impl Into<String>) -> Self {
        Self::TooLong(text.into())
    }

    /// The provider failed.
    pub fn upstream(text: impl Into<String>) -> Self {
        Self::Upstream(text.into())
    }

    /// This plugin does not do that.
    pub fn unsupported(text: impl Into<String>) -> Self {
        Self::Unsupported(text.into())
    }

    /// The sentence for the user.
    pub fn text(&self) -> &str {
        match self {
            Self::RateLimited(limit) => &limit.text,
            Self::Invalid(text)
            | Self::Unauthorised(text)
            | Self::Denied(text)
            | Self::NotFound(text)
            | Self::TooLong(text)
            | Self::Upstream(text)
            | Self::Unsupported(text) => text,
        }
    }
}

/// An operation of the host failed: `fault` says how, `text` says it in words.
///
/// It becomes an [`Error`] with `?`; plugins that try again look at it first.
#[derive(Clone, Debug, PartialEq)]
pub struct HostFault {
    pub fault: Fault,
    pub text: String,
}

impl HostFault {
    pub(crate) fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self { fault, text: text.into() }
    }

    /// Whether the peer was not reached or the connection broke, so that another try may succeed.
    pub fn is_transport(&self) -> bool {
        match self.fault {
            Fault::Connect | Fault::Timeout | Fault::Protocol => true,
            Fault::Denied | Fault::TooLarge | Fault::Unsupported | Fault::Upstream => false,
        }
    }
}

impl From<OpFault> for HostFault {
    fn from(fault: OpFault) -> Self {
        Self { fault: fault.fault, text: fault.text }
    }
}

impl From<HostFault> for Error {
    fn from(fault: HostFault) -> Self {
        match fault.fault {
            Fault::Denied => Self::Denied(fault.text),
            Fault::Unsupported => Self::Unsupported(fault.text),
            Fault::Connect | Fault::Timeout | Fault::Protocol | Fault::TooLarge | Fault::Upstream => Self::Upstream(fault.text),
        }
    }
}

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for HostFault {}
