//! A server with `start`, `stop`, `status`, `restart` and `logs`:
//! `cargo run --features verbs --example verbs -- start && cargo run --features verbs --example verbs -- status`
use clap::Parser;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};

/// Says "hello" to everyone who connects.
#[derive(Parser)]
struct Cli {
    /// Where to listen.
    #[arg(long, global = true, default_value = "127.0.0.1:8080")] // global: behind `start` too
    listen: SocketAddr,
    #[command(flatten)]
    launch: onready::Launch, // adds --daemonize
    #[command(subcommand)]
    control: Option<onready::verbs::Control>, // adds start, stop, status, restart, logs
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let ready = cli.launch.control(cli.control).enter(); // only the server comes back from this
    let listener = TcpListener::bind(cli.listen)?;
    println!("listening on {}", listener.local_addr()?);
    ready.notify()?;
    for connection in listener.incoming() {
        let mut connection = connection?;
        println!("{} has come", connection.peer_addr()?); // into the log, which `logs` shows
        connection.write_all(b"hello\n")?;
    }
    Ok(())
}
