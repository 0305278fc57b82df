//! A caller with many descriptors or much environment, against one with few.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use bench::caller::Caller;

use crate::context::Context;
use crate::report::Row;

/// What is started: both faces of ours, and the C launcher to show what the kernel itself takes.
fn commands(context: &Context) -> io::Result<Vec<(&'static str, Vec<OsString>, bool)>> {
    let words = |words: &[&Path]| words.iter().map(|word| word.as_os_str().to_owned()).collect::<Vec<_>>();
    let (pong, line) = (context.pong()?, context.program("bench-line")?);
    let (onready, state) = (context.program("onready")?, context.state());
    let reference = context.tool("reference")?;
    let path = Path::new;
    Ok(vec![
        ("pong --daemonize", words(&[&pong, path("--daemonize"), path("--listen"), path("127.0.0.1:0")]), true),
        (
            "onready fd:3",
            words(&[&onready, path("--state-dir"), &state, path("--until"), path("fd:3"), path("--"), &line]),
            true,
        ),
        ("C launcher, for comparison", words(&[&reference, path("3"), &line]), false),
    ])
}

fn compare(context: &Context, name: &str, descriptors: usize, environment_kib: usize) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (what, line, bound) in commands(context)? {
        let mut small = Caller::start(0, 0, &line)?;
        let mut large = Caller::start(descriptors, environment_kib, &line)?;
        context.keep_present()?;
        let values = context.alternate(
            context.runs(200),
            &mut [&mut || Ok(large.shoot()? / 1e6), &mut || Ok(small.shoot()? / 1e6)],
        );
        drop((small, large));
        context.end_all()?;
        let values = values?;
        let row = Row::ratio(&format!("{what}: {name}"), "ms", &values[0], &values[1])?;
        rows.push(if bound { row.at_most(1.2) } else { row });
    }
    Ok(rows)
}

pub fn descriptors(context: &Context) -> io::Result<Vec<Row>> {
    compare(context, "caller with 10,000 open descriptors / none", 10_000, 0)
}

pub fn environment(context: &Context) -> io::Result<Vec<Row>> {
    compare(context, "caller with 1 MiB of environment / little", 0, 1024)
}
