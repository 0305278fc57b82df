//! One start, timed from before the spawn to the end of the launcher.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::time::{ClockId, clock_gettime};

use crate::sys::{self, Ended};

/// CLOCK_MONOTONIC in nanoseconds: the same clock in every process of the machine.
#[must_use]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// What one start took.
#[derive(Clone, Copy, Debug)]
pub struct Shot {
    /// From before the spawn to the moment the end of the launcher was seen, in nanoseconds.
    pub elapsed_ns: u64,
    /// When the end was seen, on CLOCK_MONOTONIC.
    pub end_ns: u64,
    /// Exit code and resources of the launcher.
    pub ended: Ended,
}

/// A command line that can be started again and again; all three streams are /dev/null unless set otherwise.
pub struct Line {
    command: Command,
    null: File,
    wanted: i32,
}

impl Line {
    /// Start `program`, which has to end with code 0.
    ///
    /// # Errors
    /// When /dev/null cannot be opened.
    pub fn new(program: impl AsRef<Path>) -> io::Result<Self> {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        Ok(Self { command: Command::new(program.as_ref()), null, wanted: 0 })
    }

    /// Add arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Another exit code than 0 is right.
    #[must_use]
    pub fn code(mut self, wanted: i32) -> Self {
        self.wanted = wanted;
        self
    }

    fn quiet(&mut self) -> io::Result<()> {
        // No environment is set here: std would copy all of it inside the timed part.
        self.command.stdin(Stdio::from(self.null.try_clone()?));
        self.command.stdout(Stdio::from(self.null.try_clone()?));
        self.command.stderr(Stdio::from(self.null.try_clone()?));
        Ok(())
    }

    /// Start without waiting; returns the launcher's id.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(&mut self) -> io::Result<i32> {
        self.quiet()?;
        let child = self.command.spawn()?;
        Ok(i32::try_from(child.id()).unwrap_or(-1))
    }

    /// Start and wait for the launcher's end.
    ///
    /// # Errors
    /// When the program cannot be started, or ends with the wrong code.
    pub fn shoot(&mut self) -> io::Result<Shot> {
        self.quiet()?;
        let start = now_ns();
        let child = self.command.spawn()?;
        let ended = sys::wait4(i32::try_from(child.id()).unwrap_or(-1))?;
        let end_ns = now_ns();
        self.check(ended)?;
        Ok(Shot { elapsed_ns: end_ns - start, end_ns, ended })
    }

    /// Is this the end that was wanted?
    ///
    /// # Errors
    /// When it is not: the command line and the code.
    pub fn check(&self, ended: Ended) -> io::Result<()> {
        if ended.code == self.wanted {
            return Ok(());
        }
        Err(io::Error::other(format!("{:?} ended with code {} instead of {}", self.command, ended.code, self.wanted)))
    }

    /// The command itself, for other streams than /dev/null.
    pub fn command(&mut self) -> &mut Command {
        &mut self.command
    }
}
