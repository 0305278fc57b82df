//! With clap's builder: `cargo run --features clap --example builder -- --daemonize 127.0.0.1:8080`
use clap::{Arg, Args, Command, FromArgMatches};
use onready::Launch;
use std::io::{self, Write};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let command = Command::new("builder").arg(Arg::new("listen").default_value("127.0.0.1:8080"));
    let matches = Launch::augment_args(command).get_matches();
    let launch = Launch::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let ready = launch.enter();
    let address = matches.get_one::<String>("listen").expect("it has a default");
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    ready.notify()?;
    listener.incoming().try_for_each(|connection| connection?.write_all(b"hello\n"))
}
