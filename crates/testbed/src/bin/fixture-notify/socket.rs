//! The sending end of sd_notify(3), written from its manual page.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::time::Timespec;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixDatagram;

/// How long a barrier may take, in seconds.
const BARRIER: i64 = 5;

/// A notify socket that we can send to.
pub struct Socket {
    from: UnixDatagram,
    to: SocketAddrUnix,
}

impl Socket {
    /// The socket of the variable, or another one.
    pub fn named(name: Option<String>) -> io::Result<Self> {
        let name = name.or_else(|| std::env::var("NOTIFY_SOCKET").ok());
        let name = name.ok_or_else(|| io::Error::other("NOTIFY_SOCKET is not set"))?;
        let to = match name.strip_prefix('@') {
            Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
            None => SocketAddrUnix::new(name.as_str())?,
        };
        Ok(Self { from: UnixDatagram::unbound()?, to })
    }

    /// Sends one message.
    pub fn send(&self, text: &str) -> io::Result<()> {
        self.send_with(text, &[])
    }

    fn send_with(&self, text: &str, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(fds));
        }
        let parts = [IoSlice::new(text.as_bytes())];
        sendmsg_addr(&self.from, &self.to, &parts, &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits until everything sent before has been read: the receiver closes the pipe's end then.
    pub fn barrier(&self) -> io::Result<()> {
        let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        self.send_with("BARRIER=1", &[theirs.as_fd()])?;
        drop(theirs);
        let limit = Timespec { tv_sec: BARRIER, tv_nsec: 0 };
        let mut fds = [PollFd::new(&ours, PollFlags::empty())];
        match poll(&mut fds, Some(&limit))? {
            0 => Err(io::Error::new(io::ErrorKind::TimedOut, "the barrier was not answered")),
            _ => Ok(()),
        }
    }
}
