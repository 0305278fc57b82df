//! The same from tokio: `connect_or_start` blocks, so it has its place in `spawn_blocking`.
//! `cargo run --example client_tokio -- /tmp/pong.sock target/debug/examples/pong --daemonize --listen /tmp/pong.sock`
use onready::{Start, connect_or_start};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let socket = arguments.next().expect("usage: client_tokio SOCKET SERVER [ARGUMENT]...");
    let server = arguments.next().expect("usage: client_tokio SOCKET SERVER [ARGUMENT]...");
    let start = Start::program(server).args(arguments).socket(&socket).timeout(Duration::from_secs(30));

    let connect = move || connect_or_start(|| UnixStream::connect(&socket), start);
    let stream = tokio::task::spawn_blocking(connect).await??;
    stream.set_nonblocking(true)?;
    let mut stream = tokio::net::UnixStream::from_std(stream)?;

    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    print!("{answer}");
    Ok(())
}
