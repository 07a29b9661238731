//! Latencies in buckets: a value is exact to 1.6 per cent, at any size, and counting one allocates
//! nothing.
//!
//! Microseconds below 128 have a bucket each; above, every doubling is split into 64.

use serde::{Deserialize, Serialize};

const EXACT: u64 = 128;
const SPLIT: u64 = 64;

/// Counts of latencies in microseconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

fn bucket(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let doublings = u64::from(micros.ilog2()) - 6;
    (EXACT + (doublings - 1) * SPLIT + (micros >> doublings) - SPLIT) as usize
}

/// The largest value of a bucket.
fn upper(bucket: u64) -> u64 {
    if bucket < EXACT {
        return bucket;
    }
    let doublings = (bucket - EXACT) / SPLIT + 1;
    let within = (bucket - EXACT) % SPLIT + SPLIT;
    ((within + 1) << doublings) - 1
}

impl Histogram {
    pub(crate) fn add(&mut self, micros: u64) {
        let at = bucket(micros);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(micros);
    }

    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// The longest, in milliseconds.
    pub(crate) fn max_ms(&self) -> f64 {
        self.max as f64 / 1_000.0
    }

    /// The latency that this share of all did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper(at as u64).min(self.max) as f64 / 1_000.0;
            }
        }
        self.max_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_narrow() {
        for micros in 1..2_000_000_u64 {
            let (before, at) = (bucket(micros - 1), bucket(micros));
            assert!(at == before || at == before + 1, "{micros}");
            let upper = upper(at as u64);
            assert!(
                upper >= micros && (upper - micros) * 64 <= micros,
                "{micros} {upper}"
            );
        }
    }

    #[test]
    fn quantiles_are_read_off() {
        let mut histogram = Histogram::default();
        (1..=100_000_u64).for_each(|micros| histogram.add(micros));
        let near = |share, ms: f64| (histogram.quantile_ms(share) - ms).abs() < ms / 50.0;
        assert!(near(0.5, 50.0) && near(0.99, 99.0) && near(1.0, 100.0));
        assert_eq!((histogram.total(), histogram.max_ms()), (100_000, 100.0));
    }
}
