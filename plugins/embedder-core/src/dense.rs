//! Matrices of 8-bit weights, multiplied with inputs that are rounded to 14 bits.
//!
//! Not here: the inner loop (`lanes`), and which matrix follows which (`network`).

use super::lanes::{PAIRS, ROWS, Weights, round, tile, weights};
use super::table::{Table, TableError, to_floats};

/// Largest rounded input. With 1280 inputs and weights up to 127 a sum stays below 2^31.
const LEVELS: f32 = 8000.0;
const INPUTS_MAX: usize = 1280;
/// Outputs that `tile` works on together.
const OUTPUTS: usize = 8;

/// Inputs, rounded, two in a word. Rows may overlap: a convolution reads its neighbours' rows as part of its own.
pub(super) struct Inputs {
    pairs: Vec<i32>,
    /// words from one row to the next
    stride: usize,
    scale: f32,
}

impl Inputs {
    /// Rounds columns `from..from + width` of rows of length `row_length`, with rows of zeros before and after.
    pub(super) fn round(data: &[f32], row_length: usize, from: usize, width: usize, before: usize, after: usize) -> Self {
        let columns = || data.chunks_exact(row_length).map(|row| &row[from..from + width]);
        let most = largest(columns());
        let factor = LEVELS / most;
        let stride = width / 2;
        let mut pairs = vec![0; before * stride];
        for row in columns() {
            row.as_chunks().0.iter().for_each(|eight| pairs.extend(round(eight, factor)));
        }
        pairs.resize(pairs.len() + after * stride, 0);
        Self { pairs, stride, scale: most / LEVELS }
    }
}

/// The largest absolute value, in lanes; what is no number does not count.
fn largest<'a>(rows: impl Iterator<Item = &'a [f32]>) -> f32 {
    let mut lanes = [1e-12_f32; 8];
    for row in rows {
        for eight in row.as_chunks::<8>().0 {
            for (most, x) in lanes.iter_mut().zip(eight) {
                *most = if x.abs() > *most { x.abs() } else { *most };
            }
        }
    }
    lanes.into_iter().fold(0.0, |most, x| if x > most { x } else { most })
}

pub(super) struct Matrix {
    inputs: usize,
    outputs: usize,
    scales: Vec<f32>,
    bias: Vec<f32>,
    /// for each four outputs, for each pair of inputs, eight weights
    packed: Vec<Weights>,
}

impl Matrix {
    /// Reads a section of `outputs` scales, then one row of weights for each output; without a bias.
    pub(super) fn read(table: &Table, tag: &str, inputs: usize, outputs: usize) -> Result<Self, TableError> {
        if inputs > INPUTS_MAX || !inputs.is_multiple_of(2 * PAIRS) || !outputs.is_multiple_of(OUTPUTS) {
            return Err(TableError::new(format!("section {tag} has a size that does not fit")));
        }
        let section = table.sized(tag, outputs * (4 + inputs))?;
        let (scales, bytes) = section.split_at(4 * outputs);
        let weight = |output: usize, input: usize| i16::from(bytes[output * inputs + input] as i8);
        let mut packed = Vec::with_capacity(outputs * inputs / 8);
        for block in (0..outputs).step_by(4) {
            for input in (0..inputs).step_by(2) {
                packed.push(weights(std::array::from_fn(|i| weight(block + i / 2, input + i % 2))));
            }
        }
        Ok(Self { inputs, outputs, scales: to_floats(scales), bias: vec![0.0; outputs], packed })
    }

    pub(super) fn with_bias(mut self, table: &Table, tag: &str) -> Result<Self, TableError> {
        self.bias = table.floats(tag, self.outputs)?;
        Ok(self)
    }

    /// `rows` rows of outputs, flat.
    pub(super) fn multiply(&self, inputs: &Inputs, rows: usize) -> Vec<f32> {
        let mut out = vec![0.0; rows * self.outputs];
        let pairs = self.inputs / 2;
        let row = |index: usize| {
            let at = index.min(rows.saturating_sub(1)) * inputs.stride;
            &inputs.pairs[at..at + pairs]
        };
        for (block, packed) in self.packed.chunks_exact(2 * pairs).enumerate() {
            let (left, right) = packed.split_at(pairs);
            let first = block * OUTPUTS;
            let scale: [f32; OUTPUTS] = std::array::from_fn(|i| self.scales[first + i] * inputs.scale);
            for start in (0..rows).step_by(ROWS) {
                let sums = tile(std::array::from_fn(|i| row(start + i)), left, right);
                for (sums, out) in sums.iter().zip(out[start * self.outputs..].chunks_mut(self.outputs)) {
                    for (i, sum) in sums.as_flattened().iter().enumerate() {
                        out[first + i] = *sum as f32 * scale[i] + self.bias[first + i];
                    }
                }
            }
        }
        out
    }
}
