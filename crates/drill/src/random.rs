//! Numbers that look random and are the same for the same seed.

/// The `index`-th number of the sequence that belongs to `seed`: SplitMix64 (Steele, Lea, Flood 2014).
///
/// A function of the index rather than a generator with a state, so that the threads of a load need
/// not agree on an order to do the same work in every run.
pub(crate) fn number(seed: u64, index: u64) -> u64 {
    let mut value = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_sequence() {
        let numbers: Vec<u64> = (0..3).map(|index| number(1_234_567, index)).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
            ]
        );
    }
}
