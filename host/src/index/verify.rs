//! Compares what the index holds with what SQL says it should hold.
//!
//! Not here: repairing; a rebuild does that.

use super::follower::Follower;
use crate::domain::TenantId;
use crate::error::Result;
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    pub chunks_in_database: u64,
    pub chunks_in_index: u64,
    /// Entries of words and of vectors that a search can not find, although it should.
    pub missing_count: u64,
    /// Entries that a search may find although their chunks are gone.
    pub surplus_count: u64,
    /// Some of those ids.
    pub examples: Vec<String>,
}

impl Verification {
    pub fn is_good(&self) -> bool {
        self.missing_count == 0 && self.surplus_count == 0
    }

    fn compare(&mut self, expected: &BTreeSet<String>, found: Vec<String>) {
        // A chunk that is there twice is one too many.
        let count = found.len();
        let found: BTreeSet<String> = found.into_iter().collect();
        self.surplus_count += (count - found.len()) as u64;
        for id in expected.difference(&found) {
            self.missing_count += 1;
            self.example(id);
        }
        for id in found.difference(expected) {
            self.surplus_count += 1;
            self.example(id);
        }
    }

    fn example(&mut self, id: &str) {
        // A chunk has an entry for its words and one for its vector.
        let is_known = self.examples.iter().any(|known| known == id);
        if !is_known && self.examples.len() < limits::INDEX_DIFFERENCES_SHOWN {
            self.examples.push(id.to_owned());
        }
    }
}

/// Chunk ids of a knowledge base: all, and those with a vector.
type Expected = (BTreeSet<String>, BTreeSet<String>);

impl Follower {
    /// Compares ids of all knowledge bases. Changes on the way during a comparison would look like differences, so it is repeated when there
    /// were some.
    pub async fn verify(&self, time: Duration) -> Result<Verification> {
        let deadline = Instant::now() + time;
        loop {
            let start = self.feed().store.max_sequence().await?;
            self.wait_until(start, deadline).await?;
            let result = self.compare().await?;
            if result.is_good() || self.feed().store.max_sequence().await? == start || Instant::now() > deadline {
                return Ok(result);
            }
        }
    }

    async fn compare(&self) -> Result<Verification> {
        let mut bases = BTreeMap::<(i64, String), Expected>::new();
        let mut after = String::new();
        loop {
            let rows = self.feed().store.list_index_rows(&after, limits::INDEX_ROWS_MAX).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.chunk_id);
            for row in rows {
                let (all, with_vector) = bases.entry((row.tenant_id.0, row.knowledge_base_id)).or_default();
                if row.vector.is_some() {
                    with_vector.insert(row.chunk_id.clone());
                }
                all.insert(row.chunk_id);
            }
        }
        for space in self.index().spaces()? {
            bases.entry(space).or_default();
        }
        let mut result = Verification::default();
        for ((tenant_id, base), (all, with_vector)) in bases {
            let scope = (self.feed().scope_of)(TenantId(tenant_id));
            let (keywords, vectors) = self.index().chunk_ids(&scope, &base).await?;
            result.chunks_in_database += all.len() as u64;
            result.chunks_in_index += keywords.len() as u64;
            result.compare(&all, keywords);
            result.compare(&with_vector, vectors);
        }
        Ok(result)
    }
}
