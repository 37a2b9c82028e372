//! Vectors as bytes: one scale per row, and how far the bytes can be from the truth.
//!
//! Not here: reading files and choosing an instruction set.

/// Rows start at multiples of this, so that a kernel never needs a tail loop.
pub(super) const ROW_ALIGN: usize = 64;

/// Bytes of a row of codes.
pub(super) const fn stride(dimension: usize) -> usize {
    dimension.div_ceil(ROW_ALIGN) * ROW_ALIGN
}

/// What the scan knows about a row beside its codes. Stored as it lies in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub(super) struct RowMeta {
    /// A component is about `code * scale`.
    pub scale: f32,
    /// Length of `row - code * scale`, rounded up.
    pub error_norm: f32,
    /// Length of `code * scale`, rounded up.
    pub code_norm: f32,
    /// Sum of the codes: what a kernel with one unsigned operand takes off again.
    pub code_sum: i32,
}

pub(super) const META_BYTES: usize = std::mem::size_of::<RowMeta>();

/// Makes bounds computed in f64 safe against their own last rounding, and the rounding of the scores that they bound.
const ROUND_UP: f64 = 1.000_001;
/// Share of the product of two lengths that float rounding of a score can cost, with room.
const SLACK: f64 = 1e-6;
/// Keeps the bounds above underflow.
const TINY: f64 = 1e-30;

/// Fills `codes` (at least as long as `vector`; the rest becomes zero) and says how good they are.
pub(super) fn quantise(vector: &[f32], codes: &mut [i8]) -> RowMeta {
    let largest = vector.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / f64::from(scale) } else { 0.0 };
    let (mut error, mut norm, mut code_sum) = (0f64, 0f64, 0i32);
    codes.fill(0);
    for (code, &value) in codes.iter_mut().zip(vector) {
        let rounded = (f64::from(value) * inverse).round().clamp(-127.0, 127.0);
        *code = rounded as i8;
        code_sum += i32::from(*code);
        let shown = rounded * f64::from(scale);
        error += (f64::from(value) - shown).powi(2);
        norm += shown * shown;
    }
    RowMeta { scale, error_norm: round_up(error.sqrt()), code_norm: round_up(norm.sqrt()), code_sum }
}

fn round_up(value: f64) -> f32 {
    (value * ROUND_UP + TINY) as f32
}

/// A query, quantised once for all rows.
pub(super) struct Query {
    pub codes: Vec<i8>,
    /// Codes plus 128, for kernels whose first operand is unsigned.
    pub offset_codes: Vec<u8>,
    /// Magnitudes of the codes, for kernels that move the sign to the other operand.
    pub magnitudes: Vec<u8>,
    scale: f32,
    /// Times a row's error norm: what the row's rounding can cost.
    row_error_factor: f32,
    /// Times a row's code norm: what the query's rounding can cost, and float arithmetic with it.
    query_error_factor: f32,
}

impl Query {
    pub(super) fn new(vector: &[f32]) -> Self {
        let mut codes = vec![0i8; stride(vector.len())];
        let meta = quantise(vector, &mut codes);
        let norm = vector.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        Self {
            offset_codes: codes.iter().map(|&code| (i16::from(code) + 128) as u8).collect(),
            magnitudes: codes.iter().map(|&code| code.unsigned_abs()).collect(),
            codes,
            scale: meta.scale,
            row_error_factor: round_up(norm * (1.0 + SLACK)),
            query_error_factor: round_up(f64::from(meta.error_norm) + SLACK * (norm + f64::from(meta.code_norm))),
        }
    }

    /// (lower, upper) bound of the exact score of a row whose codes gave `dot`.
    ///
    /// With row `x = sq + e` and query `y = tp + f`: `x.y - sq.tp = sq.f + e.y`, so by Cauchy and Schwarz the two differ by at most
    /// `|sq| |f| + |e| |y|`. The factors above hold `|f|` and `|y|` with what float rounding can add.
    #[inline(always)]
    pub(super) fn bounds(&self, row: &RowMeta, dot: i32) -> (f32, f32) {
        let about = row.scale * self.scale * dot as f32;
        let error = row.error_norm * self.row_error_factor + row.code_norm * self.query_error_factor;
        (about - error, about + error)
    }
}

/// The score itself. Products of two f32 are exact in f64, so the order of the sum can not be seen in the result, whatever machine adds it up.
pub(super) fn exact_dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0f64; 8];
    let (left_blocks, right_blocks) = (left.chunks_exact(8), right.chunks_exact(8));
    let tail: f64 = left_blocks.remainder().iter().zip(right_blocks.remainder()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    for (a, b) in left_blocks.zip(right_blocks) {
        for lane in 0..8 {
            lanes[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    (((a + b) + (c + d)) + ((e + f) + (g + h)) + tail) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = f32> {
        prop_oneof![-1f32..1f32, Just(0f32), Just(1f32), Just(-1f32), -1e-38f32..1e-38f32, -1e-44f32..1e-44f32, -1000f32..1000f32]
    }

    proptest! {
        #[test]
        fn the_exact_score_lies_between_the_bounds(pairs in prop::collection::vec((values(), values()), 1..600)) {
            let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let mut codes = vec![0i8; stride(x.len())];
            let meta = quantise(&x, &mut codes);
            let query = Query::new(&y);
            let dot = codes.iter().zip(&query.codes).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            let (lower, upper) = query.bounds(&meta, dot);
            let exact = exact_dot(&x, &y);
            prop_assert!(lower <= exact && exact <= upper, "{lower} {exact} {upper}");
        }
    }

    #[test]
    fn bounds_of_unit_vectors_are_narrow_enough_to_prune() {
        let x: Vec<f32> = (0..512).map(|i| ((i * 37 % 101) as f32 - 50.0) / 660.0).collect();
        let mut codes = vec![0i8; 512];
        let meta = quantise(&x, &mut codes);
        let query = Query::new(&x);
        let dot = codes.iter().map(|&code| i32::from(code) * i32::from(code)).sum();
        let (lower, upper) = query.bounds(&meta, dot);
        assert!(upper - lower < 0.05, "{lower} {upper}");
    }
}
