//! Starting a command whose output is recorded.

use crate::running::{Pipes, Running};
use crate::{Finished, Setup};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command may run, unless the test says otherwise.
const LIMIT: Duration = Duration::from_secs(30);

/// A command that is to run with stdout and stderr captured through pipes.
#[derive(Debug)]
#[must_use]
pub struct Run {
    command: Command,
    limit: Duration,
    input: Vec<u8>,
    keep_stdin: bool,
    own_group: bool,
}

impl Run {
    /// A run of this command, with `/dev/null` as its stdin, and as the leader of a process group (but
    /// not of a session), as an interactive shell starts it.
    pub fn new(command: Command) -> Self {
        Self { command, limit: LIMIT, input: Vec::new(), keep_stdin: false, own_group: true }
    }

    /// The longest time it may run (30 s otherwise); then it is killed and the test fails.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What it reads from stdin: at most what a pipe takes (64 KiB).
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Makes stdin a pipe that stays open and silent, so that [`Finished::stdin_held`] can tell whether
    /// a process kept it.
    pub fn stdin_pipe(mut self) -> Self {
        self.keep_stdin = true;
        self
    }

    /// Leaves the command in the test's own process group, as a script starts it.
    pub fn shared_group(mut self) -> Self {
        self.own_group = false;
        self
    }

    /// Changes the process before the command runs.
    pub fn setup(mut self, setup: Setup) -> Self {
        self.command = setup.wrap(self.command);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn start(mut self) -> Running {
        let wants_stdin = self.keep_stdin || !self.input.is_empty();
        let stdin = if wants_stdin { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.own_group {
            self.command.process_group(0);
        }
        let started = Instant::now();
        let spawned = self.command.spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let mut stdin = child.stdin.take();
        if let Some(pipe) = &mut stdin {
            // The command may have ended without reading.
            let _ = pipe.write_all(&self.input);
        }
        let pipes = Pipes {
            stdin: stdin.filter(|_| self.keep_stdin),
            stdout: child.stdout.take().expect("stdout is a pipe"),
            stderr: child.stderr.take().expect("stderr is a pipe"),
        };
        Running::watch(child, pipes, started, self.limit)
    }

    /// Starts it and waits for its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or does not end in time.
    #[track_caller]
    pub fn done(self) -> Finished {
        self.start().done()
    }
}
