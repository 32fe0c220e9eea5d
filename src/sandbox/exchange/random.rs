//! Numbers that look random and are a function of what they are for.

/// A number for three others, as the finalizer of `SplitMix64` stirs them.
pub(super) fn stirred(seed: u64, of: u64, at: u64) -> u64 {
    let first = stir(seed ^ 0x9e37_79b9_7f4a_7c15);
    let second = stir(first ^ of.wrapping_mul(0xd134_2543_de82_ef95));
    stir(second ^ at)
}

/// The same as a fraction, from 0 to below 1.
pub(super) fn fraction(seed: u64, of: u64, at: u64) -> f64 {
    // 32 bits are exact as `f64`, and enough.
    let high = u32::try_from(stirred(seed, of, at) >> 32).unwrap_or_default();
    f64::from(high) / 4_294_967_296.0
}

fn stir(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_fill_their_range() {
        let all: Vec<f64> = (0..10_000).map(|at| fraction(1, 2, at)).collect();
        let mean = all.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert!(all.iter().all(|one| (0.0..1.0).contains(one)));
    }

    #[test]
    fn each_part_counts() {
        let all = [(1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4), (3, 2, 1)];
        let mut stirred: Vec<u64> = all.map(|(a, b, c)| stirred(a, b, c)).into();
        stirred.sort_unstable();
        stirred.dedup();
        assert_eq!(stirred.len(), all.len());
    }
}
