//! What a finished run was, and how it is shown when a test fails.

use std::fmt;
use std::time::Duration;

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// Bytes that arrived together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// When they arrived, counted from the start of the run.
    pub at: Duration,
    /// Where they arrived.
    pub stream: Stream,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A command that has exited. All times are counted from its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its pid, which is free again.
    pub pid: i32,
    /// The exit code, if it exited.
    pub code: Option<i32>,
    /// The signal, if it was killed.
    pub signal: Option<i32>,
    /// All bytes of its stdout, also those of processes that inherited it.
    pub stdout: Vec<u8>,
    /// All bytes of its stderr, also those of processes that inherited it.
    pub stderr: Vec<u8>,
    /// The same in the order in which it arrived.
    pub chunks: Vec<Chunk>,
    /// The time from the start to the exit; the same as `exited_at`.
    pub elapsed: Duration,
    /// When the process itself ended (by its pidfd).
    pub exited_at: Duration,
    /// When the last process had closed stdout.
    pub stdout_eof_at: Option<Duration>,
    /// When the last process had closed stderr.
    pub stderr_eof_at: Option<Duration>,
    /// When both streams were closed; `None` if some process still held one 200 ms after the exit.
    pub eof_at: Option<Duration>,
    /// True if nobody holds stdout or stderr any more.
    pub eof: bool,
    /// With [`Run::stdin_pipe`](crate::Run::stdin_pipe): true if some process still holds stdin.
    pub stdin_held: Option<bool>,
    /// Who holds the streams, if `eof` is false: pid, descriptor and command line.
    pub holders: Vec<(i32, i32, String)>,
}

impl Finished {
    /// Stdout as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Stderr as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Checks the exit code and shows everything if it is another one.
    ///
    /// # Panics
    ///
    /// When it is another one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit code {code}\n{self}");
        self
    }

    /// Checks that the caller's pipes are free: nobody holds stdout, stderr or (if it was a pipe) stdin.
    ///
    /// # Panics
    ///
    /// When somebody holds one; the message says who.
    #[track_caller]
    pub fn expect_free(self) -> Self {
        assert!(self.eof, "a stream of the caller is still held\n{self}");
        assert!(self.stdin_held != Some(true), "stdin is still held\n{self}");
        self
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}")?,
            (_, Some(signal)) => write!(f, "killed by SIG{}", crate::signal_name(signal))?,
            _ => write!(f, "no status")?,
        }
        writeln!(f, " after {:?}, end of streams at {:?}", self.exited_at, self.eof_at)?;
        for (pid, fd, line) in &self.holders {
            writeln!(f, "  held by {pid} as descriptor {fd}: {line}")?;
        }
        write_chunks(f, &self.chunks)
    }
}

/// More than this of one chunk is not shown: a flood would hide the failure.
const SHOWN: usize = 2000;

pub(crate) fn write_chunks(f: &mut dyn fmt::Write, chunks: &[Chunk]) -> fmt::Result {
    for chunk in chunks {
        let shown = &chunk.bytes[..chunk.bytes.len().min(SHOWN)];
        let text = String::from_utf8_lossy(shown);
        let millis = chunk.at.as_secs_f64() * 1000.0;
        write!(f, "  {millis:9.1} ms {:?}: {text:?}", chunk.stream)?;
        match chunk.bytes.len() - shown.len() {
            0 => writeln!(f)?,
            more => writeln!(f, " and {more} bytes more")?,
        }
    }
    Ok(())
}
