//! Carries the server's start-up output to the caller: every byte, in order, without ever making the server wait for
//! a caller that does not read.
//!
//! # References
//! pipe(7), splice(2), memfd_create(2)

use crate::backlog::Backlog;
use crate::machine::Event;
use crate::watch::{Interest, Source};
use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long a caller that has stopped reading is waited for once the outcome is known.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// What is kept at most for a caller that reads too slowly; above it the server has to wait, as with any full pipe.
pub const BACKLOG_LIMIT: u64 = 1 << 30;
/// What a write to a pipe that has room takes for certain without waiting (PIPE_BUF, pipe(7)).
const SURE: usize = 4096;
const CHUNK: usize = 64 * 1024;
/// How long a caller's full pipe is waited for before the server's output is taken aside: shorter than a person
/// notices, long enough for a reader that is merely busy, so that the fast way stays the usual one.
const STALL: Duration = Duration::from_millis(50);
/// What the server's pipe may hold while its caller is busy; an unprivileged process may ask for this much.
#[cfg(target_os = "linux")]
const WIDE: usize = 1 << 20;

/// Called with the bytes that are about to be written, so that what the screen shows is out of their way.
pub type Wipe = Rc<dyn Fn(&[u8])>;

/// Where start-up output goes.
pub struct Sink {
    fd: BorrowedFd<'static>,
    kind: FileType,
    wipe: Option<Wipe>,
    /// Output that the caller has not taken yet.
    backlog: Option<Backlog>,
    /// Why nothing can be written any more, and how much that concerned.
    lost: Option<(Errno, u64)>,
    moved: Instant,
}

impl Sink {
    /// A stream of the caller's; `wipe` is for one that a screen is drawn on.
    pub fn new(fd: BorrowedFd<'static>, wipe: Option<Wipe>) -> Sink {
        let kind = rustix::fs::fstat(fd).map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode));
        Sink { fd, kind, wipe, backlog: None, lost: None, moved: Instant::now() }
    }

    /// Takes all bytes: writes them, or keeps them for later, or counts them as lost.
    pub fn put(&mut self, mut bytes: &[u8]) {
        if let Some(wipe) = &self.wipe {
            wipe(bytes);
        }
        while !bytes.is_empty() && self.backlog.is_none() && self.lost.is_none() {
            match self.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => self.lost = Some((error, 0)),
            }
        }
        if let Some((_, count)) = &mut self.lost {
            *count += bytes.len() as u64;
        } else if !bytes.is_empty() {
            self.keep(bytes);
        }
    }

    /// Writes what can be written at once, after the screen is out of the way; `AGAIN` if that is nothing.
    ///
    /// # Errors
    /// What write(2) says.
    pub fn offer(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        if let Some(wipe) = &self.wipe {
            wipe(bytes);
        }
        self.write(bytes)
    }

    /// The descriptor, and whether it is a pipe that nothing is drawn on.
    pub fn pipe(&self) -> Option<BorrowedFd<'static>> {
        (self.kind == FileType::Fifo && self.wipe.is_none()).then_some(self.fd)
    }

    /// The descriptor.
    pub fn fd(&self) -> BorrowedFd<'static> {
        self.fd
    }

    /// One write that does not wait. The descriptor is shared with others and may not be made non-blocking.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let written = match self.kind {
            FileType::Socket => rustix::net::send(self.fd, bytes, SendFlags::DONTWAIT | crate::sys::QUIET)?,
            FileType::RegularFile => rustix::io::write(self.fd, bytes)?,
            _ if !is_writable(self.fd) => return Err(Errno::AGAIN),
            _ => rustix::io::write(self.fd, &bytes[..bytes.len().min(SURE)])?,
        };
        self.moved = Instant::now();
        Ok(written)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let kept = match &mut self.backlog {
            Some(backlog) => Ok(backlog),
            none => Backlog::new().map(|backlog| none.insert(backlog)),
        };
        if kept.and_then(|backlog| backlog.push(bytes)).is_err() {
            self.lose(Errno::AGAIN, bytes.len() as u64);
        }
    }

    /// Nothing can be written any more: this much, and all that waits.
    fn lose(&mut self, error: Errno, count: u64) {
        let waiting = self.backlog.take().map_or(0, |backlog| backlog.len());
        self.lost = Some((error, count + waiting));
    }

    /// Writes of the backlog what can be written now.
    fn catch_up(&mut self) {
        let mut buffer = [0; CHUNK];
        while let Some(backlog) = &mut self.backlog {
            let written = match backlog.peek(&mut buffer) {
                Ok(0) => return self.backlog = None,
                Ok(length) => self.write(&buffer[..length]),
                Err(_) => Err(Errno::IO),
            };
            match written {
                Ok(written) => self.backlog.iter_mut().for_each(|backlog| backlog.advance(written)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(error) => self.lose(error, 0),
            }
        }
    }

    fn is_blocked(&self) -> bool {
        self.backlog.is_some()
    }

    fn is_full(&self) -> bool {
        self.backlog.as_ref().is_some_and(|backlog| backlog.len() >= BACKLOG_LIMIT)
    }

    /// Gives up a caller that does not read.
    fn give_up(&mut self) {
        if self.is_blocked() {
            self.lose(Errno::AGAIN, 0);
        }
    }

    /// How many bytes have not been delivered, and why; the reason `None` is a caller that did not read.
    pub fn lost(&self) -> Option<(Option<io::Error>, u64)> {
        let waiting = self.backlog.as_ref().map_or(0, Backlog::len);
        let (error, count) = self.lost.unwrap_or((Errno::AGAIN, waiting));
        let reason = (error != Errno::AGAIN).then(|| error.into());
        (count > 0).then_some((reason, count))
    }
}

