//! Something that is done once, if a start takes that long.

use onready::engine::{Event, Interest, Source};
use std::time::Duration;

/// It, and when.
pub struct Later<'a> {
    at: Duration,
    now: Duration,
    what: Option<Box<dyn FnOnce() + 'a>>,
}

impl<'a> Later<'a> {
    /// At this time, counted from the start, unless all is over by then.
    pub fn new(at: Duration, what: impl FnOnce() + 'a) -> Later<'a> {
        Later { at, now: Duration::ZERO, what: Some(Box::new(what)) }
    }
}

impl Source for Later<'_> {
    fn interest(&self, want: &mut Interest) {
        if self.what.is_some() {
            want.within(self.at.saturating_sub(self.now));
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, _events: &mut Vec<Event>) {
        self.now = now;
        if now >= self.at {
            self.what.take().into_iter().for_each(|what| what());
        }
    }
}
