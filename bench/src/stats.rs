//! Minimum, median, 99th percentile, maximum.

/// The summary of some measurements.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// How many.
    pub count: usize,
    /// The smallest.
    pub min: f64,
    /// The middle one.
    pub median: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Stats {
    /// Summarise; `None` when there is nothing.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (sorted.first()?, sorted.last()?);
        Some(Self {
            count: sorted.len(),
            min: *first,
            median: median(&sorted),
            p99: sorted[(sorted.len() * 99).div_ceil(100) - 1],
            max: *last,
        })
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_of_a_hundred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let stats = Stats::of(&values).unwrap();
        assert_eq!((stats.min, stats.median, stats.p99, stats.max), (1.0, 50.5, 99.0, 100.0));
    }

    #[test]
    fn summary_of_one_and_of_none() {
        assert_eq!(Stats::of(&[7.0]).unwrap().p99, 7.0);
        assert!(Stats::of(&[]).is_none());
    }
}
