//! `auto`: believe whatever the server gives first that can be believed (measured reasons: docs/GOTCHAS.md).

use crate::world::{SharedWorld, Stay, World};
use onready::engine::{Event, Interest, Source};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A server that could say READY=1 and does not is believed when it has listened and done nothing for this long.
const QUIET: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(20);
/// A command on its way into the background has this time to exit: pg_ctl looks at its server ten times a second.
const PASSAGE: Duration = Duration::from_millis(250);
/// Who listens and never rests is believed after this time.
const RESTLESS: Duration = Duration::from_millis(50);
/// Most come to rest within this time.
const GLANCE: Duration = Duration::from_micros(200);

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
    /// When there was the first sign.
    since: Option<Duration>,
    /// When to look again, if nothing happens.
    again: Option<Duration>,
}

impl Auto {
    /// With this number; what it went by is noted in `by`.
    pub fn new(sign: usize, world: SharedWorld, by: Rc<Cell<By>>) -> Auto {
        world.borrow_mut().wanted = true;
        Auto { sign, world, by, since: None, again: None }
    }

    fn judge(&mut self, now: Duration) -> By {
        let mut world = self.world.borrow_mut();
        self.again = None;
        if !world.said_ready && (world.has_spoken || world.listening().is_empty()) {
            self.since = None;
            return By::Nothing;
        }
        let waited = now.saturating_sub(*self.since.get_or_insert(now));
        if let Some(left) = patience(&mut world, waited) {
            self.again = Some(left);
            return By::Nothing;
        }
        if world.said_ready {
            return By::Notify;
        }
        let asked = world.members().to_vec();
        if !world.could_speak() {
            // Who has begun to end meanwhile was asked in vain, and who has been forked was not asked.
            world.look();
            let mute = patience(&mut world, waited).is_none() && world.members() == asked;
            self.again = (!mute).then_some(GLANCE);
            return if mute { By::Listen } else { By::Nothing };
        }
        self.again = Some(LOOK);
        if world.quiet_for() >= QUIET { By::Quiet } else { By::Nothing }
    }
}

/// How long to wait before the next look at whoever gives the sign, if it may not be who stays.
fn patience(world: &mut World, waited: Duration) -> Option<Duration> {
    let (limit, next) = match world.stay() {
        Stay::Settled => return None,
        Stay::Restless => (RESTLESS, GLANCE.max(waited / 8)),
        Stay::Passing => (PASSAGE, LOOK),
    };
    limit.checked_sub(waited).filter(|left| !left.is_zero()).map(|left| left.min(next))
}

impl Source for Auto {
    fn interest(&self, want: &mut Interest) {
        self.again.into_iter().for_each(|time| want.within(time));
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        if self.by.get() == By::Nothing {
            let by = self.judge(now);
            self.by.set(by);
        }
        if self.by.get() != By::Nothing {
            self.again = None;
            events.push(Event::Sign(self.sign));
        }
    }
}
