//! Several attacks at the same time, and the count of what they came to.

use crate::verdict::Verdict;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a campaign came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many attacks happened.
    pub tried: usize,
    /// How many of them came to a true outcome and left nothing.
    pub truthful: usize,
    /// By how they ended.
    pub ends: BTreeMap<&'static str, usize>,
    /// Attacks that did not happen: the call was not made this time.
    pub not_reached: usize,
    /// The others.
    pub lies: Vec<String>,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, what: &str, verdict: Verdict) {
        match verdict {
            Verdict::NotReached => self.not_reached += 1,
            Verdict::True(end) => {
                self.tried += 1;
                self.truthful += 1;
                *self.ends.entry(end).or_default() += 1;
            }
            Verdict::Lie(why) => {
                self.tried += 1;
                eprintln!("LIE {what}: {why}");
                self.lies.push(format!("{what}: {why}"));
            }
        }
    }

    /// Counts what another campaign came to.
    pub fn add_all(&mut self, other: Tally) {
        self.tried += other.tried;
        self.truthful += other.truthful;
        self.not_reached += other.not_reached;
        self.lies.extend(other.lies);
        other.ends.into_iter().for_each(|(end, count)| *self.ends.entry(end).or_default() += count);
    }

    /// The ends as text.
    #[must_use]
    pub fn ends(&self) -> String {
        let ends: Vec<String> = self.ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
        ends.join(", ")
    }
}

/// Does all jobs, `at_once` at a time.
pub fn all<J: Sync>(jobs: &[J], at_once: usize, work: impl Fn(&J) -> (String, Verdict) + Sync) -> Tally {
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (what, verdict) = work(job);
                    tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(&what, verdict);
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
