//! Listening sockets of every kind, and what they answer.

use super::Answer;
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{sleep, spawn};
use std::time::Duration;

/// What a server is bound to.
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(String),
    Abstract(String),
    Inherited(i32),
}

/// A socket that is bound, and perhaps listens.
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

/// What each connection gets.
pub(super) struct Reply {
    /// The text of a plain answer, or the body of a page.
    pub(super) text: String,
    /// The status codes of the pages, one after the other; the last one for ever.
    pub(super) codes: Vec<u16>,
    pub(super) http: bool,
    /// Sends every line back instead.
    pub(super) echo: bool,
    /// The time between the connection and the answer.
    pub(super) after: Duration,
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => write!(f, "{}", listener.local_addr().map_err(|_| fmt::Error)?),
            Self::Unix(_, name) => write!(f, "{name}"),
        }
    }
}

/// How a socket is opened.
pub(super) struct Way {
    pub(super) reuse_port: bool,
    /// False: it is bound only.
    pub(super) listening: bool,
    /// A socket for datagrams, which never listens.
    pub(super) datagram: bool,
}

/// Binds, and listens if wanted.
pub(super) fn open(address: &Address, way: &Way) -> io::Result<Socket> {
    let kind = if way.datagram { SocketType::DGRAM } else { SocketType::STREAM };
    let new = |family| socket_with(family, kind, SocketFlags::CLOEXEC, None);
    let (fd, name) = match address {
        Address::Inherited(fd) => return adopt(crate::sys::take_fd(*fd)?),
        Address::Tcp(addr) => {
            let v4 = addr.is_ipv4();
            let fd = new(if v4 { AddressFamily::INET } else { AddressFamily::INET6 })?;
            sockopt::set_socket_reuseaddr(&fd, true)?;
            if way.reuse_port {
                sockopt::set_socket_reuseport(&fd, true)?;
            }
            bind(&fd, addr)?;
            (fd, None)
        }
        Address::Unix(path) => {
            let fd = new(AddressFamily::UNIX)?;
            bind(&fd, &SocketAddrUnix::new(path.as_str())?)?;
            (fd, Some(path.clone()))
        }
        Address::Abstract(name) => {
            let fd = new(AddressFamily::UNIX)?;
            bind(&fd, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
            (fd, Some(format!("@{name}")))
        }
    };
    if way.listening && !way.datagram {
        listen(&fd, 128)?;
    }
    Ok(match name {
        None => Socket::Tcp(fd.into()),
        Some(name) => Socket::Unix(fd.into(), name),
    })
}

fn adopt(fd: OwnedFd) -> io::Result<Socket> {
    match sockopt::socket_domain(&fd)? {
        AddressFamily::UNIX => Ok(Socket::Unix(fd.into(), "inherited".into())),
        _ => Ok(Socket::Tcp(fd.into())),
    }
}

impl Socket {
    /// Writes what a client needs into a file: the port alone, or the path.
    pub(super) fn write_port(&self, file: &str) -> io::Result<()> {
        let name = self.to_string();
        let short = name.rsplit_once(':').map_or(name.as_str(), |(_, port)| port);
        crate::wait::write_whole(Path::new(file), format!("{short}\n").as_bytes())
    }
}

/// Answers connections for ever, each in a thread of its own.
pub(super) fn serve(socket: &Socket, reply: Reply) -> Answer {
    let reply: &'static Reply = Box::leak(Box::new(reply));
    for number in 0.. {
        match socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                spawn(move || reply.tcp(stream, number));
            }
            Socket::Unix(listener, _) => {
                let (stream, _) = listener.accept()?;
                spawn(move || reply.unix(stream, number));
            }
        }
    }
    Ok(0)
}

impl Reply {
    // A client that goes away is no failure of the server.
    fn tcp(&self, stream: TcpStream, number: usize) {
        let _ = self.answer(&stream, &stream, number);
    }

    fn unix(&self, stream: UnixStream, number: usize) {
        let _ = self.answer(&stream, &stream, number);
    }

    fn answer(&self, mut from: impl Read, mut to: impl Write, number: usize) -> io::Result<()> {
        sleep(self.after);
        if self.echo {
            return io::copy(&mut from, &mut to).map(drop);
        }
        if !self.http {
            return to.write_all(self.text.as_bytes());
        }
        read_head(from)?;
        let code = self.codes.get(number).or(self.codes.last()).copied().unwrap_or(200);
        let (text, length) = (&self.text, self.text.len());
        let head = format!("HTTP/1.1 {code} Fixture\r\nContent-Length: {length}\r\nConnection: close");
        to.write_all(format!("{head}\r\n\r\n{text}").as_bytes())
    }
}

/// Reads a request up to its empty line: closing before would reset the connection.
fn read_head(mut from: impl Read) -> io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < 65536 {
        match from.read(&mut buffer)? {
            0 => break,
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(())
}

/// The host and port, or path, or name that the flags give.
pub(super) fn address(args: &mut super::Args) -> io::Result<Address> {
    let path = args.value("--unix")?;
    let name = args.value("--abstract")?;
    let fd = args.number("--inherited")?;
    let host: Option<IpAddr> = args.number("--host")?;
    let port = args.number("--port")?.unwrap_or(0);
    Ok(match (path, name, fd) {
        (Some(path), ..) => Address::Unix(path),
        (_, Some(name), _) => Address::Abstract(name),
        (.., Some(fd)) => Address::Inherited(fd),
        _ => Address::Tcp((host.unwrap_or([127, 0, 0, 1].into()), port).into()),
    })
}
