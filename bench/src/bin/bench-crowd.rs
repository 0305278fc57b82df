//! `bench-crowd PAIRS LISTENERS`: a stranger that holds PAIRS TCP connections and as many unix ones (four sockets a
//! pair of pairs), and LISTENERS listening TCP sockets, says so on stdout and goes with its stdin.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn main() -> io::Result<()> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [pairs, listeners] = numbers[..] else {
        return Err(io::Error::other("usage: bench-crowd PAIRS LISTENERS"));
    };
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut connected = Vec::with_capacity(pairs * 2);
    let mut local = Vec::with_capacity(pairs);
    for _ in 0..pairs {
        let near = TcpStream::connect(listener.local_addr()?)?;
        // Ended by a reset, so that no TIME_WAIT is left for the runs without a crowd.
        rustix::net::sockopt::set_socket_linger(&near, Some(Duration::ZERO))?;
        connected.push(near);
        connected.push(listener.accept()?.0);
        local.push(UnixStream::pair()?);
    }
    let listening: Vec<TcpListener> =
        (0..listeners).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
    println!("{}", connected.len() + 2 * local.len() + listening.len());
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
