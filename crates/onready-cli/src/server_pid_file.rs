//! `--pid-file` for a program that knows nothing of it: it cannot hold a lock, so who the file names is looked at.
//!
//! # References
//! flock(2), proc_pid_environ(5)

use crate::recipe::MARK;
use crate::report::say;
use onready::StartError;
use onready::engine::{PidFile, read_pid, tree};
use rustix::fs::{Mode, OFlags};
use std::path::{Path, PathBuf};

/// The file, locked while we start.
pub struct ServerPidFile {
    file: PidFile,
}

impl ServerPidFile {
    /// Takes it, unless a server that was started by us with such a file is alive.
    ///
    /// # Errors
    /// [`StartError::AlreadyRunning`], or the file cannot be opened or trusted.
    pub fn take(path: &Path) -> Result<ServerPidFile, StartError> {
        let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.into());
        if let Some(pid) = read(&path).filter(|&pid| is_a_server(pid)) {
            return Err(StartError::already_running(Some(pid), path));
        }
        Ok(ServerPidFile { file: PidFile::lock(&path)? })
    }

    /// Writes the server's pid.
    pub fn write(&self, pid: i32) {
        if let Err(error) = self.file.write(pid) {
            say(&error.to_string());
        }
    }

    /// The server is gone.
    pub fn remove(self) {
        self.file.remove();
    }
}

/// Never waits: somebody may have put a FIFO there.
fn read(path: &Path) -> Option<i32> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    read_pid(&file.into())
}

/// A pid that was given to a stranger since is no obstacle: what we start carries our mark.
fn is_a_server(pid: i32) -> bool {
    let is_alive = tree::stat(pid).is_some_and(|stat| stat.is_alive());
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let mark = format!("{MARK}=");
    is_alive && environment.split(|&byte| byte == 0).any(|variable| variable.starts_with(mark.as_bytes()))
}
