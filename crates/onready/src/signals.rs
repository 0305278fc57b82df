//! The launcher's own signals while it waits: to give up is an event like any other.
//!
//! # References
//! sigaction(2), signal-safety(7)

use crate::machine::Event;
use crate::sys::{self, Disposition, Mask, Notes};
use crate::watch::{Interest, Source};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The signals that ask a launcher to give up.
pub const ENDING: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// What was changed for all launchers of this process: the first changes it, the last changes it back.
struct Changed {
    launchers: usize,
    before: Vec<Disposition>,
}

static CHANGED: Mutex<Changed> = Mutex::new(Changed { launchers: 0, before: Vec::new() });

fn changed() -> MutexGuard<'static, Changed> {
    CHANGED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Catches what asks us to give up, and lets nothing stand in the way of a launcher: SIGPIPE and SIGXFSZ would end
/// it, an ignored SIGCHLD would lose the server's exit status. Everything is as before when it is dropped.
pub struct Signals {
    pipe: OwnedFd,
    _writer: OwnedFd,
    notes: Option<Notes>,
    mask: Option<Mask>,
    reported: bool,
}

impl Signals {
    /// Starts to catch. A signal that the caller ignores (nohup's SIGHUP) stays ignored.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn catch() -> io::Result<Signals> {
        let (pipe, writer) = sys::pipe()?;
        for end in [&pipe, &writer] {
            rustix::io::ioctl_fionbio(end, true)?;
        }
        let notes = Notes::to(writer.as_fd()).ok_or_else(|| io::Error::other("too many launchers in one process"))?;
        let mut changed = changed();
        if changed.launchers == 0 {
            let out_of_the_way = [sys::ignore(libc::SIGPIPE), sys::ignore(libc::SIGXFSZ), sys::keep_children()];
            changed.before = out_of_the_way.into_iter().chain(ENDING.map(sys::catch)).flatten().collect();
        }
        changed.launchers += 1;
        let mask = sys::unblock(&ENDING);
        Ok(Signals { pipe, _writer: writer, notes: Some(notes), mask: Some(mask), reported: false })
    }

    /// Catches these as well, until the result is dropped.
    pub fn also(&self, signals: &[i32]) -> Vec<Disposition> {
        signals.iter().filter_map(|&signal| sys::catch(signal)).collect()
    }

    fn read(&self) -> Vec<i32> {
        let mut notes = [0; 16];
        let number = rustix::io::read(&self.pipe, &mut notes).unwrap_or(0);
        notes[..number].iter().map(|&signal| signal.into()).collect()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        {
            let mut changed = changed();
            changed.launchers -= 1;
            if changed.launchers == 0 {
                changed.before.clear();
            }
        }
        self.mask = None;
        self.notes = None;
        // One that came too late to be told is the process's own business again.
        if !self.reported {
            self.read().first().copied().into_iter().for_each(sys::raise);
        }
    }
}

impl Source for Signals {
    fn interest(&self, want: &mut Interest) {
        want.read(&self.pipe);
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        if ready.has(&self.pipe) {
            let signals = self.read();
            self.reported |= !signals.is_empty();
            events.extend(signals.into_iter().map(Event::Interrupted));
        }
    }
}
