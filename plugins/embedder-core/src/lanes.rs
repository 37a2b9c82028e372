//! Sums of products of 16-bit numbers, eight at a time: simd128 in WASM, plain loops elsewhere, the same integers from both.
//!
//! Not here: matrices (`dense`). In WASM a function with `target_feature` is safe to call: a module that needs simd128 is not loaded without it.

#[cfg(target_arch = "wasm32")]
mod arch {
    use std::arch::wasm32::{i16x8, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, v128};

    pub(crate) type Weights = v128;
    pub(crate) type Sums = v128;

    #[target_feature(enable = "simd128")]
    pub(crate) fn weights(w: [i16; 8]) -> Weights {
        i16x8(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7])
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    pub(crate) fn zero() -> Sums {
        i32x4_splat(0)
    }

    /// Adds, for four outputs, the products of a pair of inputs (two 16-bit numbers in one word) with the outputs' weights.
    #[inline]
    #[target_feature(enable = "simd128")]
    pub(crate) fn add_products(sums: Sums, pair: i32, weights: Weights) -> Sums {
        i32x4_add(sums, i32x4_dot_i16x8(i32x4_splat(pair), weights))
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    pub(crate) fn to_array(sums: Sums) -> [i32; 4] {
        [i32x4_extract_lane::<0>(sums), i32x4_extract_lane::<1>(sums), i32x4_extract_lane::<2>(sums), i32x4_extract_lane::<3>(sums)]
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod arch {
    pub(crate) type Weights = [i16; 8];
    pub(crate) type Sums = [i32; 4];

    pub(crate) fn weights(w: [i16; 8]) -> Weights {
        w
    }

    #[inline]
    pub(crate) fn zero() -> Sums {
        [0; 4]
    }

    #[inline]
    pub(crate) fn add_products(sums: Sums, pair: i32, weights: Weights) -> Sums {
        let (low, high) = (i32::from(pair as i16), pair >> 16);
        std::array::from_fn(|i| sums[i] + low * i32::from(weights[2 * i]) + high * i32::from(weights[2 * i + 1]))
    }

    #[inline]
    pub(crate) fn to_array(sums: Sums) -> [i32; 4] {
        sums
    }
}

pub(super) use arch::{Sums, Weights, add_products, to_array, weights, zero};

/// Rows that are worked on together: their sums and the weights fit into the sixteen registers of a core.
pub(super) const ROWS: usize = 4;

/// Sums for four rows and eight outputs.
pub(super) type Tile = [[[i32; 4]; 2]; ROWS];

/// The inner loop: four rows of input pairs against two times four outputs. All slices have the same length.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(super) fn tile(rows: [&[i32]; ROWS], left: &[Weights], right: &[Weights]) -> Tile {
    let mut sums: [[Sums; 2]; ROWS] = [[zero(); 2]; ROWS];
    let [a, b, c, d] = rows;
    for (((((l, r), a), b), c), d) in left.iter().zip(right).zip(a).zip(b).zip(c).zip(d) {
        for (sum, pair) in sums.iter_mut().zip([*a, *b, *c, *d]) {
            sum[0] = add_products(sum[0], pair, *l);
            sum[1] = add_products(sum[1], pair, *r);
        }
    }
    [
        [to_array(sums[0][0]), to_array(sums[0][1])],
        [to_array(sums[1][0]), to_array(sums[1][1])],
        [to_array(sums[2][0]), to_array(sums[2][1])],
        [to_array(sums[3][0]), to_array(sums[3][1])],
    ]
}
