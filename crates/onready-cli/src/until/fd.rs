//! `fd:N`: a line on a descriptor, as s6 has it.
//!
//! # References
//! s6: notifywhenup; pipe(7)

use onready::engine::{Event, Interest, Source, pipe};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The condition: our end of the pipe.
pub struct FdLine {
    sign: usize,
    pipe: Option<OwnedFd>,
}

impl FdLine {
    /// The condition, and the server's end.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new(sign: usize) -> io::Result<(FdLine, OwnedFd)> {
        let (reader, writer) = pipe()?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        Ok((FdLine { sign, pipe: Some(reader) }, writer))
    }
}

impl Source for FdLine {
    fn interest(&self, want: &mut Interest) {
        self.pipe.iter().for_each(|pipe| want.read(pipe));
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        let mut buffer = [0; 512];
        while let Some(pipe) = self.pipe.as_ref().filter(|pipe| ready.has(pipe)) {
            match rustix::io::read(pipe, &mut buffer) {
                // Closed without a line: then it will not say it this way; it may still end and say why.
                Ok(0) => self.pipe = None,
                Ok(n) if buffer[..n].contains(&b'\n') => {
                    events.push(Event::Sign(self.sign));
                    self.pipe = None;
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}
