//! When each start was, and how long the logs were then: one line a start, in a file beside the logs.

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

/// Notes a start that begins now.
pub(super) fn note(dir: &Folder, stdout: u64, stderr: u64) -> io::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut file = dir.file(NAME, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)?;
    if file.metadata()?.len() > ENOUGH {
        file.set_len(0)?;
    }
    file.write_all(format!("{} {stdout} {stderr}\n", now.as_millis()).as_bytes())
}

/// The starts on record in a file of this name; a damaged line is none.
pub(super) fn read(dir: &Folder, name: &str) -> Vec<Start> {
    let mut text = String::new();
    let read = dir.file(name, OFlags::RDONLY).and_then(|mut file| file.read_to_string(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    text.lines().filter_map(parse).collect()
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
