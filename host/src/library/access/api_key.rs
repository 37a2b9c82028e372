//! The `sk-` scheme: an encrypted tenant number that only the server can read.
//!
//! Not here: whether the key is the tenant's present one (`VerifiedKey`).

use crate::domain::TenantId;
use crate::error::{Error, Result};
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::aes::Aes192;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const PREFIX: &str = "sk-";
const NONCE_BYTES: usize = 12;

enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes192(Box<AesGcm<Aes192, U12>>),
    Aes256(Box<Aes256Gcm>),
}

/// Makes and reads API keys.
pub struct ApiKeys(Cipher);

impl ApiKeys {
    pub fn new(aes_key: &[u8]) -> Result<Self> {
        let unusable = |_| Error::bad_request("TENANT_AES_KEY can not be used");
        let cipher = match aes_key.len() {
            16 => Cipher::Aes128(Box::new(Aes128Gcm::new_from_slice(aes_key).map_err(unusable)?)),
            24 => Cipher::Aes192(Box::new(AesGcm::new_from_slice(aes_key).map_err(unusable)?)),
            32 => Cipher::Aes256(Box::new(Aes256Gcm::new_from_slice(aes_key).map_err(unusable)?)),
            length => return Err(Error::BadRequest(format!("TENANT_AES_KEY has {length} bytes; it must have 16, 24 or 32"))),
        };
        Ok(Self(cipher))
    }

    /// A fresh key for a tenant.
    pub fn issue(&self, tenant_id: TenantId) -> Result<String> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| Error::internal(anyhow::anyhow!("no randomness: {error}")))?;
        self.seal(tenant_id, nonce)
    }

    fn seal(&self, tenant_id: TenantId, nonce: [u8; NONCE_BYTES]) -> Result<String> {
        let plain = tenant_id.0.to_le_bytes();
        let at = Nonce::from_slice(&nonce);
        let sealed = match &self.0 {
            Cipher::Aes128(cipher) => cipher.encrypt(at, plain.as_slice()),
            Cipher::Aes192(cipher) => cipher.encrypt(at, plain.as_slice()),
            Cipher::Aes256(cipher) => cipher.encrypt(at, plain.as_slice()),
        };
        let sealed = sealed.map_err(|_| Error::internal(anyhow::anyhow!("an API key could not be sealed")))?;
        let mut payload = nonce.to_vec();
        payload.extend_from_slice(&sealed);
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(payload)))
    }

    /// The tenant that a key names; `None` for a text that this server never issued.
    pub fn open(&self, key: &str) -> Option<TenantId> {
        let payload = URL_SAFE_NO_PAD.decode(key.strip_prefix(PREFIX)?).ok()?;
        let (nonce, sealed) = payload.split_at_checked(NONCE_BYTES)?;
        let at = Nonce::from_slice(nonce);
        let plain = match &self.0 {
            Cipher::Aes128(cipher) => cipher.decrypt(at, sealed),
            Cipher::Aes192(cipher) => cipher.decrypt(at, sealed),
            Cipher::Aes256(cipher) => cipher.decrypt(at, sealed),
        };
        let number = i64::from_le_bytes(plain.ok()?.try_into().ok()?);
        (number > 0).then_some(TenantId(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-AAECAwQFBgcICQoLJ_rIRulzEz_6h9F_gR8HLsRgIxFxZsU3";

    fn reference() -> ApiKeys {
        ApiKeys::new(b"weknorarag-api-key-secret-secret").expect("32 bytes")
    }

    #[test]
    fn keys_of_the_reference_are_read_and_written() {
        let nonce = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        assert_eq!(reference().seal(TenantId(10001), nonce).expect("seals"), KEY);
        assert_eq!(reference().open(KEY), Some(TenantId(10001)));
    }

    #[test]
    fn every_length_of_secret_works_and_others_are_refused() {
        for length in [16, 24, 32] {
            let keys = ApiKeys::new(&vec![7; length]).expect("a length that AES has");
            let key = keys.issue(TenantId(10_000)).expect("issues");
            assert_eq!(key.len(), 51);
            assert_eq!(keys.open(&key), Some(TenantId(10_000)));
            assert_eq!(reference().open(&key), None);
        }
        for length in [0, 15, 31, 33] {
            assert!(ApiKeys::new(&vec![7; length]).is_err(), "{length}");
        }
    }

    #[test]
    fn forged_and_broken_keys_are_not_read() {
        let tampered = KEY.replace("U3", "U4");
        for text in ["", "sk-", "sk-nope", "pk-AAECAwQFBgcI", KEY.trim_start_matches("sk-"), tampered.as_str(), "sk-中文", &KEY[..50]] {
            assert_eq!(reference().open(text), None, "{text}");
        }
    }
}
