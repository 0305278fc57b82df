//! The launcher's peak memory, against the same program that ends where `enter` would begin.

use std::io;
use std::process::{Command, Stdio};

use crate::context::Context;
use crate::report::{Measure, Row};

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// `peak COMMAND`: see bench/peak.c.
fn peak(command: &mut Command, wanted: &str) -> io::Result<f64> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_ascii_whitespace();
    if words.next() != Some(wanted) {
        return Err(io::Error::other(format!("{command:?} printed {text:?}, not code {wanted}")));
    }
    let kib: f64 = words.next().and_then(|word| word.parse().ok()).ok_or_else(|| io::Error::other("no peak"))?;
    Ok(kib / 1024.0)
}

pub fn library(context: &Context) -> io::Result<Vec<Row>> {
    let tool = context.tool("peak")?;
    let command = |args: &[&str]| -> io::Result<Command> {
        let mut command = Command::new(&tool);
        command.arg(context.pong()?).args(args).args(LISTEN);
        Ok(command)
    };
    let mut launcher = command(&["--daemonize"])?;
    let mut before = command(&["--fail", "7"])?;
    let mut program = Command::new(&tool);
    program.arg(context.program("onready")?).arg("--state-dir").arg(context.state());
    program.args(["--until", "fd:3", "--"]).arg(context.program("bench-line")?);
    let mut none = Command::new(&tool);
    none.arg("true");
    let values = context.alternate(
        context.runs(40),
        &mut [
            &mut || peak(&mut launcher, "0"),
            &mut || peak(&mut before, "7"),
            &mut || peak(&mut program, "0"),
            &mut || peak(&mut none, "0"),
        ],
    )?;
    let note = "peak resident memory (ru_maxrss); the other side is the same program told to fail at once";
    Ok(vec![
        Row::new("launcher of pong, beyond pong itself", "MiB", Measure::Difference, &values[0], Some(&values[1]))?
            .at_most(2.2)
            .note(note),
        Row::new("launcher onready, beyond true(1)", "MiB", Measure::Difference, &values[2], Some(&values[3]))?,
    ])
}
