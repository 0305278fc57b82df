//! The smallest server with `--daemonize`: `cargo run --features clap --example sync -- --daemonize`
use clap::Parser;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};

/// Says "hello" to everyone who connects.
#[derive(Parser)]
struct Cli {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    launch: onready::Launch, // adds --daemonize
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let ready = cli.launch.enter(); // the launcher never gets past this line
    let listener = TcpListener::bind(cli.listen)?; // an error here is the launcher's exit code
    println!("listening on {}", listener.local_addr()?);
    ready.notify()?; // the launcher exits 0 now
    for connection in listener.incoming() {
        connection?.write_all(b"hello\n")?;
    }
    Ok(())
}
