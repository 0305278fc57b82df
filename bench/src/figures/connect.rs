//! `connect_or_start` on a server that runs, against a bare connect.

use std::io;
use std::process::{Command, Stdio};

use bench::shot::Line;

use crate::context::Context;
use crate::report::Row;

pub fn running(context: &Context) -> io::Result<Vec<Row>> {
    let client = context.program("bench-connect")?;
    let socket = context.scratch("connect.sock");
    let _ = std::fs::remove_file(&socket);
    Line::new(context.program("bench-listen")?)?.args(["--unix"]).args([&socket]).spawn()?;
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let rounds = context.runs(200).to_string();
    let output =
        Command::new(client).arg(&socket).arg(rounds).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("bench-connect: {}", output.status)));
    }
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let numbers: Vec<f64> = line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
        if let [one, other] = numbers[..] {
            ours.push(one / 1e3);
            bare.push(other / 1e3);
        }
    }
    Ok(vec![Row::ratio("connect_or_start, the server runs / bare connect", "us", &ours, &bare)?.at_most(1.1)])
}
