//! A server to play with: answers everyone who connects with "pong", or fails as it is told to.
//!
//! `cargo run --release --features clap --example pong -- --daemonize --listen 127.0.0.1:8080 --init-ms 500`
use clap::Parser;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a client may take to say that it speaks HTTP.
const PATIENCE: Option<Duration> = Some(Duration::from_millis(50));

/// Answers everyone who connects with "pong" (to an HTTP request, in HTTP).
#[derive(Parser)]
struct Cli {
    /// Where to listen: HOST:PORT, or the path of a unix socket.
    #[arg(long, value_name = "ADDR|PATH", default_value = "127.0.0.1:0")]
    listen: String,
    /// How long the start takes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    init_ms: u64,
    /// Fail at the end of the start, with this exit code.
    #[arg(long, value_name = "CODE")]
    fail: Option<u8>,
    /// Give up a start that takes longer.
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,
    /// Where its output goes once it runs in the background.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Hold this file while running, with the pid in it.
    #[arg(long)]
    pid_file: Option<PathBuf>,
    #[command(flatten)]
    launch: onready::Launch,
}

impl Cli {
    fn launch(&self) -> onready::Launch {
        let mut launch = self.launch.clone();
        launch = self.timeout_ms.into_iter().fold(launch, |l, ms| l.timeout(Duration::from_millis(ms)));
        launch = self.log.iter().fold(launch, |l, path| l.log(path));
        self.pid_file.iter().fold(launch, |l, path| l.pid_file(path))
    }
}

#[allow(clippy::disallowed_methods)] // the exit code is what it is asked for
fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let ready = cli.launch().enter();
    initialize(&ready, Duration::from_millis(cli.init_ms))?;
    if let Some(code) = cli.fail {
        eprintln!("pong: cannot go on, as asked");
        std::process::exit(code.into());
    }
    if cli.listen.contains('/') {
        let listener = UnixListener::bind(&cli.listen)?;
        println!("pong: listening on {}", cli.listen);
        ready.notify()?;
        return serve(listener.incoming(), |connection: &UnixStream| connection.set_read_timeout(PATIENCE));
    }
    let listener = TcpListener::bind(&cli.listen)?;
    println!("pong: listening on {}", listener.local_addr()?);
    ready.notify()?;
    serve(listener.incoming(), |connection: &TcpStream| connection.set_read_timeout(PATIENCE))
}

/// Pretends to work, and says how far it is whenever that has changed.
fn initialize(ready: &onready::Ready, time: Duration) -> io::Result<()> {
    let (started, pause) = (Instant::now(), Duration::from_millis(20).max(time / 100));
    while started.elapsed() < time {
        let percent = 100 * started.elapsed().as_millis() / time.as_millis();
        ready.status(&format!("warming up: {percent} %"))?;
        std::thread::sleep(pause.min(time.saturating_sub(started.elapsed())));
    }
    Ok(())
}

/// A thread for each connection; what goes wrong with one concerns its client alone.
fn serve<C: Read + Write + Send + 'static>(
    connections: impl Iterator<Item = io::Result<C>>,
    be_patient: impl Fn(&C) -> io::Result<()>,
) -> io::Result<()> {
    for connection in connections {
        let connection = connection?;
        be_patient(&connection)?;
        std::thread::spawn(move || answer(connection));
    }
    Ok(())
}

fn answer(mut connection: impl Read + Write) -> io::Result<()> {
    let lines = BufReader::new(&mut connection).lines().map_while(Result::ok); // until the client falls silent
    let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    match request.first().is_some_and(|line| line.starts_with("GET ")) {
        true => connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\npong\n"),
        false => connection.write_all(b"pong\n"),
    }
}
