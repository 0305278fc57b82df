//! Following logs: woken by what happens in their directories.
//!
//! # References
//! inotify(7)

use super::reader::{Output, Reader};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// How often logs are looked at where nobody wakes us: no inotify, or a directory that is not there.
const LOOK: Duration = Duration::from_millis(250);

/// Shows what comes, until nobody reads it any more.
pub(super) fn follow(readers: &mut [Reader], output: &mut Output<'_>) -> io::Result<()> {
    let mut waker = Waker::new();
    loop {
        // First the watch, then the look: nothing that comes in between is missed.
        let is_watched = waker.watch(readers);
        for reader in readers.iter_mut() {
            reader.pump(output)?;
        }
        if !waker.sleep(output.fd().as_raw_fd(), (!is_watched).then_some(LOOK)) {
            return Ok(());
        }
    }
}

/// Tells when something happens in some directories.
struct Waker {
    fd: Option<OwnedFd>,
}

#[cfg(target_os = "linux")]
impl Waker {
    fn new() -> Waker {
        use rustix::fs::inotify::{CreateFlags, init};
        Waker { fd: init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok() }
    }

    /// Whether all of them are watched. To watch one again changes nothing.
    fn watch(&self, readers: &[Reader]) -> bool {
        use rustix::fs::inotify::{WatchFlags, add_watch};
        let flags = WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ATTRIB
            | WatchFlags::ONLYDIR;
        let Some(fd) = &self.fd else { return false };
        let watched = |reader: &Reader| reader.path().parent().is_some_and(|dir| add_watch(fd, dir, flags).is_ok());
        readers.iter().filter(|reader| !watched(reader)).count() == 0
    }
}

#[cfg(not(target_os = "linux"))]
impl Waker {
    fn new() -> Waker {
        Waker { fd: None }
    }

    fn watch(&self, _: &[Reader]) -> bool {
        false
    }
}

impl Waker {
    /// Until something happens, or for a while; `false` if nobody reads the output any more.
    fn sleep(&mut self, output: i32, limit: Option<Duration>) -> bool {
        let watch = self.fd.as_ref().map_or(-1, |fd| fd.as_fd().as_raw_fd());
        let mut fds = [
            libc::pollfd { fd: watch, events: libc::POLLIN, revents: 0 },
            // Asked for nothing, poll tells of the end of a pipe's reader.
            libc::pollfd { fd: output, events: 0, revents: 0 },
        ];
        crate::sys::poll(&mut fds, limit);
        let mut events = [0; 4096];
        while self.fd.as_ref().is_some_and(|fd| rustix::io::read(fd, &mut events).is_ok_and(|count| count > 0)) {}
        fds[1].revents & (libc::POLLERR | libc::POLLNVAL) == 0
    }
}
