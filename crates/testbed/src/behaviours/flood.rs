//! Writes as much and as fast as it can, in a pattern that shows every lost byte.

use super::{Answer, Args, put};
use crate::Stream;
use crate::flood::{Kind, bytes};
use std::io;
use std::thread::spawn;

pub(super) const USAGE: &str =
    "[--stdout BYTES] [--stderr BYTES] [--endless] [--one-line] [--binary] [--background] [-- NEXT]";

/// How much is written at once.
const BLOCK: usize = 65536;

pub(super) fn run(mut args: Args) -> Answer {
    let counts = [args.number("--stdout")?, args.number("--stderr")?];
    let endless = args.flag("--endless");
    let background = args.flag("--background");
    let kind = match (args.flag("--one-line"), args.flag("--binary")) {
        (true, _) => Kind::OneLine,
        (_, true) => Kind::Binary,
        _ => Kind::Lines,
    };
    let mut writers = Vec::new();
    for (at, count) in counts.into_iter().enumerate() {
        let (fd, stream) = [(1, Stream::Stdout), (2, Stream::Stderr)][at];
        let count: Option<u64> = if endless { count.map(|_| u64::MAX) } else { count };
        if let Some(count) = count {
            writers.push(spawn(move || write(fd, stream, kind, count)));
        }
    }
    for writer in writers {
        if !background {
            writer.join().unwrap_or_else(|_| Err(io::Error::other("a writer panicked")))?;
        }
    }
    args.then()
}

fn write(fd: i32, stream: Stream, kind: Kind, count: u64) -> io::Result<()> {
    let mut done = 0;
    while done < count {
        let now = usize::try_from(count - done).unwrap_or(BLOCK).min(BLOCK);
        put(fd, &bytes(stream, kind, done, now))?;
        done += now as u64;
    }
    Ok(())
}
