//! The launcher's own signals while it waits: to give up is an event like any other.
//!
//! # References
//! sigaction(2), signal-safety(7)

use crate::machine::Event;
use crate::sys::{self, Disposition, Mask};
use crate::watch::{Interest, Source};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// The signals that ask a launcher to give up.
pub const ENDING: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// Catches what asks us to give up, and lets nothing stand in the way of a launcher: SIGPIPE would end it, an
/// ignored SIGCHLD would lose the server's exit status. Everything is as before when it is dropped.
pub struct Signals {
    pipe: OwnedFd,
    _writer: OwnedFd,
    _mask: Mask,
    _before: Vec<Disposition>,
}

impl Signals {
    /// Starts to catch. A signal that the caller ignores (nohup's SIGHUP) stays ignored.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn catch() -> io::Result<Signals> {
        let (pipe, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        sys::notes_go_to(writer.as_raw_fd());
        let mut before: Vec<Disposition> =
            [sys::ignore(libc::SIGPIPE), sys::restore_default(libc::SIGCHLD)].into_iter().flatten().collect();
        for signal in ENDING {
            match sys::catch(signal) {
                Some(was) if was.ignored() => drop(was),
                was => before.extend(was),
            }
        }
        let mask = sys::unblock(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD]);
        Ok(Signals { pipe, _writer: writer, _mask: mask, _before: before })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        sys::notes_go_to(-1);
    }
}

impl Source for Signals {
    fn interest(&self, want: &mut Interest) {
        want.read(&self.pipe);
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        let mut notes = [0; 16];
        if ready.has(&self.pipe) {
            let number = rustix::io::read(&self.pipe, &mut notes).unwrap_or(0);
            events.extend(notes[..number].iter().map(|&signal| Event::Interrupted(signal.into())));
        }
    }
}
