//! `bench-flood-library BYTES --daemonize|--end`: a server of ours that writes BYTES to stdout while it starts; with
//! `--end` it ends after them, in the foreground.

use std::io;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let bytes = args.first().and_then(|text| text.parse().ok());
    let bytes = bytes.ok_or_else(|| io::Error::other("usage: bench-flood-library BYTES --daemonize|--end"))?;
    let given = |flag: &str| args.iter().any(|arg| arg == flag);
    let ready = onready::Launch::default().daemonize(given("--daemonize")).enter();
    bench::flood::pour(bytes)?;
    if given("--end") {
        return Ok(());
    }
    ready.notify()?;
    loop {
        std::thread::park();
    }
}
