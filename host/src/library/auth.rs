//! Registration, login and the tokens in between; who a credential belongs to.
//!
//! Not here: headers, bodies and status codes (`http`).

use super::Library;
use super::access::{PasswordFault, Proof, TokenFault, VerifiedClaims, VerifiedKey, VerifiedToken, same_text, scope};
use crate::domain::{AuthToken, Tenant, TenantScope, Timestamp, TokenType, User};
use crate::error::{Error, Result};
use crate::limits::STORAGE_QUOTA_BYTES_DEFAULT;
use crate::store::UserPatch;
use std::net::IpAddr;

/// Somebody who may act for a tenant.
#[derive(Clone, Debug)]
pub struct Identity {
    pub scope: TenantScope,
    pub tenant: Tenant,
    /// `None`: an API key, which belongs to no person.
    pub user: Option<User>,
}

/// What a credential proves.
pub enum Identified {
    Known(Box<Identity>),
    /// Not a credential; another one may follow.
    Unknown,
    /// A credential whose tenant is gone or has another key.
    Refused,
}

/// Why nobody was registered.
pub enum RegisterFault {
    /// In the contract's words.
    Refused(&'static str),
    Other(Error),
}

/// Why nobody was logged in.
pub enum LoginFault {
    WrongPassword,
    Disabled,
    Other(Error),
}

pub struct LoggedIn {
    pub user: User,
    /// `None`: the tenant was deleted.
    pub tenant: Option<Tenant>,
    pub pair: TokenPair,
}

pub struct TokenPair {
    pub access: String,
    pub refresh: String,
}

/// Why a token does not serve.
pub enum TokenError {
    Fault(TokenFault),
    Other(Error),
}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Library {
    /// A user with a tenant of its own.
    pub async fn register(&self, username: &str, email: &str, password: &str) -> Result<User, RegisterFault> {
        use RegisterFault::{Other, Refused};
        if self.settings().registration_disabled {
            return Err(Other(Error::Forbidden("Registration is disabled".into())));
        }
        if self.store().find_user_by_email(email).await.map_err(Other)?.is_some() {
            return Err(Refused("user with this email already exists"));
        }
        if self.store().find_user_by_username(username).await.map_err(Other)?.is_some() {
            return Err(Refused("user with this username already exists"));
        }
        let turn = self.access().passwords.turn().await.map_err(Other)?;
        let password_hash = self.access().passwords.hash(turn, password).await.map_err(|fault| match fault {
            PasswordFault::TooLong => Refused("failed to process password"),
            PasswordFault::Other(error) => Other(error),
        })?;
        let tenant = Tenant {
            name: format!("{username}'s Workspace"),
            description: "Default workspace".into(),
            retriever_engines: self.settings().retriever_engines.clone(),
            ..new_tenant()
        };
        let user = User {
            id: String::new(),
            username: username.into(),
            email: email.into(),
            password_hash,
            avatar: String::new(),
            tenant_id: tenant.id,
            is_active: true,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        };
        let created = self.store().create_tenant_with_user(&tenant, |id| self.access().api_keys.issue(id), &user).await;
        match created {
            Ok((_, user)) => Ok(user),
            // A name or an address that is taken meanwhile, or too long for its column.
            Err(Error::Conflict(_) | Error::Validation { .. }) => Err(Refused("failed to create user")),
            Err(error) => Err(Other(error)),
        }
    }

    /// Checks a password; failures count for the account and the address.
    pub async fn login(&self, email: &str, password: &str, address: Option<IpAddr>) -> Result<LoggedIn, LoginFault> {
        let other = LoginFault::Other;
        let user = self.store().find_user_by_email(email).await.map_err(other)?;
        if user.as_ref().is_some_and(|user| !user.is_active) {
            return Err(LoginFault::Disabled);
        }
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let right = self.check_password(email, password, hash, address).await.map_err(other)?;
        let Some(user) = user.filter(|_| right) else { return Err(LoginFault::WrongPassword) };
        let tenant = self.store().find_tenant(user.tenant_id).await.map_err(other)?;
        let pair = self.issue_pair(&user).await.map_err(other)?;
        Ok(LoggedIn { user, tenant, pair })
    }

    /// The count is looked at when a core is free, so that a burst of guesses can not pass it by.
    async fn check_password(&self, account: &str, password: &str, hash: Option<&str>, address: Option<IpAddr>) -> Result<bool> {
        let access = self.access();
        let turn = access.passwords.turn().await?;
        if let Some(wait) = access.attempts.wait(account, address) {
            let retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            return Err(Error::RateLimited { message: "Too many failed logins; try again later".into(), retry_after_ms });
        }
        let right = access.passwords.verify(turn, password, hash).await?;
        if right {
            access.attempts.succeeded(account);
        } else {
            access.attempts.failed(account, address);
        }
        Ok(right)
    }

    async fn issue_pair(&self, user: &User) -> Result<TokenPair> {
        let jti = uuid::Uuid::new_v4().to_string();
        let mut rows = Vec::with_capacity(2);
        let mut issue = |token_type: TokenType| -> Result<String> {
            let issued = self.access().tokens.issue(user, token_type, &jti)?;
            rows.push(AuthToken {
                id: issued.row_id,
                user_id: user.id.clone(),
                token: issued.row_key,
                token_type,
                expires_at: Timestamp::from(issued.expires_at),
                is_revoked: false,
                created_at: Timestamp::zero(),
                updated_at: Timestamp::zero(),
            });
            Ok(issued.text)
        };
        let pair = TokenPair { access: issue(TokenType::Access)?, refresh: issue(TokenType::Refresh)? };
        self.store().create_auth_tokens(&rows).await?;
        Ok(pair)
    }

    /// Signature, type, row and user of a token.
    async fn check_token(&self, token: &str, wanted: TokenType) -> Result<(User, VerifiedClaims), TokenError> {
        let fault = TokenError::Fault;
        let claims = self.access().tokens.verify(token, wanted).map_err(fault)?;
        let row = self.store().find_auth_token(claims.row_key()).await?;
        let live = row.is_some_and(|row| !row.is_revoked && row.user_id == claims.user_id && row.expires_at > Timestamp::now());
        if !live {
            return Err(fault(TokenFault::Revoked));
        }
        let user = self.store().find_user(&claims.user_id).await?.filter(|user| user.is_active);
        Ok((user.ok_or(fault(TokenFault::UserNotFound))?, claims))
    }

    /// The user of an access token.
    pub async fn validate_token(&self, token: &str) -> Result<User, TokenError> {
        self.check_token(token, TokenType::Access).await.map(|(user, _)| user)
    }

    /// Exchanges a refresh token for a new pair; of two who present the same one only the first gets it.
    ///
    /// The tokens of a tenant that was deleted or shut are not revoked, but there is nothing left to log in to.
    pub async fn refresh(&self, token: &str) -> Result<TokenPair, TokenError> {
        let (user, claims) = self.check_token(token, TokenType::Refresh).await?;
        if self.store().find_tenant(user.tenant_id).await?.filter(is_open).is_none() {
            return Err(TokenError::Fault(TokenFault::UserNotFound));
        }
        if !self.store().revoke_auth_token(claims.row_key()).await? {
            return Err(TokenError::Fault(TokenFault::Revoked));
        }
        Ok(self.issue_pair(&user).await?)
    }

    /// Revokes an access token and the refresh token of the same login; `false` for one that is not known.
    pub async fn logout(&self, token: &str) -> Result<bool> {
        let Ok(claims) = self.access().tokens.verify(token, TokenType::Access) else { return Ok(false) };
        let row = self.store().find_auth_token(claims.row_key()).await?;
        self.store().revoke_auth_token(claims.row_key()).await?;
        match (claims.row_id_of(TokenType::Refresh), &row) {
            (Some(refresh), _) => self.store().revoke_auth_token_row(&refresh).await?,
            // A token of the reference does not say which login it is from; its pair was stored in the same moment.
            (None, Some(row)) => self.store().revoke_refresh_tokens_beside(row).await?,
            (None, None) => {}
        }
        Ok(row.is_some())
    }

    /// Sets a new password and ends all other logins of the user; `token` is the one that asked.
    pub async fn change_password(&self, user: &User, old: &str, new: &str, token: &str, address: Option<IpAddr>) -> Result<()> {
        if !self.check_password(&user.email, old, Some(&user.password_hash), address).await? {
            return Err(Error::bad_request("invalid old password"));
        }
        let turn = self.access().passwords.turn().await?;
        let hash = self.access().passwords.hash(turn, new).await.map_err(|fault| match fault {
            PasswordFault::TooLong => Error::bad_request("bcrypt: password length exceeds 72 bytes"),
            PasswordFault::Other(error) => error,
        })?;
        self.store().update_user(&user.id, &UserPatch { password_hash: Some(hash), ..UserPatch::default() }).await?;
        let kept = self.access().tokens.verify(token, TokenType::Access).ok().map(|claims| claims.row_key().to_owned());
        self.store().revoke_auth_tokens_of_user(&user.id, kept.as_deref()).await?;
        Ok(())
    }

    /// Removes the rows of tokens that expired; for the server's housekeeping. Answers how many.
    pub async fn forget_expired_tokens(&self) -> Result<u64> {
        self.store().delete_expired_auth_tokens(Timestamp::now()).await
    }

    /// Who presents an access token.
    pub async fn identify_token(&self, token: &str) -> Result<Identified> {
        let user = match self.validate_token(token).await {
            Ok(user) => user,
            Err(TokenError::Fault(_)) => return Ok(Identified::Unknown),
            Err(TokenError::Other(error)) => return Err(error),
        };
        let Some(tenant) = self.store().find_tenant(user.tenant_id).await?.filter(is_open) else { return Ok(Identified::Refused) };
        let scope = scope(Proof::Token(&VerifiedToken::of(&user)));
        Ok(Identified::Known(Box::new(Identity { scope, tenant, user: Some(user) })))
    }

    /// Who presents an API key; `Unknown` for a text that is no key of this server.
    pub async fn identify_key(&self, key: &str) -> Result<Identified> {
        let Some(tenant_id) = self.access().api_keys.open(key) else { return Ok(Identified::Unknown) };
        let Some(tenant) = self.store().find_tenant(tenant_id).await?.filter(is_open) else { return Ok(Identified::Refused) };
        let Some(verified) = VerifiedKey::check(key, &tenant) else { return Ok(Identified::Refused) };
        let scope = scope(Proof::ApiKey(&verified));
        Ok(Identified::Known(Box::new(Identity { scope, tenant, user: None })))
    }

    /// Whether a key is the operator's, or that of the data folder's owner.
    pub fn is_operator_key(&self, key: &str) -> bool {
        let settings = self.settings();
        let keys = [&settings.operator_key, &settings.local_key];
        keys.into_iter().flatten().any(|operator| !operator.is_empty() && same_text(key, operator))
    }
}

/// A suspended tenant is shut; an empty status comes from rows older than the column.
fn is_open(tenant: &Tenant) -> bool {
    matches!(tenant.status.as_str(), "active" | "")
}

/// What every new tenant has in common.
pub(super) fn new_tenant() -> Tenant {
    Tenant {
        id: crate::domain::TenantId(0),
        name: String::new(),
        description: String::new(),
        api_key: String::new(),
        status: "active".into(),
        retriever_engines: crate::domain::RetrieverEngines::default(),
        business: String::new(),
        storage_quota_bytes: STORAGE_QUOTA_BYTES_DEFAULT,
        storage_used_bytes: 0,
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
        deleted_at: None,
    }
}
