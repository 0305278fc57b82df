//! What leaves the server's group while it starts is to end with us as well, should we be killed: each new group gets
//! a switch of its own, as the first one has.

use crate::leader::{Passage, guard};
use crate::world::SharedFamily;
use onready::engine::{Event, Interest, Source};
use std::rc::Rc;
use std::time::Duration;

/// How often new groups are looked for: soon at first, since a server forks early.
const SOONEST: Duration = Duration::from_millis(20);
const LATEST: Duration = Duration::from_secs(2);

/// The source that looks for them; it has nothing to tell.
pub struct Guard {
    family: SharedFamily,
    passage: Rc<Passage>,
    looked: Duration,
}

impl Guard {
    /// Of these processes.
    pub fn new(family: SharedFamily, passage: Rc<Passage>) -> Guard {
        Guard { family, passage, looked: Duration::ZERO }
    }

    fn next(&self) -> Duration {
        self.looked + (self.looked / 4).clamp(SOONEST, LATEST)
    }
}

impl Source for Guard {
    fn interest(&self, want: &mut Interest) {
        want.within((self.looked / 4).clamp(SOONEST, LATEST));
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, _events: &mut Vec<Event>) {
        if now >= self.next() {
            self.looked = now;
            let members = self.family.borrow().members();
            guard(&members, &self.passage);
        }
    }
}
