//! A server that says nothing and listens: `bench-listen [--init-ms N] [--note PATH] [--unix PATH]`.
//!
//! Right before listen(2) it looks at CLOCK_MONOTONIC and then writes what it saw to PATH, in nanoseconds.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1));
    if let Some(pause) = value("--init-ms").and_then(|text| text.parse().ok()) {
        std::thread::sleep(Duration::from_millis(pause));
    }
    let family = if value("--unix").is_some() { AddressFamily::UNIX } else { AddressFamily::INET };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    match value("--unix") {
        Some(path) => bind(&socket, &SocketAddrUnix::new(path.as_str())?)?,
        None => bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0)))?,
    }
    let moment = bench::shot::now_ns();
    listen(&socket, 128)?;
    if let Some(path) = value("--note") {
        std::fs::write(path, moment.to_string())?;
    }
    if value("--unix").is_some() {
        let listener = UnixListener::from(socket);
        loop {
            drop(listener.accept()?);
        }
    }
    let listener = TcpListener::from(socket);
    loop {
        drop(listener.accept()?);
    }
}
