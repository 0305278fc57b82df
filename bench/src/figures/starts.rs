//! One start, and two hundred.

use std::io;

use bench::shot::{Line, now_ns};
use bench::sys;

use super::milliseconds;
use crate::context::Context;
use crate::report::Row;

const AT_ONCE: usize = 16;

fn time(line: &mut Line) -> io::Result<f64> {
    Ok(milliseconds(line.shoot()?.elapsed_ns))
}

/// The C launcher starts the example server in the foreground and waits for the first byte that it prints.
fn reference_pong(context: &Context) -> io::Result<Line> {
    context.tried(context.reference(1)?.args([context.pong()?]).args(["--listen", "127.0.0.1:0"]))
}

/// The example server, told to fail: parses its arguments, passes `enter`, ends. What a launcher's own exec must cost.
pub fn quick_end(context: &Context) -> io::Result<Line> {
    Ok(Line::new(context.pong()?)?.args(["--fail", "7", "--listen", "127.0.0.1:0"]).code(7))
}

pub fn library(context: &Context) -> io::Result<Vec<Row>> {
    let mut ours = context.tried(context.library()?)?;
    let mut reference = reference_pong(context)?;
    let mut exec = quick_end(context)?;
    let mut alone = quick_end(context)?;
    let values = context.alternate(
        context.runs(400),
        &mut [&mut || time(&mut ours), &mut || Ok(time(&mut reference)? + time(&mut exec)?), &mut || time(&mut alone)],
    )?;
    let note = "reference: C launcher + pong in the foreground, until it prints, and one more pong that fails at once";
    Ok(vec![
        Row::ratio("pong --daemonize / two execs", "ms", &values[0], &values[1])?.at_most(1.15).note(note),
        Row::ratio("one exec of pong / two execs", "ms", &values[2], &values[1])?,
    ])
}

pub fn program(context: &Context) -> io::Result<Vec<Row>> {
    let server = context.program("bench-line")?;
    let mut ours = context.tried(context.onready()?.args(["--until", "fd:3", "--"]).args([&server]))?;
    let mut reference = context.reference(3)?.args([&server]);
    let mut fixed = Line::new(context.tool("reference-static")?)?.args(["3"]).args([&server]);
    let values = context.alternate(
        context.runs(400),
        &mut [&mut || time(&mut ours), &mut || time(&mut reference), &mut || time(&mut fixed)],
    )?;
    Ok(vec![
        Row::ratio("onready --until fd:3 / C launcher", "ms", &values[0], &values[1])?.at_most(1.3),
        Row::ratio("C launcher linked statically / C launcher", "ms", &values[2], &values[1])?,
    ])
}

pub fn many(context: &Context) -> io::Result<Vec<Row>> {
    let count = context.size(200, 32);
    let server = context.program("bench-line")?;
    let mut program = context.tried(context.onready()?.args(["--until", "fd:3", "--"]).args([&server]))?;
    let mut reference = context.reference(3)?.args([&server]);
    let mut library = context.tried(context.library()?)?;
    let mut pong = reference_pong(context)?;
    let mut exec = quick_end(context)?;
    let values = context.alternate(
        context.runs(15),
        &mut [
            &mut || batch(count, &mut [&mut program]),
            &mut || batch(count, &mut [&mut reference]),
            &mut || batch(count, &mut [&mut library]),
            &mut || batch(count, &mut [&mut pong, &mut exec]),
        ],
    )?;
    let name = |what: &str| format!("{count} starts, {AT_ONCE} at a time, {what}");
    Ok(vec![
        Row::ratio(&name("onready fd:3 / C launcher"), "ms", &values[0], &values[1])?.at_most(1.25),
        Row::ratio(&name("pong / C launcher + one exec"), "ms", &values[2], &values[3])?.at_most(1.25),
    ])
}

/// Start all `lines` `count` times, so many at once that `AT_ONCE` launchers run.
fn batch(count: usize, lines: &mut [&mut Line]) -> io::Result<f64> {
    let start = now_ns();
    let total = count * lines.len();
    let mut running: Vec<(i32, usize)> = Vec::new();
    let mut started = 0;
    while started < total || !running.is_empty() {
        while started < total && running.len() < AT_ONCE * lines.len() {
            let which = started % lines.len();
            running.push((lines[which].spawn()?, which));
            started += 1;
        }
        // Any child may end; only the launchers are counted, for a server must not.
        let ended = sys::wait4(-1)?;
        match running.iter().position(|(id, _)| *id == ended.pid) {
            Some(at) => lines[running.swap_remove(at).1].check(ended)?,
            None => return Err(io::Error::other("a server ended")),
        }
    }
    Ok(milliseconds(now_ns() - start))
}
