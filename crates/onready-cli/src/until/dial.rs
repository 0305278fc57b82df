//! A connection on trial, without waiting: to see that a listener accepts.

use onready::engine::nonblocking_socket;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, connect, sockopt};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;

/// How a trial stands.
pub enum Dial {
    /// Not decided yet.
    Pending(OwnedFd),
    /// Accepted.
    Open(OwnedFd),
    /// Refused.
    Refused,
}

fn stream(family: AddressFamily) -> io::Result<OwnedFd> {
    nonblocking_socket(family, SocketType::STREAM)
}

fn judge(socket: OwnedFd, result: Result<(), Errno>) -> Dial {
    match result {
        Ok(()) => Dial::Open(socket),
        Err(Errno::INPROGRESS) => Dial::Pending(socket),
        Err(_) => Dial::Refused,
    }
}

/// Begins a connection to a TCP address; a wildcard means the loopback.
///
/// # Errors
/// No descriptors left.
pub fn tcp(address: SocketAddr) -> io::Result<Dial> {
    let mut address = address;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = stream(family)?;
    let result = connect(&socket, &address);
    Ok(judge(socket, result))
}

/// Begins a connection to a unix socket.
///
/// # Errors
/// No descriptors left, or the path is too long for a socket address.
pub fn unix(path: &Path) -> io::Result<Dial> {
    let address = rustix::net::SocketAddrUnix::new(path)?;
    let socket = stream(AddressFamily::UNIX)?;
    let result = connect(&socket, &address);
    Ok(judge(socket, result))
}

impl Dial {
    /// How it stands now.
    pub fn advance(self) -> Dial {
        let Dial::Pending(socket) = self else { return self };
        if !onready::engine::is_writable(&socket) {
            return Dial::Pending(socket);
        }
        match sockopt::socket_error(&socket) {
            Ok(Ok(())) => Dial::Open(socket),
            _ => Dial::Refused,
        }
    }
}
