//! bcrypt on blocking threads, a few at a time.
//!
//! Not here: who may log in (`library::auth`).

use crate::error::{Error, Result};
use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_WAIT, PASSWORD_WAITERS_MAX};
use bcrypt::Version;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const COST: u32 = 10;
/// Compared with when there is no such account, so that the answer takes as long; it is the hash of no password in use.
const NOBODY: &str = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

#[derive(Debug)]
pub enum PasswordFault {
    /// More than 72 bytes.
    TooLong,
    Other(Error),
}

/// Hashes and compares passwords.
pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// The right to use one core for a while.
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Passwords {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { running: Arc::new(Semaphore::new(cores)), waiting: Arc::new(Semaphore::new(PASSWORD_WAITERS_MAX)) }
    }

    /// Waits for a free core; too many waiters or too long a wait is `RateLimited`.
    pub async fn turn(&self) -> Result<Turn> {
        let busy = || Error::RateLimited { message: "Too many requests".into(), retry_after_ms: Some(1_000) };
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = tokio::time::timeout(PASSWORD_WAIT, self.running.clone().acquire_owned()).await;
        match turn {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }

    /// A hash in the contract's `$2a$10$` form.
    pub async fn hash(&self, _turn: Turn, password: &str) -> Result<String, PasswordFault> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordFault::TooLong);
        }
        let password = password.to_owned();
        blocking(move || bcrypt::hash_with_result(password, COST).map(|parts| parts.format_for_version(Version::TwoA)))
            .await
            .map_err(PasswordFault::Other)
    }

    /// Whether the password is that of the hash; without a hash it takes as long and answers false.
    pub async fn verify(&self, _turn: Turn, password: &str, hash: Option<&str>) -> Result<bool> {
        let known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned());
        // A row whose hash is broken is an account that nobody can log in to.
        let same = blocking(move || Ok(bcrypt::verify(password, &hash).unwrap_or(false))).await?;
        Ok(same && known)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    done.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn verify(passwords: &Passwords, password: &str, hash: Option<&str>) -> bool {
        let turn = passwords.turn().await.expect("a turn");
        passwords.verify(turn, password, hash).await.expect("compares")
    }

    #[tokio::test]
    async fn hashes_have_the_contracts_form_and_compare() {
        let passwords = Passwords::new();
        let turn = passwords.turn().await.expect("a turn");
        let hash = passwords.hash(turn, "secret12").await.expect("hashes");
        assert!(hash.starts_with("$2a$10$") && hash.len() == 60, "{hash}");
        assert!(verify(&passwords, "secret12", Some(&hash)).await);
        assert!(!verify(&passwords, "secret13", Some(&hash)).await);
        assert!(!verify(&passwords, "secret12", Some("broken")).await);
        assert!(!verify(&passwords, "secret12", None).await);
    }

    #[tokio::test]
    async fn seventy_two_bytes_are_the_most() {
        let passwords = Passwords::new();
        let most = "a".repeat(72);
        let turn = passwords.turn().await.expect("a turn");
        let hash = passwords.hash(turn, &most).await.expect("fits");
        assert!(verify(&passwords, &(most.clone() + "tail"), Some(&hash)).await, "only the first 72 bytes count");
        let turn = passwords.turn().await.expect("a turn");
        assert!(matches!(passwords.hash(turn, &(most + "a")).await, Err(PasswordFault::TooLong)));
    }
}
