//! `exp` and `tanh` out of additions, multiplications and divisions, so that every form of a plugin gives the same bits.
//!
//! Not here: what is exact anyway (`sqrt`, rounding). Those of the standard library come from the system's libm, which differs between a
//! component and a native library.

/// ln 2 in two parts: the first has so few digits that its product with an exponent is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Terms of the series; with at most half of ln 2 between the points the next one is below the last bit.
const TERMS: u32 = 14;
/// Beyond this no `f32` comes out.
const MOST: f64 = 700.0;

fn exp_wide(x: f64) -> f64 {
    let x = x.clamp(-MOST, MOST);
    let power = (x * std::f64::consts::LOG2_E + 0.5).floor();
    let rest = (x - power * LN_2_HIGH) - power * LN_2_LOW;
    let series = (1..=TERMS).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
    // A power of two by its bits; `power` lies within 1011 of zero.
    let scale = f64::from_bits(((1023 + power as i64) as u64) << 52);
    series * scale
}

pub(super) fn exp(x: f32) -> f32 {
    exp_wide(f64::from(x)) as f32
}

pub(super) fn tanh(x: f32) -> f32 {
    // Nearer to zero than the next term of the series can show.
    if x.abs() < 1.0 / 4096.0 {
        return x;
    }
    (1.0 - 2.0 / (exp_wide(2.0 * f64::from(x)) + 1.0)) as f32
}

/// The larger of a number and zero; which zero does not depend on the machine.
pub(super) fn positive(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In units of the last place of `b`.
    fn gap(a: f32, b: f32) -> f64 {
        f64::from((a - b).abs()) / f64::from(b.abs().next_up() - b.abs()).max(f64::from(f32::MIN_POSITIVE))
    }

    #[test]
    fn both_agree_with_libm_up_to_the_last_bit() {
        for step in -40_000..40_000 {
            let x = step as f32 / 2_000.0;
            assert!(gap(exp(x), x.exp()) <= 1.0, "exp {x}: {} and {}", exp(x), x.exp());
            assert!(gap(tanh(x), x.tanh()) <= 2.0, "tanh {x}: {} and {}", tanh(x), x.tanh());
        }
    }

    #[test]
    fn extremes_stay_extremes() {
        assert_eq!((exp(0.0), exp(f32::NEG_INFINITY), exp(1e9)), (1.0, 0.0, f32::INFINITY));
        assert_eq!((tanh(0.0), tanh(50.0), tanh(-50.0), tanh(f32::INFINITY)), (0.0, 1.0, -1.0, 1.0));
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!(positive(-0.0).to_bits(), 0);
    }
}
