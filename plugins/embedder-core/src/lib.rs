//! The embedding model itself: text to 512 numbers, and the answer to a request that is made of them.
//!
//! Shared by `embedder-local`, which brings a small table, and `embedder-full`, which reads the whole model from files.
//!
//! Not here: how the small table was made (`embedder-local/derive`), and how plugins are called.

mod answer;
mod dense;
mod exact;
mod lanes;
mod network;
mod normalise;
mod pieces;
mod statics;
mod table;
#[cfg(test)]
mod tests;
mod tokenise;

pub use answer::embeddings;
pub use network::{Network, Vectors};
pub use normalise::Normaliser;
pub use table::{Table, TableError, pack};
pub use tokenise::Tokeniser;

use pieces::Pieces;
use statics::Statics;

/// Row length of both variants.
pub const DIMENSION: usize = 512;
/// More tokens than this of one text are not read by the network: time grows with them, and a chunk never has so many.
pub const NETWORK_TOKENS_MAX: usize = 1024;
/// Texts are tokenised in slices of this size, which bounds memory whatever their length.
const SLICE_BYTES_MAX: usize = 16 << 10;

/// Which of the two models of the table answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// the whole network: better, about ten milliseconds a chunk
    Network,
    /// a weighted mean of the pieces' directions: ten times faster
    Static,
}

/// An embedding and the number of tokens that went into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// unit length
    pub row: Vec<f32>,
    pub tokens: usize,
}

/// The model, ready to embed.
pub struct Model {
    tokeniser: Tokeniser,
    pieces: Pieces,
    network: Network,
    statics: Statics,
}

impl Model {
    /// Reads the table; everything that is slow is done here.
    pub fn read(bytes: &'static [u8]) -> Result<Self, TableError> {
        let table = Table::read(bytes)?;
        let meta = table.meta()?;
        let tokeniser = Tokeniser::read(&table, &meta)?;
        let pieces = Pieces::read(&table, &meta)?;
        let network = Network::read(&table)?;
        let statics = Statics::read(&table, &meta, &tokeniser)?;
        Ok(Self { tokeniser, pieces, network, statics })
    }

    pub fn embed(&self, variant: Variant, text: &str) -> Embedded {
        match variant {
            Variant::Network => {
                let ids = self.tokeniser.tokens(text);
                Embedded { row: self.network.embed(&self.pieces, &ids), tokens: ids.len() }
            }
            Variant::Static => {
                let mut sum = self.statics.start();
                let mut tokens = 0;
                for slice in slices(text) {
                    let ids = self.tokeniser.encode(slice);
                    tokens += ids.len();
                    self.statics.add(&self.pieces, &ids, &mut sum);
                }
                Embedded { row: self.statics.finish(sum), tokens }
            }
        }
    }
}

impl Tokeniser {
    /// The tokens that the network reads of a text, with the marks of start and end: at least three, at most `NETWORK_TOKENS_MAX`.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let slice = slices(text).next().unwrap_or_default();
        let mut ids = vec![tokenise::START];
        ids.extend(self.encode(slice));
        if ids.len() == 1 {
            ids.push(tokenise::UNKNOWN);
        }
        ids.truncate(NETWORK_TOKENS_MAX - 1);
        ids.push(tokenise::END);
        ids
    }
}

/// Cuts a text into slices of bounded size, at blanks where there are any.
fn slices(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut cut = rest.len().min(SLICE_BYTES_MAX);
        while !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        if cut < rest.len() {
            cut = rest[..cut].rfind(' ').filter(|at| *at > SLICE_BYTES_MAX / 2).unwrap_or(cut);
        }
        let (slice, after) = rest.split_at(cut);
        rest = after;
        Some(slice)
    })
}

/// Sums are made in so many lanes, in this order everywhere, so that every machine and every form of the plugin gives the same bits.
const LANES: usize = 8;

/// Adds up what `each` makes of the values; their count is a multiple of [`LANES`].
fn sum(values: &[f32], each: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    for eight in values.as_chunks::<LANES>().0 {
        lanes.iter_mut().zip(eight).for_each(|(lane, x)| *lane += each(*x));
    }
    lanes.iter().sum()
}

/// The inner product of two rows of one length, a multiple of [`LANES`].
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    for (left, right) in left.as_chunks::<LANES>().0.iter().zip(right.as_chunks::<LANES>().0) {
        lanes.iter_mut().zip(left.iter().zip(right)).for_each(|(lane, (x, y))| *lane += x * y);
    }
    lanes.iter().sum()
}

/// Scales a row to unit length; a row of zeros stays.
fn to_unit(row: &mut [f32]) {
    let length = sum(row, |x| x * x).sqrt();
    if length > 1e-9 {
        row.iter_mut().for_each(|x| *x /= length);
    }
}
