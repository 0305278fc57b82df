//! On one subcommand out of many: `cargo run --features clap --example subcommand -- serve --daemonize`
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A server and its client in one program.
#[derive(Parser)]
enum Cli {
    /// Run the server.
    Serve(Serve),
    /// Print what the server says.
    #[command(subcommand)]
    Ask(Ask),
}

#[derive(clap::Args)]
struct Serve {
    /// Where to listen.
    #[arg(default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    launch: onready::Launch,
}

#[derive(Subcommand)]
enum Ask {
    /// Say hello.
    Hello { server: SocketAddr },
}

fn main() -> io::Result<()> {
    match Cli::parse() {
        Cli::Serve(serve) => {
            let ready = serve.launch.enter();
            let listener = TcpListener::bind(serve.listen)?;
            println!("listening on {}", listener.local_addr()?);
            ready.notify()?;
            listener.incoming().try_for_each(|connection| connection?.write_all(b"hello\n"))
        }
        Cli::Ask(Ask::Hello { server }) => {
            io::copy(&mut TcpStream::connect(server)?, &mut io::stdout())?;
            Ok(())
        }
    }
}
