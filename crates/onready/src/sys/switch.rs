//! Linux: the switch that ends a server with its launcher.

use super::{Target, check, stream_pair};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// fcntl(2) commands that the libc crate does not name on every C library.
const F_SETOWN: libc::c_int = 8;
const F_SETSIG: libc::c_int = 10;

/// A dead man's switch: while it is armed, the kernel kills the server's process group the moment that the launcher
/// is gone, however it went.
///
/// Two connected sockets, each set to send SIGKILL (instead of SIGIO) to the group as soon as the other is closed.
/// Both are held by the launcher alone; when it dies, whichever is closed first kills. Unlike PR_SET_PDEATHSIG this
/// reaches the whole group, does not depend on the thread that started it, survives a set-user-id exec, and can be
/// taken back from outside when the server is ready.
///
/// # References
/// fcntl(2): F_SETOWN, F_SETSIG, O_ASYNC
pub struct Switch {
    pub(super) ends: [OwnedFd; 2],
}

impl Switch {
    pub(super) fn new() -> io::Result<Switch> {
        let ends: [OwnedFd; 2] = stream_pair()?.into();
        for end in &ends {
            // SAFETY: F_SETSIG takes a number.
            check(unsafe { libc::fcntl(end.as_raw_fd(), F_SETSIG, libc::SIGKILL) })?;
            // SAFETY: F_SETFL takes flags.
            check(unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFL, libc::O_ASYNC) })?;
        }
        Ok(Switch { ends })
    }

    /// A switch for one more process group, or for one process that left its group.
    pub fn armed_for(target: Target) -> io::Result<Switch> {
        let switch = Switch::new()?;
        for end in &switch.ends {
            own(end.as_raw_fd(), target)?;
        }
        Ok(switch)
    }

    /// Takes it back: the server may outlive us.
    pub fn disarm(&self) {
        for end in &self.ends {
            // SAFETY: F_SETFL takes flags.
            unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFL, 0) };
        }
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// Whom it is to end.
pub(super) fn own(fd: RawFd, target: Target) -> io::Result<()> {
    let owner = match target {
        Target::Group(group) => -group,
        Target::Process(pid) => pid,
    };
    // SAFETY: F_SETOWN takes a number: a pid, or a group's as its negative.
    check(unsafe { libc::fcntl(fd, F_SETOWN, owner) })
}
