//! The one loop: sleeps until a descriptor or a time has something to tell, turns it into events for the machine,
//! and carries out the machine's steps.

use crate::machine::{Event, Machine, Outcome, Step};
use crate::sys;
use std::cell::RefCell;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What a source wants to be woken for, and after the sleep what there is.
#[derive(Default)]
pub struct Interest {
    fds: Vec<libc::pollfd>,
    within: Option<Duration>,
}

impl Interest {
    /// Wake when there is something to read, or the end of it.
    pub fn read(&mut self, fd: impl AsFd) {
        self.add(fd, libc::POLLIN);
    }

    /// Wake when something can be written, or nobody reads any more.
    pub fn write(&mut self, fd: impl AsFd) {
        self.add(fd, libc::POLLOUT);
    }

    fn add(&mut self, fd: impl AsFd, events: i16) {
        self.fds.push(libc::pollfd { fd: fd.as_fd().as_raw_fd(), events, revents: 0 });
    }

    /// Wake after this time at the latest.
    pub fn within(&mut self, time: Duration) {
        self.within = Some(self.within.map_or(time, |before| before.min(time)));
    }

    /// Whether this descriptor has something to tell.
    pub fn has(&self, fd: impl AsFd) -> bool {
        let fd = fd.as_fd().as_raw_fd();
        self.fds.iter().any(|known| known.fd == fd && known.revents != 0)
    }

    fn clear(&mut self) {
        self.fds.clear();
        self.within = None;
    }
}

/// Something that is watched during a start.
pub trait Source {
    /// What to wake for. Called before every sleep.
    fn interest(&self, want: &mut Interest);

    /// Takes what there is, without waiting. Called after every sleep.
    fn collect(&mut self, ready: &Interest, now: Duration, events: &mut Vec<Event>);

    /// The time is over: look even if it is not your turn.
    fn last_look(&mut self, now: Duration, events: &mut Vec<Event>) {
        let _ = (now, events);
    }

    /// The outcome is near: deliver what there is and no more.
    fn settle(&mut self) {}

    /// Whether everything has been delivered, or cannot be.
    fn is_settled(&self) -> bool {
        true
    }
}

/// A source that somebody else looks at too.
impl<T: Source> Source for Rc<RefCell<T>> {
    fn interest(&self, want: &mut Interest) {
        self.borrow().interest(want);
    }

    fn collect(&mut self, ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.borrow_mut().collect(ready, now, events);
    }

    fn last_look(&mut self, now: Duration, events: &mut Vec<Event>) {
        self.borrow_mut().last_look(now, events);
    }

    fn settle(&mut self) {
        self.borrow_mut().settle();
    }

    fn is_settled(&self) -> bool {
        self.borrow().is_settled()
    }
}

/// Who can end the server's processes.
pub trait Stopper {
    /// Asks all of them to end (SIGTERM).
    fn terminate(&mut self);
    /// Ends them (SIGKILL).
    fn kill(&mut self);
    /// Whether all are gone; reaps those that are ours.
    fn is_gone(&mut self) -> bool;
}

/// Processes that somebody else looks at too.
impl<T: Stopper> Stopper for Rc<RefCell<T>> {
    fn terminate(&mut self) {
        self.borrow_mut().terminate();
    }

    fn kill(&mut self) {
        self.borrow_mut().kill();
    }

    fn is_gone(&mut self) -> bool {
        self.borrow_mut().is_gone()
    }
}

/// Shows a waiting person how it is getting on.
pub trait Screen {
    /// Draws, or draws again.
    fn show(&mut self, elapsed: Duration, machine: &Machine);
    /// When it wants to be drawn again though nothing has happened.
    fn again(&self) -> Option<Duration> {
        None
    }
    /// Leaves nothing of it.
    fn wipe(&mut self);
}

/// How often it is looked at whether a server that is being stopped is gone: its group has no descriptor.
pub const GONE_LOOK: Duration = Duration::from_millis(2);

/// Watches until there is an outcome.
///
/// Sources are asked in their order: the process first, so that what it said before its end is read after its end is
/// known, and nothing that it said can be missed.
pub fn watch(
    started: Instant,
    machine: &mut Machine,
    sources: &mut [&mut dyn Source],
    server: &mut dyn Stopper,
    screen: &mut dyn Screen,
) -> Outcome {
    let mut want = Interest::default();
    let mut events = Vec::new();
    loop {
        let step = machine.step(started.elapsed());
        want.clear();
        match step {
            Step::Done(outcome) => {
                screen.wipe();
                return outcome;
            }
            Step::Wait(until) => {
                let elapsed = started.elapsed();
                until.into_iter().for_each(|until| want.within(until.saturating_sub(elapsed)));
            }
            Step::LastLook => {
                let now = started.elapsed();
                sources.iter_mut().for_each(|source| source.last_look(now, &mut events));
                want.within(Duration::ZERO);
            }
            Step::Terminate => {
                server.terminate();
                want.within(Duration::ZERO);
            }
            Step::Kill => {
                server.kill();
                want.within(Duration::ZERO);
            }
            Step::Settle => {
                sources.iter_mut().for_each(|source| source.settle());
                want.within(Duration::ZERO);
            }
        }
        if machine.is_ending() {
            want.within(GONE_LOOK);
        }
        screen.again().into_iter().for_each(|time| want.within(time));
        sources.iter().for_each(|source| source.interest(&mut want));
        // An interrupted sleep is a short one: everybody is asked again.
        sys::poll(&mut want.fds, want.within);
        let now = started.elapsed();
        for source in sources.iter_mut() {
            source.collect(&want, now, &mut events);
        }
        if machine.is_ending() && server.is_gone() {
            events.push(Event::Gone);
        }
        if sources.iter().all(|source| source.is_settled()) {
            events.push(Event::Settled);
        }
        events.drain(..).for_each(|event| machine.on(event, now));
        screen.show(now, machine);
    }
}
