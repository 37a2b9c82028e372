//! Exact nearest rows: byte scan with bounds, then the true scores of those that may be among the best.
//!
//! Not here: which space is searched, and by whom. The result is that of comparing with every row in full precision: a row is left out only
//! when the upper bound of its score lies below what `top_k` other rows surely reach.

use super::quantise::{Query, exact_dot};
use super::simd::Kernel;
use super::space::SpaceView;
use crate::provider::ScoredChunk;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Rows whose dot products are held at once.
const BLOCK_ROWS: usize = 256;
/// Candidates are thinned out when this many more have gathered.
const THIN_OUT: usize = 4096;

/// What one search wants to know.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) vector: Vec<f32>,
    /// Empty: all.
    pub(super) knowledge_ids: Vec<String>,
    pub(super) top_k: usize,
}

/// A search on its way through the rows.
struct Under<'a> {
    asked: &'a Asked,
    query: Query,
    candidates: Candidates,
}

/// The nearest rows for each of several searches, as each would find them alone, in one pass over the rows.
pub(super) fn search_all(view: &SpaceView, asked: &[Asked], kernel: Kernel) -> Vec<Vec<ScoredChunk>> {
    let finds = |asked: &Asked| asked.top_k > 0 && view.live() > 0 && asked.vector.len() == view.map.layout().dimension;
    let mut under: Vec<Option<Under<'_>>> = asked
        .iter()
        .map(|asked| finds(asked).then(|| Under { asked, query: Query::new(&asked.vector), candidates: Candidates::new(asked.top_k) }))
        .collect();
    let mut everywhere: Vec<&mut Under<'_>> = Vec::new();
    for one in under.iter_mut().flatten() {
        if one.asked.knowledge_ids.is_empty() {
            everywhere.push(one);
        } else {
            for rows in view.rows_of(&one.asked.knowledge_ids) {
                scan(view, rows, kernel, &mut [&mut *one]);
            }
        }
    }
    if !everywhere.is_empty() {
        scan(view, (0, view.rows), kernel, &mut everywhere);
    }
    let hits = |one: Under<'_>| rescore(view, &one.asked.vector, one.candidates, one.asked.top_k);
    under.into_iter().map(|one| one.map(hits).unwrap_or_default()).collect()
}

pub(super) fn search(view: &SpaceView, asked: Asked, kernel: Kernel) -> Vec<ScoredChunk> {
    search_all(view, &[asked], kernel).pop().unwrap_or_default()
}

/// Block by block, so that a block is in the cache of the core for the second search and all after it.
fn scan(view: &SpaceView, (first, count): (usize, usize), kernel: Kernel, searches: &mut [&mut Under<'_>]) {
    let mut dots = [0i32; BLOCK_ROWS];
    for start in (first..first + count).step_by(BLOCK_ROWS) {
        let rows = BLOCK_ROWS.min(first + count - start);
        let (metas, codes) = (view.map.metas(start, rows), view.map.codes(start, rows));
        for Under { query, candidates, .. } in searches.iter_mut().map(|one| &mut **one) {
            let dots = &mut dots[..rows];
            kernel.dots(query, metas, codes, dots);
            for (place, (meta, &dot)) in metas.iter().zip(dots.iter()).enumerate() {
                let (lower, upper) = query.bounds(meta, dot);
                if upper >= candidates.floor && !view.dead.contains(start + place) {
                    candidates.add(lower, upper, start + place);
                }
            }
        }
    }
}

/// f32 in its total order.
#[derive(Clone, Copy, PartialEq)]
struct Ordered(f32);

impl Eq for Ordered {}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Rows that may be among the best.
struct Candidates {
    top_k: usize,
    /// The `top_k` best lower bounds; the least of them on top.
    lowers: BinaryHeap<std::cmp::Reverse<Ordered>>,
    /// A row whose upper bound is below this is out: `top_k` rows score at least this.
    floor: f32,
    rows: Vec<(f32, u32)>,
    thin_out_at: usize,
}

impl Candidates {
    fn new(top_k: usize) -> Self {
        Self { top_k, lowers: BinaryHeap::new(), floor: f32::NEG_INFINITY, rows: Vec::new(), thin_out_at: THIN_OUT }
    }

    #[inline]
    fn add(&mut self, lower: f32, upper: f32, row: usize) {
        self.rows.push((upper, row as u32));
        if self.lowers.len() < self.top_k || lower > self.floor {
            if self.lowers.len() == self.top_k {
                self.lowers.pop();
            }
            self.lowers.push(std::cmp::Reverse(Ordered(lower)));
            if self.lowers.len() == self.top_k {
                self.floor = self.lowers.peek().map_or(f32::NEG_INFINITY, |least| least.0.0);
            }
        }
        if self.rows.len() >= self.thin_out_at {
            self.thin_out();
            self.thin_out_at = self.rows.len() + THIN_OUT;
        }
    }

    fn thin_out(&mut self) {
        let floor = self.floor;
        self.rows.retain(|&(upper, _)| upper >= floor);
    }
}

/// True scores in falling order of the upper bounds, until no bound reaches the last place.
fn rescore(view: &SpaceView, vector: &[f32], mut candidates: Candidates, top_k: usize) -> Vec<ScoredChunk> {
    candidates.thin_out();
    let mut rows = candidates.rows;
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut best: Vec<(f32, u32)> = Vec::with_capacity(top_k.min(rows.len()) + 1);
    let order = |a: &(f32, u32), b: &(f32, u32)| {
        b.0.total_cmp(&a.0).then_with(|| view.map.chunk_id(a.1 as usize).cmp(view.map.chunk_id(b.1 as usize)))
    };
    for (upper, row) in rows {
        if best.len() == top_k && best.last().is_some_and(|last| upper < last.0) {
            break;
        }
        // Adding zero makes one zero of the two that f32 has, so that they count as equal.
        let scored = (exact_dot(vector, view.map.full(row as usize, 1)) + 0.0, row);
        let place = best.partition_point(|other| order(other, &scored) == Ordering::Less);
        if place < top_k {
            best.insert(place, scored);
            best.truncate(top_k);
        }
    }
    best.into_iter().map(|(score, row)| ScoredChunk { chunk_id: view.map.chunk_id(row as usize).to_owned(), score }).collect()
}
