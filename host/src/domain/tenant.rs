//! Tenants and the people who log in to them.

use super::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A customer whose data is apart from everybody else's.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub description: String,
    pub api_key: String,
    pub status: String,
    pub retriever_engines: RetrieverEngines,
    pub business: String,
    /// 0 means unlimited.
    #[serde(rename = "storage_quota")]
    pub storage_quota_bytes: i64,
    #[serde(rename = "storage_used")]
    pub storage_used_bytes: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RetrieverEngines {
    pub engines: Vec<RetrieverEngine>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RetrieverEngine {
    pub retriever_engine_type: String,
    pub retriever_type: String,
}

/// A person who logs in.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct User {
    pub id: String,
    pub username: String,
    pub email: String,
    #[serde(skip)]
    pub password_hash: String,
    pub avatar: String,
    pub tenant_id: TenantId,
    pub is_active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    Access,
    Refresh,
}

impl TokenType {
    /// The word in `auth_tokens.token_type`.
    pub fn as_column(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }

    /// The word in the claim `type`.
    pub fn as_claim(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// An issued token; revoked on logout and refresh.
#[derive(Clone, Debug)]
pub struct AuthToken {
    pub id: String,
    pub user_id: String,
    pub token: String,
    pub token_type: TokenType,
    pub expires_at: Timestamp,
    pub is_revoked: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
