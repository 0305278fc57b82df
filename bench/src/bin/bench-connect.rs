//! `bench-connect SOCKET ROUNDS`: prints, a line a round, nanoseconds for one `connect_or_start` and for one bare connect.

use std::io;
use std::os::unix::net::UnixStream;

use bench::shot::now_ns;

/// Connects of each kind in a round.
const BATCH: u32 = 100;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [socket, rounds] = &args[..] else {
        return Err(io::Error::other("usage: bench-connect SOCKET ROUNDS"));
    };
    let rounds: usize = rounds.parse().map_err(io::Error::other)?;
    let bare = || UnixStream::connect(socket).map(drop);
    let ours = || {
        let start = onready::Start::program("false");
        onready::connect_or_start(|| UnixStream::connect(socket), start).map(drop).map_err(io::Error::other)
    };
    for round in 0..rounds {
        let (one, other) = if round % 2 == 0 {
            let one = batch(ours)?;
            (one, batch(bare)?)
        } else {
            let other = batch(bare)?;
            (batch(ours)?, other)
        };
        println!("{one} {other}");
    }
    Ok(())
}

fn batch(once: impl Fn() -> io::Result<()>) -> io::Result<u64> {
    let start = now_ns();
    for _ in 0..BATCH {
        once()?;
    }
    Ok((now_ns() - start) / u64::from(BATCH))
}
