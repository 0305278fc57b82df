//! Could a process speak sd_notify? Then that it listens is not yet that it is ready.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use memchr::memmem;
use rustix::fs::OFlags;

/// The environment variable that whoever speaks has to ask for.
const VARIABLE: &str = "NOTIFY_SOCKET";
/// The libraries that do it for others.
const LIBRARIES: [&str; 2] = ["/libsystemd", "/libelogind"];
/// What a script says that has a library or a program do it.
const IN_SCRIPTS: [&str; 6] = [VARIABLE, "sd_notify", "sd-notify", "sdnotify", "systemd", "onready notify"];
/// A larger file is no script, but the data that a server was told to use.
const LARGEST_SCRIPT: u64 = 16 << 20;
/// A larger executable is not searched before it has to be.
const LARGEST_FORESEEN: u64 = 2 << 20;
/// How much of a file is searched at once.
const CHUNK: usize = 64 * 1024;

/// A file as it is now (device, inode, size, time of the last change), and how many words were looked for.
type Version = (u64, u64, u64, i64, i64, usize);

/// What is in a file does not change, as long as the file does not.
static SEEN: Mutex<Option<HashMap<Version, bool>>> = Mutex::new(None);

/// Whether a process could say READY=1: it has mapped libsystemd, or its executable holds the name `NOTIFY_SOCKET`, or
/// one of the other files (the script that it runs) speaks of it.
///
/// A process that is there and cannot be looked at is taken for one that could. Executables are searched once; 100 MB
/// take about 20 ms.
///
/// # References
/// sd_notify(3), proc_pid_maps(5), proc_pid_exe(5)
#[must_use]
pub fn speaks_notify(pid: i32, extra_files: &[&Path]) -> bool {
    let maps = File::open(format!("/proc/{pid}/maps")).and_then(|maps| contains(maps, &LIBRARIES));
    let executable = || File::open(format!("/proc/{pid}/exe")).and_then(|file| holds(file, &[VARIABLE]));
    maps.unwrap_or_else(|error| is_forbidden(&error))
        || executable().unwrap_or_else(|error| is_forbidden(&error))
        || extra_files.iter().any(|path| script_speaks(path).unwrap_or(false))
}

/// Searches a program that is being executed ahead of the question, if that takes no longer than its start.
pub fn foresee(program: &Path) {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(program);
    let is_small = |file: &File| file.metadata().is_ok_and(|stat| stat.is_file() && stat.len() <= LARGEST_FORESEEN);
    let _ = file.ok().filter(is_small).map(|file| holds(file, &[VARIABLE]));
}

/// Whether a script speaks of sd_notify. The path may be any of a command's arguments.
fn script_speaks(path: &Path) -> io::Result<bool> {
    // To open a named pipe would wait for its other end.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path)?;
    let status = file.metadata()?;
    Ok(status.is_file() && status.len() <= LARGEST_SCRIPT && holds(file, &IN_SCRIPTS)?)
}

fn is_forbidden(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Whether a file contains one of the words; remembered.
fn holds(file: File, words: &[&str]) -> io::Result<bool> {
    let status = file.metadata()?;
    let version = (status.dev(), status.ino(), status.len(), status.mtime(), status.mtime_nsec(), words.len());
    let seen = || SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&answer) = seen().get_or_insert_default().get(&version) {
        return Ok(answer);
    }
    let answer = contains(file, words)?;
    seen().get_or_insert_default().insert(version, answer);
    Ok(answer)
}

/// Whether one of the words is in what is read, also across the edge of two chunks.
fn contains(mut from: impl Read, words: &[&str]) -> io::Result<bool> {
    let finders: Vec<_> = words.iter().map(memmem::Finder::new).collect();
    let overlap = words.iter().map(|word| word.len()).max().unwrap_or(1) - 1;
    let mut buffer = vec![0; CHUNK];
    let mut kept = 0;
    loop {
        let read = match from.read(&mut buffer[kept..]) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = kept + read;
        if finders.iter().any(|finder| finder.find(&buffer[..end]).is_some()) {
            return Ok(true);
        }
        // A word may have begun in what was just searched.
        let start = end.saturating_sub(overlap);
        buffer.copy_within(start..end, 0);
        kept = end - start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_on_the_edge_of_a_chunk_is_found() {
        for start in [0, 1, CHUNK - VARIABLE.len(), CHUNK - 5, CHUNK - 1, CHUNK, 2 * CHUNK - 20, 300_000] {
            let mut text = vec![b'N'; start];
            text.extend_from_slice(VARIABLE.as_bytes());
            assert!(contains(&text[..], &["sd_notify", VARIABLE]).unwrap(), "{start}");
            text.pop();
            assert!(!contains(&text[..], &["sd_notify", VARIABLE]).unwrap(), "{start}");
        }
    }
}
