//! What all peers share: the command line of onready's example server, and the server itself.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use clap::Parser;

/// The same flags as pong's.
#[derive(Clone, Parser)]
pub struct Cli {
    /// Where to listen: HOST:PORT.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// How long the start takes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub init_ms: u64,
    /// Fail at the end of the start, with this exit code.
    #[arg(long, value_name = "CODE")]
    pub fail: Option<u8>,
    /// Run in the background.
    #[arg(long)]
    pub daemonize: bool,
}

impl Cli {
    /// All that has to happen before the server is ready.
    pub fn start(&self) -> io::Result<TcpListener> {
        std::thread::sleep(Duration::from_millis(self.init_ms));
        if let Some(code) = self.fail {
            return Err(io::Error::other(format!("told to fail with {code}")));
        }
        let listener = TcpListener::bind(&self.listen)?;
        println!("listening on {}", listener.local_addr()?);
        Ok(listener)
    }
}

/// For ever.
pub fn serve(listener: TcpListener) -> ! {
    loop {
        drop(listener.accept());
    }
}
