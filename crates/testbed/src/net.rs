//! Clients for the fixtures: one attempt each, never a retry.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self, UnixStream};
use std::path::Path;
use std::time::Duration;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(5);

/// A TCP port on which nothing listens on 127.0.0.1 at this moment.
///
/// Another process may take it before the server does: prefer `fixture listen --port 0 --port-file F`,
/// and use this only where a number must be known before the start.
///
/// # Panics
///
/// When no port can be bound.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind a port");
    listener.local_addr().expect("address of a bound port").port()
}

/// Connects in one single attempt, as a client does that relies on the server being ready.
///
/// # Errors
///
/// What connect(2) reports, such as `ConnectionRefused`.
pub fn connect_at_once(addr: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let mut addrs = addr.to_socket_addrs()?;
    let first = addrs.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let stream = TcpStream::connect_timeout(&first, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    Ok(stream)
}

fn read_all(mut stream: impl Read) -> io::Result<String> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Connects once and reads what the server says (`pong\n` from `fixture listen`).
///
/// # Errors
///
/// When it cannot connect, or nothing comes within five seconds.
pub fn ping(addr: impl ToSocketAddrs) -> io::Result<String> {
    read_all(connect_at_once(addr)?)
}

fn ping_socket(stream: UnixStream) -> io::Result<String> {
    stream.set_read_timeout(Some(LIMIT))?;
    read_all(stream)
}

/// The same for a unix socket at a path.
///
/// # Errors
///
/// As [`ping`].
pub fn ping_unix(path: impl AsRef<Path>) -> io::Result<String> {
    ping_socket(UnixStream::connect(path)?)
}

/// The same for an abstract unix socket, named without its `@`.
///
/// # Errors
///
/// As [`ping`].
pub fn ping_abstract(name: &str) -> io::Result<String> {
    let addr = net::SocketAddr::from_abstract_name(name)?;
    ping_socket(UnixStream::connect_addr(&addr)?)
}

/// Asks for a page once: the status and the body.
///
/// # Errors
///
/// When it cannot connect, nothing comes within five seconds, or the answer is not HTTP/1.
pub fn http_get(addr: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = connect_at_once(addr)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")?;
    let whole = read_all(stream)?;
    let status = whole.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let body = whole.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    let parts = status.zip(body);
    parts.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {whole:?}")))
}