fn is_writable(fd: BorrowedFd<'_>) -> bool {
    crate::sys::is_now(fd, libc::POLLOUT)
}

/// Carries one private pipe of the server to one stream of the caller, and into the log.
pub struct Relay {
    pipe: Option<OwnedFd>,
    sink: Sink,
    log: Option<File>,
    /// Why the log is not complete.
    log_error: Option<io::Error>,
    /// Why the pipe was given up.
    read_error: Option<io::Error>,
    /// Bytes still to be carried once the outcome is known: what the pipe held then, and no more.
    quota: Option<u64>,
    splices: bool,
    /// Since when the caller's pipe is full.
    stalled: Option<Instant>,
    /// The caller's pipe has been made wider, where that can be done.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    is_wide: bool,
}

impl Relay {
    /// The reading end of the pipe is made non-blocking: it is ours alone.
    ///
    /// # Errors
    /// That is refused: a read could wait for ever.
    pub fn new(pipe: OwnedFd, sink: Sink, log: Option<File>) -> io::Result<Relay> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let splices = log.is_none() && sink.kind == FileType::Fifo && sink.wipe.is_none();
        Ok(Relay {
            pipe: Some(pipe),
            sink,
            log,
            log_error: None,
            read_error: None,
            quota: None,
            splices,
            stalled: None,
            is_wide: false,
        })
    }

    /// Carries on what the pipe holds at this moment.
    pub fn pump(&mut self) {
        let before = self.quota;
        self.quota = self.held();
        while self.quota.is_some_and(|left| left > 0) && self.carry() {}
        self.quota = before;
    }

    fn held(&self) -> Option<u64> {
        self.pipe.as_ref().and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok())
    }

    /// One piece; whether there may be more.
    fn carry(&mut self) -> bool {
        if self.quota == Some(0) || self.sink.is_full() {
            return false;
        }
        let moved = if self.splices && !self.sink.is_blocked() { self.splice() } else { self.copy() };
        match moved {
            Ok(0) => self.pipe = None,
            Ok(n) => self.quota = self.quota.map(|left| left.saturating_sub(n)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return false,
            Err(error) => {
                self.read_error = Some(error.into());
                self.pipe = None;
            }
        }
        self.pipe.is_some()
    }

    /// From pipe to pipe without a copy.
    #[cfg(target_os = "linux")]
    fn splice(&mut self) -> Result<u64, Errno> {
        use rustix::pipe::{SpliceFlags, splice};
        let pipe = self.pipe.as_ref().ok_or(Errno::PIPE)?;
        match splice(pipe, None, self.sink.fd, None, WIDE, SpliceFlags::NONBLOCK | SpliceFlags::MOVE) {
            Ok(n) => {
                self.sink.moved = Instant::now();
                self.stalled = None;
                Ok(n as u64)
            }
            Err(Errno::AGAIN) => self.stall(),
            Err(Errno::INTR) => Err(Errno::INTR),
            Err(_) => {
                self.splices = false;
                self.copy()
            }
        }
    }

    /// Nothing could be moved: because there is nothing, or because the caller's pipe is full.
    #[cfg(target_os = "linux")]
    fn stall(&mut self) -> Result<u64, Errno> {
        if self.held() == Some(0) {
            // Empty or at its end: a read tells which.
            return self.copy();
        }
        match self.stalled {
            Some(since) if since.elapsed() >= STALL => {
                self.stalled = None;
                return self.copy();
            }
            Some(_) => {}
            None => {
                self.stalled = Some(Instant::now());
                self.widen();
            }
        }
        Err(Errno::AGAIN)
    }

    /// Much is coming, and the caller is busy: wider pipes on both sides are fewer switches between three processes.
    #[cfg(target_os = "linux")]
    fn widen(&mut self) {
        if !std::mem::replace(&mut self.is_wide, true) {
            let _ = self.pipe.as_ref().map(|pipe| rustix::pipe::fcntl_setpipe_size(pipe, WIDE));
            let _ = rustix::pipe::fcntl_setpipe_size(self.sink.fd, WIDE);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn splice(&mut self) -> Result<u64, Errno> {
        self.copy()
    }

    fn copy(&mut self) -> Result<u64, Errno> {
        let pipe = self.pipe.as_ref().ok_or(Errno::PIPE)?;
        let mut buffer = [0; CHUNK];
        let n = rustix::io::read(pipe, &mut buffer)?;
        if n > 0 {
            self.sink.put(&buffer[..n]);
            self.write_log(&buffer[..n]);
        }
        Ok(n as u64)
    }

    fn write_log(&mut self, bytes: &[u8]) {
        use io::Write;
        if let Some(Err(error)) = self.log.as_mut().map(|log| log.write_all(bytes)) {
            self.log = None;
            self.log_error = Some(error);
        }
    }

    /// What of the output has not been delivered; see [`Sink::lost`]. At the end that includes what the server's pipe
    /// holds, if nobody had the patience to wait for its turn.
    pub fn lost(&self) -> Option<(Option<io::Error>, u64)> {
        let unread = self.quota.filter(|_| self.pipe.is_some()).unwrap_or(0);
        match self.sink.lost() {
            Some((reason, count)) => Some((reason, count + unread)),
            None => (unread > 0).then_some((None, unread)),
        }
    }

    /// Why the server's output could not be read to its end, if that is so.
    pub fn read_error(&self) -> Option<&io::Error> {
        self.read_error.as_ref()
    }

    /// Why the log is not complete, if it is not.
    pub fn log_error(&self) -> Option<&io::Error> {
        self.log_error.as_ref()
    }
}

/// A relay that the channel can ask to be pumped.
pub type SharedRelay = Rc<RefCell<Relay>>;

impl Source for Relay {
    fn interest(&self, want: &mut Interest) {
        match (&self.pipe, self.stalled) {
            (Some(_), Some(since)) => {
                want.write(self.sink.fd);
                want.within(STALL.saturating_sub(since.elapsed()));
            }
            (Some(pipe), None) if self.quota != Some(0) && !self.sink.is_full() => want.read(pipe),
            _ => {}
        }
        if self.sink.is_blocked() {
            want.write(self.sink.fd);
            self.quota.iter().for_each(|_| want.within(PATIENCE));
        }
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, _events: &mut Vec<Event>) {
        if self.sink.is_blocked() && ready.has(self.sink.fd) {
            self.sink.catch_up();
        }
        let readable = self.pipe.as_ref().is_some_and(|pipe| ready.has(pipe));
        let stall_over = self.stalled.is_some_and(|since| ready.has(self.sink.fd) || since.elapsed() >= STALL);
        if readable || stall_over {
            // Bounded, so that output without end cannot keep the loop from its other sources.
            let _ = (0..16).all(|_| self.carry());
        }
        if self.quota.is_some() && self.sink.moved.elapsed() >= PATIENCE {
            self.sink.give_up();
        }
    }

    fn settle(&mut self) {
        self.quota = Some(self.held().unwrap_or(0));
        self.sink.moved = Instant::now();
    }

    fn is_settled(&self) -> bool {
        (self.pipe.is_none() || self.quota == Some(0)) && !self.sink.is_blocked()
    }
}

#[cfg(test)]
mod tests;
