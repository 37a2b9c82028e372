//! JSON web tokens: signing, and what their text alone can prove.
//!
//! Not here: revocation and users (`library::auth`), which need the database.

use crate::domain::{TokenType, User};
use crate::error::{Error, Result};
use crate::limits::{ACCESS_TOKEN_LIFETIME, REFRESH_TOKEN_LIFETIME};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

const SECRET_BYTES_MIN: usize = 16;
/// What the reference signs with. Set on purpose, it makes one login serve both servers while a team moves over.
pub const REFERENCE_SECRET: &str = "your-secret-key";

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
    /// What stands in `auth_tokens.token`.
    row_key: String,
    /// The login's name; tokens of the reference have none.
    jti: Option<String>,
}

impl VerifiedClaims {
    /// The text of the token's row in `auth_tokens`.
    pub fn row_key(&self) -> &str {
        &self.row_key
    }

    /// The id of the row of the same login's token of a type, where the login's name can be told.
    pub fn row_id_of(&self, token_type: TokenType) -> Option<String> {
        self.jti.as_deref().map(|jti| row_id(jti, token_type))
    }
}

/// A fresh token and its row.
pub struct IssuedToken {
    pub text: String,
    pub row_id: String,
    pub row_key: String,
    pub expires_at: OffsetDateTime,
}

/// Signs and verifies.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    rules: Validation,
    /// Tokens are those of the reference, and so are their rows.
    is_shared: bool,
}

impl Tokens {
    pub fn new(secret: &[u8]) -> Result<Self> {
        let is_shared = secret == REFERENCE_SECRET.as_bytes();
        if secret.len() < SECRET_BYTES_MIN && !is_shared {
            return Err(Error::BadRequest(format!("the JWT secret must have at least {SECRET_BYTES_MIN} bytes")));
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        rules.validate_nbf = true;
        rules.set_required_spec_claims(&["exp"]);
        if is_shared {
            rules.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        }
        Ok(Self { signing: EncodingKey::from_secret(secret), verifying: DecodingKey::from_secret(secret), rules, is_shared })
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
        let (row_id, row_key) = (row_id(jti, token_type), self.row_key(&text));
        Ok(IssuedToken { text, row_id, row_key, expires_at })
    }

    pub fn verify(&self, token: &str, wanted: TokenType) -> Result<VerifiedClaims, TokenFault> {
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(token, &self.verifying, &self.rules);
        let claims = decoded.map_err(|_| TokenFault::Invalid)?.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("type") != Some(wanted.as_claim()) {
            return Err(TokenFault::WrongType);
        }
        let user_id = text("user_id").ok_or(TokenFault::NoUserId)?.to_owned();
        let jti = text("jti").map(str::to_owned);
        if jti.is_none() && !self.is_shared {
            return Err(TokenFault::Invalid);
        }
        Ok(VerifiedClaims { user_id, row_key: self.row_key(token), jti })
    }

    /// Rows hold nothing that could be stolen; beside the reference they hold the text, by which it looks them up.
    fn row_key(&self, token: &str) -> String {
        if self.is_shared { token.to_owned() } else { hex::encode(Sha256::digest(token)) }
    }
}

/// Made from the login's name, so that a token leads to the other one of its login although rows hold hashes only.
fn row_id(jti: &str, token_type: TokenType) -> String {
    let name = format!("{}:{jti}", token_type.as_claim());
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
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
        assert_eq!((claims.user_id.as_str(), claims.row_key()), ("u-1", access.row_key.as_str()));
        assert_eq!(claims.row_id_of(TokenType::Access), Some(access.row_id.clone()));
        assert_eq!(claims.row_id_of(TokenType::Refresh), Some(refresh.row_id.clone()));
        assert_ne!(access.row_id, refresh.row_id);
        let hash = hex::encode(Sha256::digest(&access.text));
        assert_eq!(access.row_key, hash, "a row holds the hash of its token and nothing of its text");
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
    fn with_the_references_secret_its_tokens_are_issued_and_read() {
        let tokens = Tokens::new(REFERENCE_SECRET.as_bytes()).expect("set on purpose");
        let issued = tokens.issue(&user(), TokenType::Access, "j").expect("issues");
        assert_eq!(issued.row_key, issued.text, "the reference looks its tokens up by their text");
        // As the reference signs them: no name of the login.
        let theirs = json!({"user_id": "u-1", "email": "ann@example.com", "tenant_id": 10_000, "type": "access", "exp": 4_102_444_800_i64, "iat": 1});
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let token = sign(REFERENCE_SECRET.as_bytes(), algorithm, &theirs);
            assert_eq!(tokens.verify(&token, TokenType::Access).expect("good").row_key(), token);
            assert_eq!(tokens.verify(&token, TokenType::Access).expect("good").row_id_of(TokenType::Refresh), None);
            assert_eq!(tokens.verify(&token, TokenType::Refresh).err(), Some(TokenFault::WrongType));
        }
        assert!(tokens.verify(&sign(SECRET, Algorithm::HS256, &theirs), TokenType::Access).is_err());
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Tokens::new(b"short").is_err());
    }
}
