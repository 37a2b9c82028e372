//! Dot products of byte rows with the best instructions that the machine has.
//!
//! Not here: what the numbers mean. Every kernel gives exactly the numbers of [`portable`].
#![expect(unsafe_code, reason = "vector instructions are chosen at run time")]

use super::quantise::{Query, ROW_ALIGN, RowMeta};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    Portable,
    Avx2,
    Avx512Vnni,
}

impl Kernel {
    /// The best one here.
    pub(super) fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::Portable)
    }

    /// All that run here, best last.
    pub(super) fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "other machines have the portable one alone"))]
        let mut kernels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                kernels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
                kernels.push(Self::Avx512Vnni);
            }
        }
        kernels
    }

    /// `out[i]` becomes the dot product of the query with row `i`. `codes` holds one row for each of `rows`.
    pub(super) fn dots(self, query: &Query, rows: &[RowMeta], codes: &[i8], out: &mut [i32]) {
        let stride = query.codes.len();
        assert!(stride.is_multiple_of(ROW_ALIGN) && stride > 0, "Invariant: a query has at least one component");
        assert!(codes.len() == rows.len() * stride && out.len() == rows.len(), "Invariant: one row of codes for each row");
        match self {
            Self::Portable => portable(query, codes, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` saw the feature; lengths were checked above.
            Self::Avx2 => unsafe { x86::avx2(query, codes, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx512Vnni => unsafe { x86::avx512_vnni(query, rows, codes, out) },
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512Vnni => portable(query, codes, out),
        }
    }
}

fn portable(query: &Query, codes: &[i8], out: &mut [i32]) {
    for (row, dot) in codes.chunks_exact(query.codes.len()).zip(out) {
        let mut lanes = [0i32; 16];
        for (a, b) in row.chunks_exact(16).zip(query.codes.chunks_exact(16)) {
            for lane in 0..16 {
                lanes[lane] += i32::from(i16::from(a[lane]) * i16::from(b[lane]));
            }
        }
        *dot = lanes.iter().sum();
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Query, ROW_ALIGN, RowMeta};
    use std::arch::x86_64::*;

    const ROWS_AT_ONCE: usize = 4;

    /// # Safety
    /// The machine has AVX2; `codes` holds `out.len()` rows as long as the query, which is a multiple of 64 bytes.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn avx2(query: &Query, codes: &[i8], out: &mut [i32]) {
        let stride = query.codes.len();
        let ones = _mm256_set1_epi16(1);
        for (row, dot) in codes.chunks_exact(stride).zip(out) {
            let mut sums = [_mm256_setzero_si256(); 2];
            for at in (0..stride).step_by(ROW_ALIGN) {
                for (half, sum) in sums.iter_mut().enumerate() {
                    let at = at + half * 32;
                    // SAFETY: `at + 32 <= stride`, which is the length of all three.
                    let (values, signs, magnitudes) = unsafe {
                        (
                            _mm256_loadu_si256(row.as_ptr().add(at).cast()),
                            _mm256_loadu_si256(query.codes.as_ptr().add(at).cast()),
                            _mm256_loadu_si256(query.magnitudes.as_ptr().add(at).cast()),
                        )
                    };
                    // Codes stay within -127..=127, so a pair sums to at most 2 * 127 * 127 and never saturates.
                    let pairs = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(values, signs));
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                }
            }
            let sum = _mm256_add_epi32(sums[0], sums[1]);
            let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
            let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
            let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b10_11_00_01>(sum));
            *dot = _mm_cvtsi128_si32(sum);
        }
    }

    /// # Safety
    /// The machine has AVX-512 F and VNNI; lengths as for [`avx2`], and `rows` is as long as `out`.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) unsafe fn avx512_vnni(query: &Query, rows: &[RowMeta], codes: &[i8], out: &mut [i32]) {
        let stride = query.codes.len();
        let mut groups = codes.chunks_exact(stride * ROWS_AT_ONCE);
        let mut place = 0;
        for group in groups.by_ref() {
            // SAFETY: the group holds four rows of `stride` bytes.
            let dots = unsafe { vnni_rows::<ROWS_AT_ONCE>(query, group) };
            out[place..place + ROWS_AT_ONCE].copy_from_slice(&dots);
            place += ROWS_AT_ONCE;
        }
        for row in groups.remainder().chunks_exact(stride) {
            // SAFETY: one row of `stride` bytes.
            let [dot] = unsafe { vnni_rows::<1>(query, row) };
            out[place] = dot;
            place += 1;
        }
        // The query went in as code + 128, which added 128 times the sum of the row.
        for (dot, row) in out.iter_mut().zip(rows) {
            *dot -= 128 * row.code_sum;
        }
    }

    /// # Safety
    /// The machine has AVX-512 F and VNNI; `codes` holds `N` rows as long as the query, which is a multiple of 64 bytes.
    #[target_feature(enable = "avx512f,avx512vnni")]
    #[inline]
    unsafe fn vnni_rows<const N: usize>(query: &Query, codes: &[i8]) -> [i32; N] {
        let stride = query.offset_codes.len();
        let mut sums = [_mm512_setzero_si512(); N];
        for at in (0..stride).step_by(ROW_ALIGN) {
            // SAFETY: `at + 64 <= stride`, the length of the query and of each row.
            unsafe {
                let query = _mm512_loadu_si512(query.offset_codes.as_ptr().add(at).cast());
                for (row, sum) in sums.iter_mut().enumerate() {
                    let values = _mm512_loadu_si512(codes.as_ptr().add(row * stride + at).cast());
                    *sum = _mm512_dpbusd_epi32(*sum, query, values);
                }
            }
        }
        sums.map(|sum| _mm512_reduce_add_epi32(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::super::quantise::{quantise, stride};
    use super::*;
    use proptest::prelude::*;

    fn check(dimension: usize, vectors: &[Vec<f32>], query: &[f32]) {
        let stride = stride(dimension);
        let mut codes = vec![0i8; stride * vectors.len()];
        let rows: Vec<RowMeta> = vectors.iter().zip(codes.chunks_exact_mut(stride)).map(|(v, c)| quantise(v, c)).collect();
        let query = Query::new(query);
        let expected: Vec<i32> =
            codes.chunks_exact(stride).map(|row| row.iter().zip(&query.codes).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()).collect();
        for kernel in Kernel::available() {
            let mut out = vec![0; rows.len()];
            kernel.dots(&query, &rows, &codes, &mut out);
            assert_eq!(out, expected, "{kernel:?}");
        }
    }

    proptest! {
        #[test]
        fn every_kernel_gives_the_numbers_of_the_plain_loop(
            (dimension, vectors, query) in (1usize..=600, 0usize..10).prop_flat_map(|(dimension, rows)| (
                Just(dimension),
                prop::collection::vec(prop::collection::vec(-1f32..1f32, dimension), rows),
                prop::collection::vec(-1f32..1f32, dimension),
            ))
        ) {
            check(dimension, &vectors, &query);
        }
    }

    #[test]
    fn extreme_codes_do_not_saturate() {
        for sign in [1.0, -1.0] {
            check(4096, &vec![vec![1.0; 4096]; 5], &vec![sign; 4096]);
            check(64, &vec![vec![-1.0; 64]; 5], &vec![sign; 64]);
        }
    }
}
