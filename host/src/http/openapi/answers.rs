//! The refusals that routes share, as the description names them.
//!
//! Not here: which failure becomes which of them (`http::error`).

#![expect(dead_code, reason = "these types describe what `http::error` writes")]

use utoipa::{ToResponse, ToSchema};

/// What every failure looks like, but for missing credentials.
#[derive(serde::Serialize, ToSchema)]
pub(in crate::http) struct Failure {
    error: Fault,
    success: bool,
}

#[derive(serde::Serialize, ToSchema)]
pub(in crate::http) struct Fault {
    /// 1000 malformed, 1001 unauthorised, 1002 forbidden, 1003 not found, 1005 conflict, 1006 too many, 1007 internal, 1008 unavailable, 1009 timed out, 1010 invalid.
    #[schema(example = 1003)]
    code: u16,
    message: String,
    /// Left out when the fault is the server's.
    details: Option<String>,
    /// With 1007: what to search the server's log for.
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// What somebody unknown gets.
#[derive(serde::Serialize, ToSchema)]
pub(in crate::http) struct Unknown {
    #[schema(example = "Unauthorized: missing authentication")]
    error: String,
}

macro_rules! refusals {
    ($($name:ident $description:literal),+ $(,)?) => {
        $(#[derive(ToResponse)]
        #[response(description = $description)]
        pub(in crate::http) struct $name(Failure);)+
    };
}

refusals!(
    BadRequest "Malformed input; code 1000 or 1010.",
    Forbidden "Not allowed: the route needs the credentials of a tenant, or the operator's; code 1002.",
    NotFound "No such thing, or another tenant's; code 1003.",
    Conflict "Contradicts what is stored; code 1005.",
    TooLarge "The body or what it asks for is too large, or the quota is used up; code 1000.",
    UnsupportedType "A type of file that is not taken; code 1000.",
    TooMany "Too many requests; code 1006. Retry-After says when to come back.",
    Internal "A fault of the server; code 1007. X-Request-ID names the line in its log.",
    Unavailable "A model's provider or another part does not answer; code 1008.",
    TimedOut "A part took too long; code 1009.",
);

#[derive(ToResponse)]
#[response(description = "No usable credential.")]
pub(in crate::http) struct Unauthenticated(Unknown);

/// For routes that look at the token themselves.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum UnknownOrFailure {
    Unknown(Unknown),
    Failure(Failure),
}

#[derive(ToResponse)]
#[response(description = "No usable credential, or a token that does not serve.")]
pub(in crate::http) struct TokenRefused(UnknownOrFailure);
