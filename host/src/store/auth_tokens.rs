//! Issued tokens. Not here: signatures and claims.
//!
//! A token is checked before there is a scope, so these methods take ids and texts.

use super::Store;
use super::convert::{id_or_new, time, word};
use super::fault::fault;
use crate::domain::{AuthToken, TenantId, Timestamp, TokenType};
use crate::error::{Error, Result};
use crate::limits::PAIR_WITHIN;

#[derive(sqlx::FromRow)]
struct AuthTokenRow {
    id: String,
    user_id: String,
    token: String,
    token_type: String,
    expires_at: String,
    is_revoked: bool,
    created_at: String,
    updated_at: String,
}

impl TryFrom<AuthTokenRow> for AuthToken {
    type Error = Error;

    fn try_from(row: AuthTokenRow) -> Result<Self> {
        let parse = |word: &str| [TokenType::Access, TokenType::Refresh].into_iter().find(|kind| kind.as_column() == word);
        Ok(Self {
            id: row.id,
            user_id: row.user_id,
            token: row.token,
            token_type: word("auth_tokens.token_type", &row.token_type, parse)?,
            expires_at: time("auth_tokens.expires_at", &row.expires_at)?,
            is_revoked: row.is_revoked,
            created_at: time("auth_tokens.created_at", &row.created_at)?,
            updated_at: time("auth_tokens.updated_at", &row.updated_at)?,
        })
    }
}

impl Store {
    /// All of them or none: a login that keeps only one of its two tokens would be half a login.
    pub async fn create_auth_tokens(&self, tokens: &[AuthToken]) -> Result<()> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        for token in tokens {
            sqlx::query(
                "insert into auth_tokens (id, user_id, token, token_type, expires_at, is_revoked, created_at, updated_at) \
                 values (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6)",
            )
            .bind(id_or_new(&token.id))
            .bind(&token.user_id)
            .bind(&token.token)
            .bind(token.token_type.as_column())
            .bind(token.expires_at.to_column())
            .bind(&now)
            .execute(&mut *transaction)
            .await
            .map_err(fault("storing a token"))?;
        }
        super::commit(transaction).await
    }

    /// By what its row holds of it; revoked ones too, the caller looks at `is_revoked`.
    pub async fn find_auth_token(&self, token: &str) -> Result<Option<AuthToken>> {
        self.kept().auth_tokens.get_or_read(TenantId(0), token, Option::is_some, self.read_auth_token(token)).await
    }

    async fn read_auth_token(&self, token: &str) -> Result<Option<AuthToken>> {
        sqlx::query_as::<_, AuthTokenRow>("select * from auth_tokens where token = ?1 order by is_revoked desc, id limit 1")
            .bind(token)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a token"))?
            .map(AuthToken::try_from)
            .transpose()
    }

    /// Whether this call revoked it: of two calls with one refresh token only one gets `true`.
    pub async fn revoke_auth_token(&self, token: &str) -> Result<bool> {
        let revoked = sqlx::query("update auth_tokens set is_revoked = 1, updated_at = ?2 where token = ?1 and is_revoked = 0")
            .bind(token)
            .bind(Timestamp::now().to_column())
            .execute(self.writer())
            .await
            .map_err(fault("revoking a token"))?;
        Ok(revoked.rows_affected() > 0)
    }

    /// Revokes a token by the id of its row; none is fine.
    pub async fn revoke_auth_token_row(&self, id: &str) -> Result<()> {
        sqlx::query("update auth_tokens set is_revoked = 1, updated_at = ?2 where id = ?1 and is_revoked = 0")
            .bind(id)
            .bind(Timestamp::now().to_column())
            .execute(self.writer())
            .await
            .map_err(fault("revoking a token"))?;
        Ok(())
    }

    /// Revokes the refresh tokens that a user got in the moment of another token.
    pub async fn revoke_refresh_tokens_beside(&self, token: &AuthToken) -> Result<()> {
        let around = time::Duration::try_from(PAIR_WITHIN).unwrap_or(time::Duration::ZERO);
        let at = token.created_at.as_offset_date_time();
        sqlx::query(
            "update auth_tokens set is_revoked = 1, updated_at = ?5 where user_id = ?1 and token_type = ?2 and is_revoked = 0 \
             and created_at between ?3 and ?4",
        )
        .bind(&token.user_id)
        .bind(TokenType::Refresh.as_column())
        .bind(Timestamp::from(at - around).to_column())
        .bind(Timestamp::from(at + around).to_column())
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("revoking the pair of a token"))?;
        Ok(())
    }

    /// Revokes all tokens of a user but `kept`; the number of those that were valid.
    pub async fn revoke_auth_tokens_of_user(&self, user_id: &str, kept: Option<&str>) -> Result<u64> {
        let revoked = sqlx::query(
            "update auth_tokens set is_revoked = 1, updated_at = ?3 where user_id = ?1 and is_revoked = 0 and (?2 is null or token <> ?2)",
        )
        .bind(user_id)
        .bind(kept)
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("revoking tokens"))?;
        Ok(revoked.rows_affected())
    }

    /// Removes what could not be used any more anyway.
    pub async fn delete_expired_auth_tokens(&self, now: Timestamp) -> Result<u64> {
        let deleted = sqlx::query("delete from auth_tokens where expires_at < ?1")
            .bind(now.to_column())
            .execute(self.writer())
            .await
            .map_err(fault("removing expired tokens"))?;
        Ok(deleted.rows_affected())
    }
}
