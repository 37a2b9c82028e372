//! The network: three convolutions over the pieces, a mean, and a dense head.
//!
//! Not here: the arithmetic of a matrix (`dense`), and where the vectors come from. Shapes and order are those of universal-sentence-encoder-multilingual v3;
//! long texts are averaged over windows, which found more of what was asked for than one mean over all.

use super::dense::{Inputs, Matrix};
use super::table::{Table, TableError};
use super::{DIMENSION, dot, exact, sum, to_unit};

/// Numbers that a convolution makes of each piece.
const CHANNELS: usize = 256;
/// Width of each convolution, and how far it looks back.
const BRANCHES: [(usize, usize); 3] = [(2, 0), (3, 1), (5, 2)];
const MIDDLE: usize = CHANNELS * BRANCHES.len();
const FEATURES: usize = DIMENSION + MIDDLE;
const HIDDEN: usize = 320;
/// Pieces in a window of a long text.
const WINDOW_TOKENS: usize = 24;
const EPSILON: f32 = 1e-12;

/// The vectors of pieces, as the network reads them.
pub trait Vectors {
    /// Writes the vector of a piece into `row`.
    fn vector(&self, id: u32, row: &mut [f32]);
}

struct Branch {
    width: usize,
    left: usize,
    layers: [Matrix; 2],
}

struct Head {
    first: Matrix,
    first_out: Matrix,
    second: Matrix,
    third: Matrix,
    skip: Matrix,
    last: Matrix,
}

pub struct Network {
    project: Matrix,
    gain: Vec<f32>,
    shift: Vec<f32>,
    branches: Vec<Branch>,
    pool: Matrix,
    /// what the last normalisation multiplies each feature by; empty: it is inside of `pool`
    pool_gain: Vec<f32>,
    /// what a row's mean takes from each output of `pool`
    pool_sum: Vec<f32>,
    pool_bias: Vec<f32>,
    /// adds up a vector as its unturned form would
    ones: Vec<f32>,
    head: Head,
}

/// Pooled features of one window.
struct Pooled {
    features: Vec<f32>,
    /// sum of the rows' means, each divided by its row's deviation
    means: f32,
    tokens: usize,
}

impl Network {
    pub fn read(table: &Table) -> Result<Self, TableError> {
        let mut branches = Vec::new();
        for (width, left) in BRANCHES {
            let layer = |n: usize| {
                Matrix::read(table, &format!("C{width}W{n}"), width * CHANNELS, CHANNELS)?.with_bias(table, &format!("C{width}B{n}"))
            };
            branches.push(Branch { width, left, layers: [layer(1)?, layer(2)?] });
        }
        Ok(Self {
            project: Matrix::read(table, "PROJ", DIMENSION, MIDDLE)?.with_bias(table, "PRJB")?,
            gain: table.floats("LNGA", MIDDLE)?,
            shift: table.floats("LNBE", MIDDLE)?,
            branches,
            pool: Matrix::read(table, "POOL", FEATURES, DIMENSION)?,
            pool_gain: if table.section("POGA").is_ok() { table.floats("POGA", FEATURES)? } else { Vec::new() },
            pool_sum: table.floats("PSUM", DIMENSION)?,
            pool_bias: table.floats("PBIA", DIMENSION)?,
            ones: table.floats("ONES", DIMENSION)?,
            head: Head {
                first: Matrix::read(table, "HDD0", DIMENSION, HIDDEN)?,
                first_out: Matrix::read(table, "HDD1", HIDDEN, HIDDEN)?,
                second: Matrix::read(table, "HDP1", DIMENSION, HIDDEN)?,
                third: Matrix::read(table, "HDD2", HIDDEN, DIMENSION)?,
                skip: Matrix::read(table, "HDP3", HIDDEN, DIMENSION)?,
                last: Matrix::read(table, "HDD3", DIMENSION, DIMENSION)?,
            },
        })
    }

    /// The unit vector of a text's ids. There is at least one id.
    pub fn embed(&self, pieces: &impl Vectors, ids: &[u32]) -> Vec<f32> {
        let mut vectors = vec![0.0; ids.len() * DIMENSION];
        for (id, row) in ids.iter().zip(vectors.chunks_exact_mut(DIMENSION)) {
            pieces.vector(*id, row);
        }
        let windows = self.pool(&vectors, &self.convolve(&vectors, ids.len()), ids.len());
        let rows = self.to_rows(&windows, ids.len());
        let answers = self.head(&rows, rows.len() / DIMENSION);
        let mut answers: Vec<&[f32]> = answers.chunks_exact(DIMENSION).collect();
        let whole = answers.pop().unwrap_or_default();
        let mut row = vec![0.0; DIMENSION];
        for answer in &answers {
            row.iter_mut().zip(*answer).for_each(|(sum, x)| *sum += x);
        }
        to_unit(&mut row);
        row.iter_mut().zip(whole).for_each(|(sum, x)| *sum += x);
        to_unit(&mut row);
        row
    }

