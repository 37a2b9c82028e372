//! Numbers that repeat with their seed, for checks that choose at random.
//!
//! Not here: how often they are drawn (`tests/counts.toml`).

use crate::count;
use std::time::{SystemTime, UNIX_EPOCH};

/// xorshift64*
pub struct Random(u64);

impl Random {
    /// From `seed` of `tests/counts.toml`, or from the clock where that is 0; printed, so that a failure can be repeated.
    pub fn from_counts() -> Self {
        let seed = match count("seed") {
            0 => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64 | 1),
            seed => seed,
        };
        eprintln!("seed {seed}");
        Self(seed)
    }

    /// From 0 to below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound.max(1)
    }
}
