//! A client that starts its server when it is not there:
//! `cargo run --example client -- /tmp/pong.sock target/debug/examples/pong --daemonize --listen /tmp/pong.sock`
use onready::{Start, connect_or_start};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(socket), Some(server)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: client SOCKET SERVER [ARGUMENT]...");
        return ExitCode::from(2);
    };
    let start = Start::program(server).args(arguments).socket(&socket).timeout(Duration::from_secs(30));
    match connect_or_start(|| UnixStream::connect(&socket), start) {
        Ok(stream) => talk(stream).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("client: {error}"); // the server's own message is in it
            ExitCode::from(error.exit_code())
        }
    }
}

fn talk(mut stream: UnixStream) -> io::Result<()> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    write!(io::stdout(), "{answer}")
}
