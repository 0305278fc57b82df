//! `auto`: believe whatever the server gives first that can be believed (measured reasons: docs/GOTCHAS.md).

use crate::world::SharedWorld;
use onready::engine::{Event, Interest, Source};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A server that could say READY=1 and does not is believed when it has listened and done nothing for this long.
const QUIET: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(20);

/// Which sign it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// None yet.
    #[default]
    Nothing,
    /// READY=1.
    Notify,
    /// It listens, and cannot speak.
    Listen,
    /// It listens, could speak, and has been quiet.
    Quiet,
}

impl By {
    /// As `ready_by` says it.
    pub fn name(self) -> &'static str {
        match self {
            By::Nothing => "auto",
            By::Notify => "notify",
            By::Listen => "listen",
            By::Quiet => "listen (quiet)",
        }
    }
}

/// The condition.
pub struct Auto {
    sign: usize,
    world: SharedWorld,
    by: Rc<Cell<By>>,
    watching: bool,
}

impl Auto {
    /// With this number; what it went by is noted in `by`.
    pub fn new(sign: usize, world: SharedWorld, by: Rc<Cell<By>>) -> Auto {
        world.borrow_mut().wanted = true;
        Auto { sign, world, by, watching: false }
    }

    fn judge(&mut self) -> By {
        let mut world = self.world.borrow_mut();
        self.watching = false;
        if world.said_ready {
            return By::Notify;
        }
        if world.has_spoken || world.listening().is_empty() {
            return By::Nothing;
        }
        if !world.could_speak() {
            return By::Listen;
        }
        self.watching = true;
        if world.quiet_for() >= QUIET { By::Quiet } else { By::Nothing }
    }
}

impl Source for Auto {
    fn interest(&self, want: &mut Interest) {
        if self.watching {
            want.within(LOOK);
        }
    }

    fn collect(&mut self, _ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        if self.by.get() == By::Nothing {
            let by = self.judge();
            self.by.set(by);
        }
        if self.by.get() != By::Nothing {
            self.watching = false;
            events.push(Event::Sign(self.sign));
        }
    }
}
