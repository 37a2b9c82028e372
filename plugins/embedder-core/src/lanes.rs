//! Sums of products of 16-bit numbers, eight at a time: simd128 in WASM, SSE2 on x86-64, plain loops elsewhere, the same integers from all.
//!
//! Not here: matrices (`dense`). In WASM a function with `target_feature` is safe to call: a module that needs simd128 is not loaded without it.

#[cfg(target_arch = "wasm32")]
mod arch {
    use std::arch::wasm32::{
        f32x4, f32x4_add, f32x4_mul, f32x4_splat, i16x8, i16x8_narrow_i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat,
        i32x4_trunc_sat_f32x4, v128, v128_and, v128_or,
    };

    pub(crate) type Weights = v128;
    pub(crate) type Sums = v128;

    #[inline]
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

    /// Multiplies, rounds half away from zero, and packs two numbers into each word. What is no number becomes 0.
    #[inline]
    #[target_feature(enable = "simd128")]
    pub(crate) fn round(x: &[f32; 8], factor: f32) -> [i32; 4] {
        let (factor, sign, half) = (f32x4_splat(factor), i32x4_splat(i32::MIN), f32x4_splat(0.5));
        let four = |x: v128| i32x4_trunc_sat_f32x4(f32x4_add(f32x4_mul(x, factor), v128_or(v128_and(x, sign), half)));
        to_array(i16x8_narrow_i32x4(four(f32x4(x[0], x[1], x[2], x[3])), four(f32x4(x[4], x[5], x[6], x[7]))))
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    pub(crate) fn to_array(sums: Sums) -> [i32; 4] {
        [i32x4_extract_lane::<0>(sums), i32x4_extract_lane::<1>(sums), i32x4_extract_lane::<2>(sums), i32x4_extract_lane::<3>(sums)]
    }
}

#[cfg(target_arch = "x86_64")]
mod arch {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_set_epi16, _mm_set1_epi32, _mm_setzero_si128, _mm_shuffle_epi32,
    };

    pub(crate) type Weights = __m128i;
    pub(crate) type Sums = __m128i;

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(crate) fn weights(w: [i16; 8]) -> Weights {
        _mm_set_epi16(w[7], w[6], w[5], w[4], w[3], w[2], w[1], w[0])
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(crate) fn zero() -> Sums {
        _mm_setzero_si128()
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(crate) fn add_products(sums: Sums, pair: i32, weights: Weights) -> Sums {
        _mm_add_epi32(sums, _mm_madd_epi16(_mm_set1_epi32(pair), weights))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(crate) fn to_array(sums: Sums) -> [i32; 4] {
        [
            _mm_cvtsi128_si32(sums),
            _mm_cvtsi128_si32(_mm_shuffle_epi32::<1>(sums)),
            _mm_cvtsi128_si32(_mm_shuffle_epi32::<2>(sums)),
            _mm_cvtsi128_si32(_mm_shuffle_epi32::<3>(sums)),
        ]
    }
}

#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
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

#[cfg(target_arch = "wasm32")]
pub(super) use arch::round;

/// Multiplies, rounds half away from zero, and packs two numbers into each word. What is no number becomes 0.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn round(x: &[f32; 8], factor: f32) -> [i32; 4] {
    let one = |x: f32| ((x * factor + 0.5_f32.copysign(x)) as i32).clamp(i32::from(i16::MIN), i32::from(i16::MAX));
    std::array::from_fn(|i| one(x[2 * i + 1]) << 16 | one(x[2 * i]) & 0xffff)
}

pub(super) use arch::Weights;
use arch::{Sums, add_products, to_array, zero};

pub(super) fn weights(w: [i16; 8]) -> Weights {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a function of SSE2")]
    // SAFETY: every x86-64 has SSE2.
    unsafe {
        arch::weights(w)
    }
    #[cfg(not(target_arch = "x86_64"))]
    arch::weights(w)
}

/// Rows that are worked on together: their sums and the weights fit into the sixteen registers of a core.
pub(super) const ROWS: usize = 4;

/// Sums for four rows and eight outputs.
pub(super) type Tile = [[[i32; 4]; 2]; ROWS];

/// Pairs of inputs that the loop takes in one go, so that counting costs little.
pub(super) const PAIRS: usize = 4;

/// Four rows of input pairs against two times four outputs. All slices have the same length, a multiple of [`PAIRS`].
pub(super) fn tile(rows: [&[i32]; ROWS], left: &[Weights], right: &[Weights]) -> Tile {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a function of SSE2")]
    // SAFETY: every x86-64 has SSE2.
    unsafe {
        inner_loop(rows, left, right)
    }
    #[cfg(not(target_arch = "x86_64"))]
    inner_loop(rows, left, right)
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
#[cfg_attr(target_arch = "x86_64", target_feature(enable = "sse2"))]
fn inner_loop(rows: [&[i32]; ROWS], left: &[Weights], right: &[Weights]) -> Tile {
    let mut sums: [[Sums; 2]; ROWS] = [[zero(); 2]; ROWS];
    let [a, b, c, d] = rows.map(|row| row.as_chunks::<PAIRS>().0);
    let (left, right) = (left.as_chunks::<PAIRS>().0, right.as_chunks::<PAIRS>().0);
    for (((((l, r), a), b), c), d) in left.iter().zip(right).zip(a).zip(b).zip(c).zip(d) {
        for i in 0..PAIRS {
            for (sum, pair) in sums.iter_mut().zip([a[i], b[i], c[i], d[i]]) {
                sum[0] = add_products(sum[0], pair, l[i]);
                sum[1] = add_products(sum[1], pair, r[i]);
            }
        }
    }
    [
        [to_array(sums[0][0]), to_array(sums[0][1])],
        [to_array(sums[1][0]), to_array(sums[1][1])],
        [to_array(sums[2][0]), to_array(sums[2][1])],
        [to_array(sums[3][0]), to_array(sums[3][1])],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_sums_of_products() {
        let numbers = |seed: i32| (0..8).map(move |i| (seed * 7_919 + i * 104_729) as i16);
        let pairs: Vec<i32> = (0..4).map(|i| (i * 3_000 - 5_000) << 16 | (i * 4_321 - 8_000) & 0xffff).collect();
        let block = |seed: i32| -> Vec<[i16; 8]> {
            (0..4)
                .map(|i| numbers(seed + i).collect::<Vec<_>>().try_into().expect("eight numbers"))
                .map(|w: [i16; 8]| w.map(|x| x / 300))
                .collect()
        };
        let (left, right) = (block(1), block(9));
        let packed = |block: &[[i16; 8]]| block.iter().map(|w| weights(*w)).collect::<Vec<_>>();
        let tile = tile([&pairs; ROWS], &packed(&left), &packed(&right));
        for (half, block) in [&left, &right].into_iter().enumerate() {
            for output in 0..4 {
                let sum: i32 = (0..4)
                    .map(|i| {
                        i32::from(pairs[i] as i16) * i32::from(block[i][2 * output])
                            + (pairs[i] >> 16) * i32::from(block[i][2 * output + 1])
                    })
                    .sum();
                assert!(tile.iter().all(|row| row[half][output] == sum));
            }
        }
    }
}
