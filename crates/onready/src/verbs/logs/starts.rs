//! When each start was, and how long the logs were then: one line a start, in a file beside the logs.
//!
//! The start that made the logs is not in it, where the file system tells when that was: to make a file is the dearest
//! part of a short start.
//!
//! # References
//! statx(2): stx_btime

use super::open::{STDOUT, numbered};
use crate::verbs::folder::Folder;
use rustix::fs::OFlags;
use std::io::{self, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// The file.
pub(super) const NAME: &str = "starts";

/// More than this of it is not kept: about a thousand starts.
const ENOUGH: u64 = 64 << 10;

/// One start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Milliseconds since 1970.
    pub at: u64,
    /// How long stdout.log and stderr.log were.
    pub sizes: [u64; 2],
}

/// Notes a start that begins now; `makes_logs`: it made them, and that can be seen.
pub(super) fn note(dir: &Folder, sizes: [u64; 2], makes_logs: bool) -> io::Result<()> {
    let opened = dir.file(NAME, OFlags::WRONLY | OFlags::APPEND);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound && makes_logs => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            dir.file(NAME, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)?
        }
        opened => opened?,
    };
    if file.metadata()?.len() > ENOUGH {
        file.set_len(0)?;
    }
    let [stdout, stderr] = sizes;
    file.write_all(format!("{} {stdout} {stderr}\n", millis(SystemTime::now())).as_bytes())
}

fn millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The starts on record, for the logs with this ending; a damaged line is none.
pub(super) fn read(dir: &Folder, number: u32) -> Vec<Start> {
    let mut text = String::new();
    let file = dir.file(&numbered(NAME, number), OFlags::RDONLY);
    let _ = file.and_then(|mut file| file.read_to_string(&mut text));
    let mut starts: Vec<Start> = text.lines().filter_map(parse).collect();
    if starts.first().is_none_or(|start| start.sizes != [0, 0]) {
        let log = dir.file(&numbered(STDOUT, number), OFlags::RDONLY);
        let made = log.and_then(|log| log.metadata()?.created()).map(millis);
        starts.splice(0..0, made.ok().map(|at| Start { at, sizes: [0, 0] }));
    }
    starts
}

fn parse(line: &str) -> Option<Start> {
    let mut numbers = line.split(' ').map(|word| word.parse().ok());
    let (at, stdout, stderr) = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(Start { at, sizes: [stdout, stderr] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_line_is_no_start() {
        assert_eq!(parse("5 6 7"), Some(Start { at: 5, sizes: [6, 7] }));
        for line in ["", "5", "5 6", "5 6 x", "5 6 7 8", "-5 6 7"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
