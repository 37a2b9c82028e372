//! Who may act for whom: API keys, tokens, passwords, login attempts, and the only maker of [`TenantScope`].
//!
//! Not here: headers and status codes (`http::auth`).

mod api_key;
mod attempts;
mod passwords;
mod tokens;

pub use api_key::ApiKeys;
pub use attempts::Attempts;
pub use passwords::{PasswordFault, Passwords};
pub use tokens::{IssuedToken, REFERENCE_SECRET, TokenFault, Tokens, VerifiedClaims};

use crate::domain::{Job, JobState, Tenant, TenantId, TenantScope, User};
use crate::error::Result;
use crate::store::Store;
use subtle::ConstantTimeEq;

/// The secrets and counters of authentication.
pub struct Access {
    pub api_keys: ApiKeys,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub attempts: Attempts,
}

impl Access {
    /// `aes_key` is `TENANT_AES_KEY` (16, 24 or 32 bytes), `jwt_secret` signs tokens.
    pub fn new(aes_key: &[u8], jwt_secret: &[u8]) -> Result<Self> {
        Ok(Self {
            api_keys: ApiKeys::new(aes_key)?,
            tokens: Tokens::new(jwt_secret)?,
            passwords: Passwords::new(),
            attempts: Attempts::default(),
        })
    }
}

/// An API key that was decrypted and is the one its tenant has now.
pub struct VerifiedKey(TenantId);

impl VerifiedKey {
    /// Compares in constant time; `None` when the tenant has another key.
    pub(super) fn check(presented: &str, tenant: &Tenant) -> Option<Self> {
        same_text(presented, &tenant.api_key).then_some(Self(tenant.id))
    }
}

/// A token that passed all checks, with the user it was issued to.
pub struct VerifiedToken(TenantId);

impl VerifiedToken {
    pub(super) fn of(user: &User) -> Self {
        Self(user.tenant_id)
    }
}

/// A job that this server holds: its row names the tenant, and only the server writes such rows.
pub struct LeasedJob(TenantId);

impl LeasedJob {
    /// `None` for a job that nobody works on.
    pub fn of(job: &Job) -> Option<Self> {
        (job.state == JobState::Leased && job.lease_owner.is_some()).then_some(Self(job.tenant_id))
    }
}

/// Whoever holds the open database owns the data folder: the command line and the followers of this process.
pub struct LocalOwnership(());

impl LocalOwnership {
    pub fn of(_store: &Store) -> Self {
        Self(())
    }
}

/// Why somebody may act for a tenant.
pub enum Proof<'a> {
    ApiKey(&'a VerifiedKey),
    Token(&'a VerifiedToken),
    Job(&'a LeasedJob),
    /// A command of the folder's owner, or a follower of the changes of all tenants.
    Local(&'a LocalOwnership, TenantId),
}

/// The only place where a scope is made.
pub fn scope(proof: Proof<'_>) -> TenantScope {
    TenantScope::mint(match proof {
        Proof::ApiKey(key) => key.0,
        Proof::Token(token) => token.0,
        Proof::Job(job) => job.0,
        Proof::Local(_, tenant_id) => tenant_id,
    })
}

/// Compares secrets without telling by time where they differ.
pub fn same_text(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}
