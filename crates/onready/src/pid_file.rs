//! The pid file: a lock for life, and the pid for people and scripts.
//!
//! The launcher opens and locks it before anything is started, writes the server's pid, and hands the open file on:
//! a flock belongs to the open file description, so there is no moment without a lock, and it ends with the server.
//!
//! # References
//! flock(2), open(2): O_NOFOLLOW

use crate::error::StartError;
use crate::safe_open;
use rustix::fs::{FlockOperation, flock, fstat, stat};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long an instance that is just starting may take to write its pid, before it is reported without.
const WRITE_GRACE: Duration = Duration::from_millis(100);

/// An open and locked pid file.
#[derive(Debug)]
pub struct PidFile {
    file: File,
    path: PathBuf,
}

impl PidFile {
    /// Opens and locks it, and empties it of what an earlier server has left.
    ///
    /// # Errors
    /// [`StartError::AlreadyRunning`] if it is locked; [`StartError::Io`] if it cannot be opened or trusted.
    pub fn lock(path: &Path) -> Result<PidFile, StartError> {
        loop {
            let failed = |source: io::Error| StartError::io(format!("open the pid file {}", path.display()), source);
            let file = safe_open::own_file(path).map_err(failed)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(StartError::AlreadyRunning { pid: patient_pid(&file), path: path.into() });
                }
                Err(error) => return Err(failed(error.into())),
            }
            let file = PidFile { file, path: path.into() };
            // Its owner may have removed it between our open and our lock: then the name is somebody else's now.
            if file.is_at_its_path() {
                return match file.file.set_len(0) {
                    Ok(()) => Ok(file),
                    Err(error) => {
                        file.remove();
                        Err(failed(error))
                    }
                };
            }
        }
    }

    fn is_at_its_path(&self) -> bool {
        let (Ok(ours), Ok(there)) = (fstat(&self.file), stat(&self.path)) else { return false };
        (ours.st_ino, ours.st_dev) == (there.st_ino, there.st_dev)
    }

    /// Writes the pid and a newline, in one write.
    ///
    /// # Errors
    /// The disk is full, for one.
    pub fn write(&self, pid: i32) -> Result<(), StartError> {
        let written = self.file.write_all_at(format!("{pid}\n").as_bytes(), 0);
        written.map_err(|source| StartError::io(format!("write the pid file {}", self.path.display()), source))
    }

    /// A second descriptor of the same lock, for the server.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn share(&self) -> io::Result<std::os::fd::OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// Removes it, while it is still locked, after a start that failed.
    pub fn remove(self) {
        if self.is_at_its_path() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The pid in a pid file; garbage is no pid.
pub fn read_pid(file: &File) -> Option<i32> {
    let mut buffer = [0; 32];
    let length = file.read_at(&mut buffer, 0).ok()?;
    let line = buffer[..length].split(|&b| b == b'\n').next()?;
    std::str::from_utf8(line).ok()?.trim().parse().ok().filter(|&pid| pid > 0)
}

fn patient_pid(file: &File) -> Option<i32> {
    let since = Instant::now();
    loop {
        let pid = read_pid(file);
        if pid.is_some() || since.elapsed() > WRITE_GRACE {
            return pid;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
