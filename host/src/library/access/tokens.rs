//! JSON web tokens: signing, and what their text alone can prove.
//!
//! Not here: revocation and users (`library::auth`), which need the database.

use crate::domain::{TokenType, User};
use crate::error::{Error, Result};
use crate::limits::{ACCESS_TOKEN_LIFETIME, REFRESH_TOKEN_LIFETIME};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

const SECRET_BYTES_MIN: usize = 16;

/// Why a token is not accepted, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    Invalid,
    WrongType,
    NoUserId,
    Revoked,
    UserNotFound,
}

/// What a good signature vouches for.
#[derive(Debug)]
pub struct VerifiedClaims {
    pub user_id: String,
    pub token_type: TokenType,
    pub jti: String,
}

impl VerifiedClaims {
    /// The text of the token's row in `auth_tokens`; rows hold no token that could be stolen.
    pub fn row_key(&self) -> String {
        row_key(&self.jti, self.token_type)
    }

    /// The row of the other token of the same login.
    pub fn row_key_of(&self, token_type: TokenType) -> String {
        row_key(&self.jti, token_type)
    }
}

/// A fresh token and its row.
pub struct IssuedToken {
    pub text: String,
    pub row_key: String,
    pub expires_at: OffsetDateTime,
}

/// Signs and verifies.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    rules: Validation,
}

impl Tokens {
    pub fn new(secret: &[u8]) -> Result<Self> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(Error::BadRequest(format!("the JWT secret must have at least {SECRET_BYTES_MIN} bytes")));
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        rules.validate_nbf = true;
        rules.set_required_spec_claims(&["exp"]);
        Ok(Self { signing: EncodingKey::from_secret(secret), verifying: DecodingKey::from_secret(secret), rules })
    }

    /// `jti` names the login; its access and refresh token share it.
    pub fn issue(&self, user: &User, token_type: TokenType, jti: &str) -> Result<IssuedToken> {
        let now = OffsetDateTime::now_utc();
        let lifetime = match token_type {
            TokenType::Access => ACCESS_TOKEN_LIFETIME,
            TokenType::Refresh => REFRESH_TOKEN_LIFETIME,
        };
        let expires_at = now + lifetime;
        let mut claims = json!({
            "exp": expires_at.unix_timestamp(),
            "iat": now.unix_timestamp(),
            "jti": jti,
            "type": token_type.as_claim(),
            "user_id": user.id,
        });
        if token_type == TokenType::Access {
            claims["email"] = json!(user.email);
            claims["tenant_id"] = json!(user.tenant_id);
        }
        let text = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(Error::internal)?;
        Ok(IssuedToken { text, row_key: row_key(jti, token_type), expires_at })
    }

    pub fn verify(&self, token: &str, wanted: TokenType) -> Result<VerifiedClaims, TokenFault> {
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(token, &self.verifying, &self.rules);
        let claims = decoded.map_err(|_| TokenFault::Invalid)?.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("type") != Some(wanted.as_claim()) {
            return Err(TokenFault::WrongType);
        }
        let user_id = text("user_id").ok_or(TokenFault::NoUserId)?.to_owned();
        let jti = text("jti").ok_or(TokenFault::Invalid)?.to_owned();
        Ok(VerifiedClaims { user_id, token_type: wanted, jti })
    }
}

fn row_key(jti: &str, token_type: TokenType) -> String {
    format!("{}:{jti}", token_type.as_claim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{TenantId, Timestamp};

    fn user() -> User {
        User {
            id: "u-1".into(),
            username: "ann".into(),
            email: "ann@example.com".into(),
            password_hash: String::new(),
            avatar: String::new(),
            tenant_id: TenantId(10_000),
            is_active: true,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        }
    }

    fn sign(secret: &[u8], algorithm: Algorithm, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).expect("signs")
    }

    const SECRET: &[u8] = b"a secret of our own";

    #[test]
    fn a_token_vouches_for_its_user_and_type_only() {
        let tokens = Tokens::new(SECRET).expect("long enough");
        let access = tokens.issue(&user(), TokenType::Access, "j").expect("issues");
        let refresh = tokens.issue(&user(), TokenType::Refresh, "j").expect("issues");
        let claims = tokens.verify(&access.text, TokenType::Access).expect("good");
        assert_eq!((claims.user_id.as_str(), claims.row_key()), ("u-1", access.row_key.clone()));
        assert_eq!(claims.row_key_of(TokenType::Refresh), refresh.row_key);
        assert_eq!(tokens.verify(&refresh.text, TokenType::Access).err(), Some(TokenFault::WrongType));
        assert_eq!(tokens.verify(&access.text, TokenType::Refresh).err(), Some(TokenFault::WrongType));
    }

    #[test]
    fn forged_expired_and_broken_tokens_are_refused() {
        let tokens = Tokens::new(SECRET).expect("long enough");
        let good = json!({"user_id": "u-1", "type": "access", "jti": "j", "exp": 4_102_444_800_i64});
        assert!(tokens.verify(&sign(SECRET, Algorithm::HS256, &good), TokenType::Access).is_ok());
        let mut expired = good.clone();
        expired["exp"] = json!(1_000);
        let mut endless = good.clone();
        endless.as_object_mut().expect("an object").remove("exp");
        let unsigned = {
            let signed = sign(SECRET, Algorithm::HS256, &good);
            let payload = signed.split('.').nth(1).expect("three parts").to_owned();
            format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")
        };
        for token in [
            sign(b"your-secret-key", Algorithm::HS256, &good),
            sign(SECRET, Algorithm::HS512, &good),
            sign(SECRET, Algorithm::HS256, &expired),
            sign(SECRET, Algorithm::HS256, &endless),
            unsigned,
            "a.b.c".into(),
            String::new(),
        ] {
            assert_eq!(tokens.verify(&token, TokenType::Access).err(), Some(TokenFault::Invalid), "{token}");
        }
        let mut nobody = good;
        nobody["user_id"] = json!(7);
        let token = sign(SECRET, Algorithm::HS256, &nobody);
        assert_eq!(tokens.verify(&token, TokenType::Access).err(), Some(TokenFault::NoUserId));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Tokens::new(b"short").is_err());
    }
}
