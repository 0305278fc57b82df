//! Loops for races: as often as fits into a time that the caller of the tests can set.

use std::time::{Duration, Instant};

/// Milliseconds for each race test; CI at night gives more.
const VARIABLE: &str = "ONREADY_RACE_MS";

/// The time of a race test when nothing is set.
const USUAL: u64 = 1000;

/// Counts rounds from 0 until the time of `ONREADY_RACE_MS` (one second) is over, at least one.
///
/// ```
/// let mut rounds = 0;
/// for round in testbed::rounds() {
///     assert_eq!(round, rounds);
///     rounds += 1;
/// }
/// assert!(rounds > 0);
/// ```
pub fn rounds() -> impl Iterator<Item = usize> {
    let set = std::env::var(VARIABLE).ok().and_then(|millis| millis.parse().ok());
    let end = Instant::now() + Duration::from_millis(set.unwrap_or(USUAL));
    (0..).take_while(move |round| *round == 0 || Instant::now() < end)
}
