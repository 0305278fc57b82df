//! New descriptors, close-on-exec from birth where the system can; nothing here is unsafe.

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;

/// No SIGPIPE for a peer that is gone. Where there is no such flag, Rust programs ignore the signal anyhow.
#[cfg(not(target_vendor = "apple"))]
pub const QUIET: SendFlags = SendFlags::NOSIGNAL;
/// No SIGPIPE for a peer that is gone. Where there is no such flag, Rust programs ignore the signal anyhow.
#[cfg(target_vendor = "apple")]
pub const QUIET: SendFlags = SendFlags::empty();

/// Received descriptors are close-on-exec; elsewhere they are closed as soon as they are seen.
#[cfg(not(target_vendor = "apple"))]
pub const CLOSED_ON_EXEC: RecvFlags = RecvFlags::CMSG_CLOEXEC;
/// Received descriptors are close-on-exec; elsewhere they are closed as soon as they are seen.
#[cfg(target_vendor = "apple")]
pub const CLOSED_ON_EXEC: RecvFlags = RecvFlags::empty();

/// A pipe: the end to read from and the end to write to.
///
/// # Errors
/// No descriptors left.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?);
    #[cfg(target_vendor = "apple")]
    return both(rustix::pipe::pipe()?);
}

/// A pair of connected stream sockets.
///
/// # Errors
/// No descriptors left.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?);
    #[cfg(target_vendor = "apple")]
    return both(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        rustix::net::SocketFlags::empty(),
        None,
    )?);
}

/// A unix socket for messages.
///
/// # Errors
/// No descriptors left.
pub fn message_socket() -> io::Result<OwnedFd> {
    socket(AddressFamily::UNIX, SocketType::DGRAM)
}

/// A socket that does not block.
///
/// # Errors
/// No descriptors left.
pub fn nonblocking_socket(family: AddressFamily, kind: SocketType) -> io::Result<OwnedFd> {
    let socket = socket(family, kind)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

fn socket(family: AddressFamily, kind: SocketType) -> io::Result<OwnedFd> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::socket_with(family, kind, rustix::net::SocketFlags::CLOEXEC, None)?);
    #[cfg(target_vendor = "apple")]
    return closed_on_exec(rustix::net::socket(family, kind, None)?);
}

#[cfg(target_vendor = "apple")]
fn both((a, b): (OwnedFd, OwnedFd)) -> io::Result<(OwnedFd, OwnedFd)> {
    Ok((closed_on_exec(a)?, closed_on_exec(b)?))
}

/// A moment late: a process that another thread starts in between inherits it.
#[cfg(target_vendor = "apple")]
fn closed_on_exec(fd: OwnedFd) -> io::Result<OwnedFd> {
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}
