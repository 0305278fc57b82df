//! `logs`: what servers have printed, and what they print from now on.

use super::follow::follow;
use super::open::{STDERR, STDOUT};
use super::reader::{Output, Reader};
use crate::verbs::state::StateDir;
use crate::verbs::stop::UNKNOWN_NAME;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

/// What to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Show {
    /// How many lines from the end, of each stream; `None`: all that is kept.
    pub lines: Option<u64>,
    /// Stay, and show what comes.
    pub follow: bool,
    /// What went to stdout; without this and `stderr`, both.
    pub stdout: bool,
    /// What went to stderr.
    pub stderr: bool,
}

/// Writes the logs of these servers to `out`, the bytes as they are; `note` gets lines of our own: whose bytes follow
/// (where there are several streams), when a start was, that a log was truncated. Returns an exit code: 0, or 4 if
/// nothing is known of a name.
///
/// With `follow` it ends when nobody reads `fd`, to which `out` writes, any more. Rotation, truncation and a restart
/// do not end it.
///
/// # Errors
/// A log cannot be read, or `out` not be written to.
pub fn show_logs(
    state: &StateDir,
    names: &[String],
    how: &Show,
    out: &mut dyn Write,
    fd: BorrowedFd<'_>,
    note: &mut dyn FnMut(&str),
) -> io::Result<u8> {
    let mut readers = Vec::new();
    let mut code = 0;
    for name in names {
        let found = find(state, name, how)?;
        if found.is_empty() {
            note(&format!("no logs of a server called {name}"));
            code = UNKNOWN_NAME;
        }
        readers.extend(found);
    }
    let mut output = Output::new(out, fd, note, readers.len() > 1);
    match show(&mut readers, names, how, &mut output) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(code),
        done => done.map(|()| code),
    }
}

fn show(readers: &mut [Reader], names: &[String], how: &Show, output: &mut Output<'_>) -> io::Result<()> {
    for reader in readers.iter_mut() {
        reader.history(how.lines, output)?;
    }
    if how.lines != Some(0) && !readers.is_empty() && output.is_silent() {
        output.say(&format!("{}: nothing was printed so far", names.join(", ")))?;
    }
    if how.follow && !readers.is_empty() {
        follow(readers, output)?;
    }
    output.finish()
}

/// The logs on record, or those that a forgotten record (the runtime directory is memory) has left.
fn find(state: &StateDir, name: &str, how: &Show) -> io::Result<Vec<Reader>> {
    if crate::verbs::state::check_name(name).is_err() {
        return Ok(Vec::new());
    }
    let folder = state.log_dir(name);
    let paths = match state.read(name)? {
        Some(record) => [record.stdout, record.stderr],
        None if folder.is_dir() => [STDOUT, STDERR].map(|file| Some(folder.join(file))),
        None => [None, None],
    };
    let wanted = [how.stdout || !how.stderr, how.stderr || !how.stdout];
    let mut readers: Vec<Reader> = Vec::new();
    for (stream, path) in paths.into_iter().enumerate().filter(|(stream, _)| wanted[*stream]) {
        let Some(path) = path.filter(|path| !is_shown(&readers, path)) else { continue };
        readers.push(Reader::new(name, stream, path, &folder));
    }
    Ok(readers)
}

/// Both streams may go to one file.
fn is_shown(readers: &[Reader], path: &PathBuf) -> bool {
    readers.iter().any(|reader| reader.path() == path)
}
