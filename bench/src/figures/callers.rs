//! A caller with many descriptors or much environment, against one with few.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use bench::caller::Caller;
use bench::stats::Stats;

use crate::context::Context;
use crate::report::Row;

/// What stands beside ours without a bound.
const COMPARED: &str = ", for comparison";

/// What is started: both faces of ours, and to show what the kernel itself takes, a program that ends at once and the
/// C launcher.
fn commands(context: &Context) -> io::Result<Vec<(&'static str, Vec<OsString>)>> {
    let words = |words: &[&Path]| words.iter().map(|word| word.as_os_str().to_owned()).collect::<Vec<_>>();
    let (pong, line) = (context.pong()?, context.program("bench-line")?);
    let (onready, state) = (context.program("onready")?, context.state());
    let reference = context.tool("reference")?;
    let path = Path::new;
    Ok(vec![
        ("pong --daemonize", words(&[&pong, path("--daemonize"), path("--listen"), path("127.0.0.1:0")])),
        (
            "onready fd:3",
            words(&[&onready, path("--state-dir"), &state, path("--until"), path("fd:3"), path("--"), &line]),
        ),
        ("a program that does nothing, for comparison", words(&[&context.program("bench-empty")?])),
        ("C launcher, for comparison", words(&[&reference, path("3"), &line])),
    ])
}

fn compare(context: &Context, name: &str, descriptors: usize, environment_kib: usize) -> io::Result<Vec<Row>> {
    let mut sides = Vec::new();
    for (what, line) in commands(context)? {
        let large = Caller::start(descriptors, environment_kib, &line)?;
        sides.push((what, large, Caller::start(0, 0, &line)?));
    }
    context.keep_present()?;
    let values = turns(context, &mut sides);
    drop(sides);
    context.end_all()?;
    rows(name, &values?)
}

/// What is started, by the large caller and by the small one.
type Sides = Vec<(&'static str, Caller, Caller)>;

/// The same with what was measured.
type Timed = (&'static str, Vec<f64>, Vec<f64>);

/// For each command the large case and the small one, all in turn.
fn turns(context: &Context, sides: &mut Sides) -> io::Result<Vec<Timed>> {
    let mut values: Vec<_> = sides.iter().map(|(what, ..)| (*what, Vec::new(), Vec::new())).collect();
    for round in 0..context.runs(200) + 1 {
        for ((_, large, small), (_, larges, smalls)) in sides.iter_mut().zip(&mut values) {
            // What the one leaves behind (memory that was given back, state) is not the other's: a start between them is
            // thrown away.
            let pair = if round % 2 == 0 {
                let first = large.shoot()?;
                small.shoot()?;
                context.clean()?;
                (first, small.shoot()?)
            } else {
                small.shoot()?;
                context.clean()?;
                let first = small.shoot()?;
                context.clean()?;
                (large.shoot()?, first)
            };
            context.clean()?;
            if round > 0 {
                larges.push(pair.0 / 1e6);
                smalls.push(pair.1 / 1e6);
            }
        }
    }
    Ok(values)
}

/// What the large case adds to the C launcher is the kernel's: no launcher can do without it.
fn rows(name: &str, values: &[Timed]) -> io::Result<Vec<Row>> {
    let (_, large, small) = values.last().ok_or_else(|| io::Error::other("nothing was measured"))?;
    let median = |values: &[f64]| Stats::of(values).map_or(f64::NAN, |stats| stats.median);
    let kernel = median(large) - median(small);
    let mut rows = Vec::new();
    for (what, large, small) in values {
        let row = Row::ratio(&format!("{what}: {name}"), "ms", large, small)?;
        if what.ends_with(COMPARED) {
            rows.push(row);
            continue;
        }
        rows.push(row.at_most(1.2));
        let net: Vec<f64> = large.iter().map(|value| value - kernel).collect();
        let note = format!("less the {kernel:.3} ms which the same adds to the C launcher");
        rows.push(Row::ratio(&format!("{what}: the same, net"), "ms", &net, small)?.at_most(1.2).note(note));
    }
    Ok(rows)
}

pub fn descriptors(context: &Context) -> io::Result<Vec<Row>> {
    compare(context, "caller with 10,000 open descriptors / none", 10_000, 0)
}

pub fn environment(context: &Context) -> io::Result<Vec<Row>> {
    compare(context, "caller with 1 MiB of environment / little", 0, 1024)
}
