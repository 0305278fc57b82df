//! Starts a command in a changed process: closed streams, ignored signals, small limits.

use crate::fixture_path;
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::process::Command;

/// What is changed before a command runs. The work is done by `fixture setup`, which then execs the
/// command: no code runs between fork and exec, and the pid stays the same.
///
/// ```no_run
/// use testbed::{Run, Sandbox, Setup};
///
/// let sandbox = Sandbox::new();
/// let setup = Setup::new().close(0).close(1).ignore("CHLD,HUP").limit_files(16);
/// let run = Run::new(setup.wrap(sandbox.command("onready"))).done();
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Setup {
    flags: Vec<OsString>,
}

impl Setup {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn flag(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.flags.push(name.into());
        self.flags.push(value.into());
        self
    }

    /// Closes a descriptor, such as 0, 1 or 2.
    pub fn close(self, fd: i32) -> Self {
        self.flag("--close", fd.to_string())
    }

    /// Closes every descriptor from 3 on that the test itself had inherited (from a CI runner, say).
    pub fn close_others(mut self) -> Self {
        self.flags.push("--close-others".into());
        self
    }

    /// Ignores signals: names with commas between them.
    pub fn ignore(self, signals: &str) -> Self {
        self.flag("--ignore", signals)
    }

    /// Blocks signals: names with commas between them.
    pub fn block(self, signals: &str) -> Self {
        self.flag("--block", signals)
    }

    /// Sets RLIMIT_NOFILE, soft and hard.
    pub fn limit_files(self, count: u64) -> Self {
        self.flag("--nofile", count.to_string())
    }

    /// Sets RLIMIT_FSIZE, soft and hard, in bytes.
    pub fn limit_file_size(self, bytes: u64) -> Self {
        self.flag("--fsize", bytes.to_string())
    }

    /// Lets the command inherit a descriptor of the test under a number, opened anew through `/proc`:
    /// pipes and files can be, sockets cannot.
    pub fn inherit(self, fd: impl AsFd, number: i32) -> Self {
        let raw = fd.as_fd().as_raw_fd();
        let path = format!("/proc/{}/fd/{raw}={number}", std::process::id());
        self.flag("--inherit-fd", path)
    }

    /// Lets the command inherit an open file under a number.
    pub fn inherit_file(self, path: &Path, number: i32) -> Self {
        let mut value = path.as_os_str().to_owned();
        value.push(format!("={number}"));
        self.flag("--inherit-fd", value)
    }

    /// Lets the command inherit a file under a number on which it holds an exclusive flock: a caller's
    /// lock, which a server must not keep.
    pub fn inherit_lock(self, path: &Path, number: i32) -> Self {
        let mut value = path.as_os_str().to_owned();
        value.push(format!("={number}"));
        self.flag("--lock", value)
    }

    /// Runs the command in a directory that has been removed.
    pub fn deleted_directory(mut self) -> Self {
        self.flags.push("--cwd-deleted".into());
        self
    }

    /// Sets the umask.
    pub fn umask(self, mask: u32) -> Self {
        self.flag("--umask", format!("{mask:o}"))
    }

    /// Adds to the nice value.
    pub fn nice(self, by: i32) -> Self {
        self.flag("--nice", by.to_string())
    }

    /// Makes the command the leader of a new session.
    pub fn session(mut self) -> Self {
        self.flags.push("--session".into());
        self
    }

    /// Makes the command a session leader whose controlling terminal is its standard input.
    pub(crate) fn terminal(mut self) -> Self {
        self.flags.push("--terminal".into());
        self
    }

    /// The command that makes these changes and then becomes the given one. Of the given one only the
    /// variables set on it are kept, so it should come from [`Sandbox::command`](crate::Sandbox::command).
    pub fn wrap(self, command: Command) -> Command {
        let mut outer = Command::new(fixture_path());
        outer.arg("setup").args(self.flags).arg("--");
        outer.arg(command.get_program()).args(command.get_args());
        outer.env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                outer.env(name, value);
            }
        }
        if let Some(dir) = command.get_current_dir() {
            outer.current_dir(dir);
        }
        outer
    }
}
