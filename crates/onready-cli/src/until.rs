//! The conditions of `--until` at work: each a source that gives its sign when it holds.

mod auto;
mod dial;
mod exec;
mod fd;
mod file;
mod http;
mod log;
mod socket;

pub use auto::{Auto, By};
pub use exec::Exec;
pub use fd::FdLine;
pub use file::FileSign;
pub use http::Http;
pub use log::{Lines, Matcher};
pub use socket::{Endpoint, SocketSign, Whose};

use crate::world::SharedWorld;
use onready::engine::{Event, Interest, Source};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What a condition has to say about why it does not hold, for the message when the time is over.
pub type Remark = Rc<RefCell<Option<String>>>;

/// `listen`: some listening socket.
pub struct Listen {
    /// The number of the sign.
    pub sign: usize,
    /// What is seen.
    pub world: SharedWorld,
}

impl Source for Listen {
    fn interest(&self, _want: &mut Interest) {}

    fn collect(&mut self, _ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        if !self.world.borrow().listening().is_empty() {
            events.push(Event::Sign(self.sign));
        }
    }
}

/// `notify`: READY=1, which the receiver has noted.
pub struct NotifySign {
    /// The number of the sign.
    pub sign: usize,
    /// What was heard.
    pub world: SharedWorld,
}

impl Source for NotifySign {
    fn interest(&self, _want: &mut Interest) {}

    fn collect(&mut self, _ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        if self.world.borrow().said_ready {
            events.push(Event::Sign(self.sign));
        }
    }
}

/// `delay`: this much time. That the server is alive then is seen as ever.
pub struct Delay {
    /// The number of the sign.
    pub sign: usize,
    /// How long.
    pub time: Duration,
    given: bool,
    now: Duration,
}

impl Delay {
    /// From the start on.
    pub fn new(sign: usize, time: Duration) -> Delay {
        Delay { sign, time, given: false, now: Duration::ZERO }
    }
}

impl Source for Delay {
    fn interest(&self, want: &mut Interest) {
        if !self.given {
            want.within(self.time.saturating_sub(self.now));
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.now = now;
        if now >= self.time && !self.given {
            self.given = true;
            events.push(Event::Sign(self.sign));
        }
    }
}
