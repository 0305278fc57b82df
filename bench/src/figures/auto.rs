//! `onready -- server`: from the server's listen(2) to our return, and what waiting costs.

use std::io;

use bench::shot::Line;
use bench::sys;

use super::milliseconds;
use crate::context::Context;
use crate::report::{Measure, Row};

/// Starts that wait at the same time: their processor time is counted, not their duration.
const WAITING: usize = 4;

pub fn listen_to_return(context: &Context) -> io::Result<Vec<Row>> {
    let at_once = latency(context, 0, 400)?;
    let name = "onready --: listen(2) to return, server listens at once";
    let mut rows = vec![
        Row::new(&format!("{name}, median"), "ms", Measure::Median, &at_once, None)?.at_most(1.0),
        Row::new(&format!("{name}, p99"), "ms", Measure::P99, &at_once, None)?.at_most(3.0),
    ];
    for (pause, runs) in [(20, 100), (300, 20)] {
        let name = format!("the same, server listens after {pause} ms, median");
        rows.push(Row::new(&name, "ms", Measure::Median, &latency(context, pause, runs)?, None)?);
    }
    Ok(rows)
}

fn latency(context: &Context, pause_ms: u32, runs: usize) -> io::Result<Vec<f64>> {
    let note = context.scratch("listened");
    let pause = pause_ms.to_string();
    let server = context.program("bench-listen")?;
    let mut line = context.onready()?.args(["--"]).args([&server]).args(["--init-ms", &pause, "--note"]).args([&note]);
    let mut once = || {
        let _ = std::fs::remove_file(&note);
        let end = line.shoot()?.end_ns;
        Ok(milliseconds(end.saturating_sub(noted(&note)?)))
    };
    let mut values = context.alternate(context.runs(runs), &mut [&mut once])?;
    Ok(values.remove(0))
}

/// The server writes its note after listen(2), so it may come a moment later than our return.
fn noted(path: &std::path::Path) -> io::Result<u64> {
    for _ in 0..1000 {
        if let Some(moment) = std::fs::read_to_string(path).ok().and_then(|text| text.parse().ok()) {
            return Ok(moment);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Err(io::Error::other("onready returned, but the server has not listened for a second after"))
}

pub fn waiting(context: &Context) -> io::Result<Vec<Row>> {
    let pause = context.size(30_000, 2_000).to_string();
    let server = context.program("bench-listen")?;
    let mut program = context.onready()?.args(["--"]).args([&server]).args(["--init-ms", &pause]);
    let mut library = context.library()?.args(["--init-ms", &pause]);
    let mut ids = Vec::new();
    for _ in 0..WAITING {
        ids.push((program.spawn()?, true));
        ids.push((library.spawn()?, false));
    }
    let mut seen = Vec::new();
    for (id, is_program) in ids {
        let ended = sys::wait4(id)?;
        let line: &Line = if is_program { &program } else { &library };
        line.check(ended)?;
        seen.push((is_program, milliseconds(ended.cpu_ns)));
    }
    if context.clean()? < seen.len() {
        return Err(io::Error::other("a launcher said 0 and left no server"));
    }
    let of = |program| seen.iter().filter(|one| one.0 == program).map(|one| one.1).collect::<Vec<f64>>();
    let (ours, theirs) = (of(true), of(false));
    let name = |what: &str| format!("{what}: CPU time of the launcher, server takes {pause} ms");
    Ok(vec![
        Row::new(&name("onready --"), "ms", Measure::Median, &ours, None)?.at_most(50.0),
        Row::new(&name("pong --daemonize"), "ms", Measure::Median, &theirs, None)?.at_most(50.0),
    ])
}
