//! A stream of the caller's, as what a log is carried to.

use onready::engine::Sink;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

const CHUNK: usize = 64 * 1024;
/// How much is moved from a file to a pipe at once.
#[cfg(target_os = "linux")]
const PIECE: usize = 1 << 20;

/// Where the bytes of one stream go: to the caller, or nowhere (`--quiet` and all that is kept in the log alone).
pub struct Outlet {
    name: &'static str,
    sink: Option<Sink>,
    splices: bool,
    lost: Option<(Option<Errno>, u64)>,
}

impl Outlet {
    /// Of this name ("stdout") to this sink, if to any.
    pub fn new(name: &'static str, sink: Option<Sink>) -> Outlet {
        let splices = cfg!(target_os = "linux") && sink.as_ref().is_some_and(|sink| sink.pipe().is_some());
        Outlet { name, sink, splices, lost: None }
    }

    /// The descriptor, while there is somebody to write to.
    pub fn fd(&self) -> Option<BorrowedFd<'static>> {
        self.sink.as_ref().filter(|_| self.lost.is_none()).map(Sink::fd)
    }

    /// Carries up to `length` bytes of the file; how many, or `None` if the caller takes none now.
    pub fn carry(&mut self, file: &File, from: u64, length: u64) -> Option<u64> {
        loop {
            let Some(sink) = self.sink.as_mut().filter(|_| self.lost.is_none()) else {
                self.lost.iter_mut().for_each(|(_, count)| *count += length);
                return Some(length);
            };
            let moved = if self.splices { splice(file, from, sink, length) } else { copy(file, from, sink, length) };
            match moved {
                Ok(n) => return Some(n),
                Err(Errno::AGAIN) => return None,
                Err(Errno::INTR) => {}
                Err(Errno::INVAL) if self.splices => self.splices = false,
                Err(error) => self.lost = Some((Some(error), 0)),
            }
        }
    }

    /// The caller does not read: no more is tried, this much is lost.
    pub fn give_up(&mut self, length: u64) {
        self.lost = Some((None, length));
    }

    /// What could not be delivered, in words; all of it is in the log.
    pub fn loss(&self, log: &Path) -> Option<String> {
        let (error, count) = self.lost.filter(|(_, count)| *count > 0)?;
        let reason = error.map_or("nobody reads it".into(), |error| io::Error::from(error).to_string());
        let log = log.display();
        Some(format!("{count} bytes of the server's {} could not be delivered: {reason}; they are in {log}", self.name))
    }
}

#[cfg(target_os = "linux")]
fn splice(file: &File, from: u64, sink: &mut Sink, length: u64) -> Result<u64, Errno> {
    use rustix::pipe::{SpliceFlags, splice};
    let pipe = sink.pipe().ok_or(Errno::INVAL)?;
    let mut offset = from;
    let length = length.min(PIECE as u64) as usize;
    splice(file, Some(&mut offset), pipe, None, length, SpliceFlags::NONBLOCK).map(|n| n as u64)
}

#[cfg(not(target_os = "linux"))]
fn splice(_file: &File, _from: u64, _sink: &mut Sink, _length: u64) -> Result<u64, Errno> {
    Err(Errno::INVAL)
}

fn copy(file: &File, from: u64, sink: &mut Sink, length: u64) -> Result<u64, Errno> {
    // On the stack, its pages would be touched at every look.
    let mut buffer = vec![0; length.min(CHUNK as u64) as usize];
    let n = rustix::io::pread(file, &mut buffer, from)?;
    if n == 0 { Ok(0) } else { sink.offer(&buffer[..n]).map(|written| written as u64) }
}