    /// The three convolutions' answers, `MIDDLE` numbers for each piece.
    fn convolve(&self, vectors: &[f32], count: usize) -> Vec<f32> {
        let mut x = self.project.multiply(&Inputs::round(vectors, DIMENSION, 0, DIMENSION, 0, 0), count);
        for row in x.chunks_exact_mut(MIDDLE) {
            let (mean, inverse) = deviation(sum(row, |x| x), sum(row, |x| x * x), MIDDLE);
            for ((x, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
                *x = (*x - mean) * inverse * gain + shift;
            }
        }
        for (index, branch) in self.branches.iter().enumerate() {
            for layer in &branch.layers {
                let from = index * CHANNELS;
                let inputs = Inputs::round(&x, MIDDLE, from, CHANNELS, branch.left, branch.width - 1 - branch.left);
                let answer = layer.multiply(&inputs, count);
                for (row, answer) in x.chunks_exact_mut(MIDDLE).zip(answer.chunks_exact(CHANNELS)) {
                    row[from..from + CHANNELS].iter_mut().zip(answer).for_each(|(x, y)| *x += exact::positive(*y));
                }
            }
        }
        x
    }

    /// Normalises each piece's features and adds them up, window by window.
    fn pool(&self, vectors: &[f32], middle: &[f32], count: usize) -> Vec<Pooled> {
        let parts = ((count + WINDOW_TOKENS / 2) / WINDOW_TOKENS).max(1);
        let mut windows = Vec::with_capacity(parts);
        for part in 0..parts {
            let (start, end) = (count * part / parts, count * (part + 1) / parts);
            let mut pooled = Pooled { features: vec![0.0; FEATURES], means: 0.0, tokens: end - start };
            for token in start..end {
                let e = &vectors[token * DIMENSION..][..DIMENSION];
                let c = &middle[token * MIDDLE..][..MIDDLE];
                let squares = sum(e, |x| x * x) + sum(c, |x| x * x);
                let (mean, inverse) = deviation(dot(e, &self.ones) + sum(c, |x| x), squares, FEATURES);
                pooled.means += mean * inverse;
                let (of_pieces, of_middle) = pooled.features.split_at_mut(DIMENSION);
                of_pieces.iter_mut().zip(e).for_each(|(total, x)| *total += x * inverse);
                of_middle.iter_mut().zip(c).for_each(|(total, x)| *total += x * inverse);
            }
            pooled.features.iter_mut().zip(&self.pool_gain).for_each(|(x, gain)| *x *= gain);
            windows.push(pooled);
        }
        windows
    }

    /// One row for each window, where there are several, and one for the whole.
    fn to_rows(&self, windows: &[Pooled], tokens: usize) -> Vec<f32> {
        let features: Vec<f32> = windows.iter().flat_map(|window| window.features.iter().copied()).collect();
        let sums = self.pool.multiply(&Inputs::round(&features, FEATURES, 0, FEATURES, 0, 0), windows.len());
        let mut rows = Vec::with_capacity((windows.len() + 1) * DIMENSION);
        let mut whole = vec![0.0; DIMENSION];
        for (window, sum) in windows.iter().zip(sums.chunks_exact(DIMENSION)) {
            let tokens = window.tokens as f32;
            for (column, x) in sum.iter().enumerate() {
                let x = x - window.means * self.pool_sum[column] + tokens * self.pool_bias[column];
                whole[column] += x;
                if windows.len() > 1 {
                    rows.push(x / tokens.sqrt());
                }
            }
        }
        rows.extend(whole.iter().map(|x| x / (tokens as f32).sqrt()));
        rows
    }

    /// The dense layers; rows of unit length.
    fn head(&self, rows: &[f32], count: usize) -> Vec<f32> {
        let round = |data: &[f32], width: usize| Inputs::round(data, width, 0, width, 0, 0);
        let (head, input) = (&self.head, round(rows, DIMENSION));
        let first = relu(head.first.multiply(&input, count));
        let second = relu(add(head.second.multiply(&input, count), &head.first_out.multiply(&round(&first, HIDDEN), count)));
        let second = round(&second, HIDDEN);
        let third = relu(head.third.multiply(&second, count));
        let mut last = add(head.skip.multiply(&second, count), &head.last.multiply(&round(&third, DIMENSION), count));
        last.iter_mut().for_each(|x| *x = exact::tanh(*x));
        last.chunks_exact_mut(DIMENSION).for_each(to_unit);
        last
    }
}

/// Mean, and one over the standard deviation, from a sum and a sum of squares.
fn deviation(sum: f32, squares: f32, count: usize) -> (f32, f32) {
    let mean = sum / count as f32;
    (mean, 1.0 / (squares / count as f32 - mean * mean + EPSILON).max(EPSILON).sqrt())
}

fn relu(mut values: Vec<f32>) -> Vec<f32> {
    values.iter_mut().for_each(|x| *x = exact::positive(*x));
    values
}

fn add(mut left: Vec<f32>, right: &[f32]) -> Vec<f32> {
    left.iter_mut().zip(right).for_each(|(x, y)| *x += y);
    left
}
