//! The receiving end of sd_notify: a service manager as a server sees it.

use crate::wait::readable;
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::sockopt::set_socket_passcred;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::ffi::OsString;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A message as it came.
#[derive(Debug)]
pub struct Message {
    /// Its text: assignments, one a line.
    pub text: String,
    /// The pid of the process that sent it, as the kernel says; 0 if unknown.
    pub sender: i32,
    /// The descriptors that came with it; dropping them answers a barrier.
    pub fds: Vec<OwnedFd>,
}

/// A bound notify socket.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    address: OsString,
}

impl Manager {
    /// Binds a socket at a path.
    ///
    /// # Panics
    ///
    /// When it cannot be bound.
    #[must_use]
    #[track_caller]
    pub fn at(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let socket = UnixDatagram::bind(path).expect("bind a notify socket");
        Self::of(socket, path.as_os_str().to_owned())
    }

    /// Binds an abstract socket, named without its `@`.
    ///
    /// # Panics
    ///
    /// When it cannot be bound.
    #[must_use]
    #[track_caller]
    pub fn at_abstract(name: &str) -> Self {
        let addr = SocketAddr::from_abstract_name(name).expect("an abstract name");
        let socket = UnixDatagram::bind_addr(&addr).expect("bind a notify socket");
        Self::of(socket, format!("@{name}").into())
    }

    fn of(socket: UnixDatagram, address: OsString) -> Self {
        set_socket_passcred(&socket, true).expect("ask for the sender's pid");
        Self { socket, address }
    }

    /// Tells a command where to send.
    pub fn tell(&self, command: &mut Command) {
        // Not written in one word: this library is part of the fixture that must not hold the name.
        let name = ["NOTIFY", "SOCKET"].join("_");
        command.env(name, &self.address);
    }

    /// The next message, or `None` when none comes in time.
    ///
    /// # Panics
    ///
    /// When the socket fails.
    #[must_use]
    pub fn next(&self, limit: Duration) -> Option<Message> {
        if !readable(self.socket.as_fd(), Instant::now() + limit).expect("poll the notify socket") {
            return None;
        }
        let mut text = [0; 65536];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16), ScmCredentials(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut text)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let got = recvmsg(&self.socket, &mut parts, &mut ancillary, flags).expect("receive");
        let mut message = Message { text: String::new(), sender: 0, fds: Vec::new() };
        for part in ancillary.drain() {
            match part {
                RecvAncillaryMessage::ScmRights(fds) => message.fds.extend(fds),
                RecvAncillaryMessage::ScmCredentials(who) => {
                    message.sender = who.pid.as_raw_nonzero().get();
                }
                _ => {}
            }
        }
        message.text = String::from_utf8_lossy(&text[..got.bytes]).into_owned();
        Some(message)
    }

    /// Receives until a message holds the assignment, answering barriers; returns that message.
    ///
    /// # Panics
    ///
    /// When it does not come in time; the panic shows what came instead.
    #[track_caller]
    pub fn wait_for(&self, assignment: &str, limit: Duration) -> Message {
        let deadline = Instant::now() + limit;
        let mut others = Vec::new();
        while let Some(message) = self.next(deadline.saturating_duration_since(Instant::now())) {
            if message.text.lines().any(|line| line == assignment) {
                return message;
            }
            others.push(message.text);
        }
        panic!("no {assignment:?} within {limit:?}; what came: {others:?}")
    }
}
