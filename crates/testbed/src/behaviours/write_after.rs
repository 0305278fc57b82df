//! Keeps writing to a stream, in the background of what follows: a server that logs for ever.

use super::{Answer, Args, put, report};
use std::thread::{sleep, spawn};

pub(super) const USAGE: &str =
    "[--every-ms MS (20)] [--stderr] [--text TEXT] [--report F] [-- NEXT]   (F: lines=N, error=TEXT)";

pub(super) fn run(mut args: Args) -> Answer {
    let every = args.number("--every-ms")?.unwrap_or(20);
    let fd = if args.flag("--stderr") { 2 } else { 1 };
    let text = args.value("--text")?.unwrap_or_else(|| "still here".into());
    let file = args.value("--report")?;
    spawn(move || {
        for number in 1_u64.. {
            let written = put(fd, format!("{text} {number}\n").as_bytes());
            let failed = written.as_ref().err().map(ToString::to_string);
            if let Some(file) = &file {
                let lines = [("lines", number.to_string()), ("error", failed.clone().unwrap_or_default())];
                // Who wants to know whether the report could be written misses it.
                let _ = report(file, &lines);
            }
            if failed.is_some() {
                return;
            }
            sleep(std::time::Duration::from_millis(every));
        }
    });
    args.then()
}
