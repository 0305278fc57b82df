//! One process: its end as an event, its exit status, and signals that can never reach a stranger with a reused pid.
//!
//! # References
//! pidfd_open(2), pidfd_send_signal(2), waitid(2)

use crate::machine::{End, Event};
use crate::watch::{Interest, Source};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};
use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

/// How often a process is looked at where no descriptor tells of its end (no pidfd_open, or refused by a sandbox).
const LOOK: Duration = Duration::from_millis(5);

/// A process that we hold on to: a child that is not reaped yet, or any other by its pidfd.
#[derive(Debug)]
pub struct Process {
    pid: i32,
    fd: Option<OwnedFd>,
    end: Option<End>,
}

impl Process {
    /// Holds on to a child of ours: as long as we have not reaped it, its pid is its own.
    pub fn child(pid: i32) -> Process {
        Process { pid, fd: open(pid).ok(), end: None }
    }

    /// None yet.
    pub fn none() -> Process {
        Process { pid: 0, fd: None, end: None }
    }

    /// Holds on to any process; `None` if there is none of this pid.
    ///
    /// # Errors
    /// Where the system has no way to hold on to a process that is not a child.
    pub fn other(pid: i32) -> io::Result<Option<Process>> {
        match open(pid) {
            Ok(fd) => Ok(Some(Process { pid, fd: Some(fd), end: None })),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The descriptor that becomes readable at its end, where the system has one.
    pub fn fd(&self) -> Option<&OwnedFd> {
        self.fd.as_ref()
    }

    /// Sends a signal; a process that is gone is no error.
    pub fn signal(&self, signal: Signal) {
        if self.end.is_some() {
            return;
        }
        #[cfg(target_os = "linux")]
        if let Some(fd) = &self.fd {
            if rustix::process::pidfd_send_signal(fd, signal) != Err(rustix::io::Errno::NOSYS) {
                return;
            }
        }
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// How it ended, if it has. A child stays a zombie until [`Process::reap`]: as long as it does, neither its pid
    /// nor its group's number can be given to a stranger.
    pub fn end(&mut self) -> Option<End> {
        if self.end.is_none() {
            self.end = self.look();
        }
        self.end
    }

    fn look(&self) -> Option<End> {
        let pid = Pid::from_raw(self.pid)?;
        match rustix::process::waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT,
        ) {
            Ok(status) => status.map(|status| how(&status)),
            // Not a child of ours, or somebody else took the status.
            Err(_) if self.is_over() => Some(End::Unknown),
            Err(_) => None,
        }
    }

    /// Takes the last that is left of a child that has ended.
    pub fn reap(&self) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }

    fn is_over(&self) -> bool {
        match &self.fd {
            Some(fd) => is_readable(fd),
            None => Pid::from_raw(self.pid)
                .is_none_or(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)),
        }
    }
}

/// Whether a descriptor has something to tell right now.
pub fn is_readable(fd: impl AsFd) -> bool {
    crate::sys::is_now(fd.as_fd(), libc::POLLIN)
}

fn how(status: &WaitIdStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => End::Code(code as u8),
        (_, Some(signal)) => End::Signal { signal, core: status.dumped() },
        _ => End::Unknown,
    }
}

#[cfg(target_os = "linux")]
fn open(pid: i32) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?)
}

#[cfg(not(target_os = "linux"))]
fn open(pid: i32) -> io::Result<OwnedFd> {
    crate::sys::process_queue(pid)
}

/// Whether a descriptor can be written to right now, or never again.
pub fn is_writable(fd: impl AsFd) -> bool {
    crate::sys::is_now(fd.as_fd(), libc::POLLOUT)
}

/// A process that is both watched and signalled.
pub type SharedProcess = Rc<RefCell<Process>>;

impl Source for Process {
    fn interest(&self, want: &mut Interest) {
        match &self.fd {
            _ if self.end.is_some() => {}
            Some(fd) => want.read(fd),
            None => want.within(LOOK),
        }
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        let told = self.fd.as_ref().is_none_or(|fd| ready.has(fd));
        if self.end.is_none() && told {
            events.extend(self.end().map(Event::Exited));
        }
    }
}
