//! How often a login failed lately, for an account and for an address.
//!
//! Not here: what is answered (`library::auth`). The counts live in memory: a restart forgives.

use crate::limits::{LOGIN_FAILURES_PER_ACCOUNT_MAX, LOGIN_FAILURES_PER_ADDRESS_MAX, LOGIN_TRACKED_MAX, LOGIN_WINDOW};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// A digest: an account is whatever text somebody sent.
    Account([u8; 32]),
    Address(IpAddr),
}

impl Who {
    fn account(name: &str) -> Self {
        Self::Account(Sha256::digest(name).into())
    }
}

struct Count {
    failures: u32,
    since: Instant,
}

/// Failures within the window.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<Who, Count>>);

impl Attempts {
    /// How long to wait before the next try; `None`: now.
    pub fn wait(&self, account: &str, address: Option<IpAddr>) -> Option<Duration> {
        self.wait_at(account, address, Instant::now())
    }

    fn wait_at(&self, account: &str, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let counts = self.lock();
        let blocked = |who: &Who, max: u32| {
            let count = counts.get(who).filter(|count| count.failures >= max)?;
            LOGIN_WINDOW.checked_sub(now.duration_since(count.since)).filter(|left| !left.is_zero())
        };
        let of_account = blocked(&Who::account(account), LOGIN_FAILURES_PER_ACCOUNT_MAX);
        let of_address = address.and_then(|address| blocked(&Who::Address(address), LOGIN_FAILURES_PER_ADDRESS_MAX));
        of_account.max(of_address)
    }

    pub fn failed(&self, account: &str, address: Option<IpAddr>) {
        self.failed_at(account, address, Instant::now());
    }

    fn failed_at(&self, account: &str, address: Option<IpAddr>, now: Instant) {
        let mut counts = self.lock();
        if counts.len() >= LOGIN_TRACKED_MAX {
            counts.retain(|_, count| now.duration_since(count.since) < LOGIN_WINDOW);
        }
        if counts.len() >= LOGIN_TRACKED_MAX {
            // Somebody tries many names: those who are not blocked yet are forgotten, so that the table stays bounded.
            counts.retain(|_, count| count.failures >= LOGIN_FAILURES_PER_ACCOUNT_MAX);
        }
        if counts.len() >= LOGIN_TRACKED_MAX {
            return;
        }
        let account = Some(Who::account(account));
        for who in account.into_iter().chain(address.map(Who::Address)) {
            let count = counts.entry(who).or_insert(Count { failures: 0, since: now });
            if now.duration_since(count.since) >= LOGIN_WINDOW {
                *count = Count { failures: 0, since: now };
            }
            count.failures = count.failures.saturating_add(1);
        }
    }

    /// A right password clears its account, not its address: an attacker may own one account.
    pub fn succeeded(&self, account: &str) {
        self.lock().remove(&Who::account(account));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    #[test]
    fn an_account_is_blocked_for_a_window_after_too_many_failures() {
        let attempts = Attempts::default();
        let start = Instant::now();
        for _ in 0..LOGIN_FAILURES_PER_ACCOUNT_MAX {
            assert_eq!(attempts.wait_at("a", ADDRESS, start), None);
            attempts.failed_at("a", ADDRESS, start);
        }
        assert_eq!(attempts.wait_at("a", ADDRESS, start), Some(LOGIN_WINDOW));
        assert_eq!(attempts.wait_at("b", ADDRESS, start), None);
        assert_eq!(attempts.wait_at("a", ADDRESS, start + LOGIN_WINDOW), None);
        attempts.succeeded("a");
        assert_eq!(attempts.wait_at("a", ADDRESS, start), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_blocked() {
        let attempts = Attempts::default();
        let start = Instant::now();
        for number in 0..LOGIN_FAILURES_PER_ADDRESS_MAX {
            attempts.failed_at(&number.to_string(), ADDRESS, start);
        }
        attempts.succeeded("0");
        assert!(attempts.wait_at("new", ADDRESS, start).is_some());
        assert_eq!(attempts.wait_at("new", None, start), None);
    }

    #[test]
    fn the_table_stays_bounded() {
        let attempts = Attempts::default();
        for number in 0..LOGIN_TRACKED_MAX + 100 {
            attempts.failed_at(&number.to_string(), None, Instant::now());
        }
        assert!(attempts.lock().len() <= LOGIN_TRACKED_MAX);
        for number in 0..u32::try_from(LOGIN_TRACKED_MAX).expect("small") + 100 {
            for _ in 0..LOGIN_FAILURES_PER_ACCOUNT_MAX {
                attempts.failed_at(&format!("b{number}"), Some(IpAddr::V4(number.into())), Instant::now());
            }
        }
        assert!(attempts.lock().len() <= LOGIN_TRACKED_MAX + 1);
    }
}
