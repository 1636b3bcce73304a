//! Latencies, counted in buckets whose width grows with the value.

/// Values below `2 * HALF` have a bucket each; above, each power of two is cut into `HALF` buckets.
const HALF_BITS: u32 = 6;
const HALF: u64 = 1 << HALF_BITS;

/// Counts of microseconds, in the manner of `HdrHistogram`: a quantile is at most 1/64 (1.6 %) too
/// high and never too low, whatever the range, in a few kilobytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    maximum: u64,
}

impl Histogram {
    pub(crate) fn record(&mut self, value: u64) {
        let bucket = bucket_of(value);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.maximum = self.maximum.max(value);
    }

    pub(crate) fn maximum(&self) -> u64 {
        self.maximum
    }

    /// The value that `per_mille` thousandths of the records do not exceed (nearest rank), 0 if there
    /// are none.
    pub(crate) fn quantile(&self, per_mille: u64) -> u64 {
        let rank = (self.total * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return highest_of(bucket).min(self.maximum);
            }
        }
        0
    }
}

impl FromIterator<u64> for Histogram {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut histogram = Self::default();
        for value in values {
            histogram.record(value);
        }
        histogram
    }
}

fn bucket_of(value: u64) -> usize {
    let shift = (63 - (value | HALF).leading_zeros()) - HALF_BITS;
    let bucket = u64::from(shift) * HALF + (value >> shift);
    usize::try_from(bucket).expect("there are fewer than 2 ^ 12 buckets")
}

fn highest_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / HALF).saturating_sub(1);
    let within = bucket - shift * HALF;
    // The last bucket of all ends at the largest value there is.
    (within << shift) | ((1_u64 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_values_are_exact() {
        let histogram: Histogram = (1..=100).collect();
        assert_eq!(histogram.quantile(500), 50);
        assert_eq!(histogram.quantile(950), 95);
        assert_eq!(histogram.quantile(990), 99);
        assert_eq!(histogram.quantile(1000), 100);
        assert_eq!(histogram.quantile(0), 1);
    }

    #[test]
    fn nothing_recorded_is_zero() {
        assert_eq!(Histogram::default().quantile(500), 0);
        assert_eq!(Histogram::default().maximum(), 0);
    }

    #[test]
    fn buckets_are_without_gap_and_overlap() {
        for bucket in 0..3_000 {
            assert_eq!(bucket_of(highest_of(bucket)), bucket);
            assert_eq!(bucket_of(highest_of(bucket) + 1), bucket + 1);
        }
        assert_eq!(highest_of(bucket_of(u64::MAX)), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_quantile_is_close_to_the_exact_one(
            mut values in prop::collection::vec(0_u64..20_000_000, 1..400),
            per_mille in 1_u64..=1000,
        ) {
            let histogram: Histogram = values.iter().copied().collect();
            values.sort_unstable();
            let rank = (values.len() as u64 * per_mille).div_ceil(1000);
            let exact = values[usize::try_from(rank).unwrap() - 1];
            let found = histogram.quantile(per_mille);
            prop_assert!(found >= exact);
            prop_assert!(found - exact <= exact / HALF);
        }
    }
}
