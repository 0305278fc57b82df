//! A machine with much on it: many names on record, many sockets of others.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bench::shot::Line;

use super::milliseconds;
use crate::context::Context;
use crate::report::Row;

fn start(context: &Context, state: &Path) -> io::Result<Line> {
    Ok(context.onready_in(state)?.args(["--until", "fd:3"]))
}

pub fn names(context: &Context) -> io::Result<Vec<Row>> {
    let count = context.size(1000, 100);
    let mut rows = Vec::new();
    for (what, named) in [("names on record", true), ("servers of the same name on record", false)] {
        let values = with_names(context, count, named);
        context.end_all()?;
        let full = context.scratch(if named { "names" } else { "same" });
        let _ = std::fs::remove_dir_all(full);
        let values = values?;
        let name = format!("onready fd:3: {count} {what} / none");
        rows.push(Row::ratio(&name, "ms", &values[0], &values[1])?.at_most(1.2));
    }
    Ok(rows)
}

/// `count` servers that run, either with names of their own or all with the default one; then one more start.
fn with_names(context: &Context, count: usize, named: bool) -> io::Result<Vec<Vec<f64>>> {
    let server = context.program("bench-line")?;
    let full = context.scratch(if named { "names" } else { "same" });
    for number in 0..count {
        let line = start(context, &full)?;
        let line = if named { line.args(["--name", &format!("other-{number}")]) } else { line };
        line.args(["--"]).args([&server]).shoot()?;
    }
    context.keep_present()?;
    drop(context.tried(start(context, &context.state())?.args(["--"]).args([&server]))?);
    let mut large = start(context, &full)?.args(["--"]).args([&server]);
    let mut small = start(context, &context.state())?.args(["--"]).args([&server]);
    context.alternate(
        context.runs(200),
        &mut [&mut || Ok(milliseconds(large.shoot()?.elapsed_ns)), &mut || Ok(milliseconds(small.shoot()?.elapsed_ns))],
    )
}

/// Strangers' sockets, there as long as this lives.
struct Crowd(Child);

impl Crowd {
    fn gather(context: &Context, pairs: usize, listeners: usize) -> io::Result<Self> {
        let mut command = Command::new(context.program("bench-crowd")?);
        command.args([pairs.to_string(), listeners.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or_else(|| io::Error::other("no pipe from the crowd"))?;
        let mut answer = String::new();
        BufReader::new(out).read_line(&mut answer)?;
        if answer.trim().is_empty() {
            return Err(io::Error::other("the crowd could not gather"));
        }
        Ok(Self(child))
    }

    fn disperse(mut self) -> io::Result<()> {
        drop(self.0.stdin.take());
        self.0.wait()?;
        Ok(())
    }
}

pub fn sockets(context: &Context) -> io::Result<Vec<Row>> {
    let connected = crowded(context, 2500, 0)?;
    let listening = crowded(context, 0, 1000)?;
    let name = "onready --: 10,000 foreign sockets (tcp and unix, connected) / none";
    Ok(vec![
        Row::ratio(name, "ms", &connected[0], &connected[1])?.at_most(1.2),
        Row::ratio("onready --: 1,000 foreign listeners / none", "ms", &listening[0], &listening[1])?,
    ])
}

/// In turn a block of starts in a crowd and a block alone.
fn crowded(context: &Context, pairs: usize, listeners: usize) -> io::Result<[Vec<f64>; 2]> {
    const BLOCK: usize = 10;
    let server = context.program("bench-listen")?;
    let mut line = context.onready()?.args(["--"]).args([&server]);
    let mut values = [Vec::new(), Vec::new()];
    for _ in 0..context.runs(200).div_ceil(BLOCK) {
        let crowd = Crowd::gather(context, pairs, listeners)?;
        context.keep_present()?;
        block(context, &mut line, BLOCK, &mut values[0])?;
        crowd.disperse()?;
        block(context, &mut line, BLOCK, &mut values[1])?;
    }
    Ok(values)
}

fn block(context: &Context, line: &mut Line, starts: usize, values: &mut Vec<f64>) -> io::Result<()> {
    // The first start after a change is not counted.
    for number in 0..=starts {
        let elapsed = milliseconds(line.shoot()?.elapsed_ns);
        context.clean()?;
        if number > 0 {
            values.push(elapsed);
        }
    }
    Ok(())
}
