//! `file:PATH`: a file that appears, or is renewed.
//!
//! It is looked at, not watched, for the reason told in `tail`.
//!
//! # References
//! stat(2)

use super::socket::Whose;
use onready::engine::{Event, Interest, Source};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// A look comes after this part of the time that has passed, between these bounds.
const PART: u32 = 128;
const SOONEST: Duration = Duration::from_micros(500);
const LATEST: Duration = Duration::from_millis(10);

/// What tells one version of a file from another.
type Version = (u64, u64, i64, i64, i64, i64);

/// The condition.
pub struct FileSign {
    sign: usize,
    path: PathBuf,
    before: Option<Version>,
    now: Duration,
}

impl FileSign {
    /// From now on; without a start in sight, a file that is there already will do.
    pub fn new(sign: usize, path: PathBuf, whose: Whose) -> FileSign {
        let before = if whose == Whose::Starting { version(&path) } else { None };
        FileSign { sign, path, before, now: Duration::ZERO }
    }

    fn look(&self, events: &mut Vec<Event>) {
        let now = version(&self.path);
        if now.is_some() && now != self.before {
            events.push(Event::Sign(self.sign));
        }
    }
}

fn version(path: &PathBuf) -> Option<Version> {
    let stat = std::fs::metadata(path).ok()?;
    Some((stat.dev(), stat.ino(), stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec()))
}

impl Source for FileSign {
    fn interest(&self, want: &mut Interest) {
        want.within((self.now / PART).clamp(SOONEST, LATEST));
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.now = now;
        self.look(events);
    }
}
