//! Exact percentiles of everything that was measured.

use serde::{Deserialize, Serialize};

/// Percentiles of a set of durations, in milliseconds.
///
/// By nearest rank: pN is the smallest measured value that at least N % of the values do not
/// exceed, so every figure was really measured and nothing is interpolated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Values there were, at least 1.
    pub count: u64,
    /// Half of the values are no longer.
    pub p50: f64,
    /// 95 of 100 values are no longer.
    pub p95: f64,
    /// 99 of 100 values are no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Percentiles {
    /// Of durations in microseconds, in any order; `None` where there are none.
    pub(crate) fn of_us(mut values_us: Vec<u64>) -> Option<Self> {
        values_us.sort_unstable();
        let max_us = *values_us.last()?;
        let rank_ms = |percent: usize| {
            let rank = (values_us.len() * percent).div_ceil(100).max(1);
            ms(values_us.get(rank - 1).copied().unwrap_or(max_us))
        };
        Some(Self {
            count: values_us.len() as u64,
            p50: rank_ms(50),
            p95: rank_ms(95),
            p99: rank_ms(99),
            max: ms(max_us),
        })
    }
}

/// Microseconds as milliseconds.
pub(crate) fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

/// `numerator / denominator` to three decimals, which is what a report keeps; 0 where there is
/// nothing to divide by.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 {
        (numerator / denominator * 1_000.0).round() / 1_000.0
    } else {
        0.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_of_nearest_rank() {
        let hundred = Percentiles::of_us((1..=100).rev().map(|ms| ms * 1_000).collect()).unwrap();
        assert_eq!(
            (hundred.p50, hundred.p95, hundred.p99, hundred.max),
            (50.0, 95.0, 99.0, 100.0)
        );
        assert_eq!(hundred.count, 100);
        let three = Percentiles::of_us(vec![30, 10, 20]).unwrap();
        assert_eq!((three.p50, three.p95, three.max), (0.02, 0.03, 0.03));
        let one = Percentiles::of_us(vec![1_500]).unwrap();
        assert_eq!((one.p50, one.p99, one.max), (1.5, 1.5, 1.5));
        assert_eq!(Percentiles::of_us(Vec::new()), None);
    }

    #[test]
    fn a_ratio_has_three_decimals_and_never_divides_by_nothing() {
        assert_eq!(ratio(2.0, 3.0), 0.667);
        assert_eq!(ratio(2.0, 0.0), 0.0);
    }
}
