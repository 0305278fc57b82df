//! Without clap: any flag of your own. `cargo run --example no_clap -- --background served.txt`
//!
//! The path is resolved before `notify`, while the directory is still the caller's: afterwards it is `/`.
use std::io::{self, Write};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let background = arguments.iter().position(|argument| argument == "--background");
    let background = background.map(|at| arguments.remove(at)).is_some();
    let ready = onready::Launch::default().daemonize(background).enter();

    let file = arguments.first().ok_or(io::Error::other("usage: no_clap [--background] FILE"))?;
    let file = std::path::absolute(file)?; // a relative path is meant from the caller's directory
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("serving {} on {}", file.display(), listener.local_addr()?);
    ready.notify()?;
    for connection in listener.incoming() {
        connection?.write_all(&std::fs::read(&file)?)?;
    }
    Ok(())
}
