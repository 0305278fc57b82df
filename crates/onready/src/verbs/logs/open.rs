//! Opening the logs of a server that is about to be started; what has grown too large is put aside before.
//!
//! # References
//! open(2): O_APPEND, O_NOFOLLOW; rename(2)

use super::starts;
use crate::error::StartError;
use crate::private_dir::Use;
use crate::verbs::folder::Folder;
use rustix::fs::{OFlags, renameat};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A log that is larger than this at a start is put aside.
pub const ROTATE_AT: u64 = 8 << 20;
/// How many logs that were put aside are kept, of stdout and of stderr each.
pub const KEPT: u32 = 4;

pub(super) const STDOUT: &str = "stdout.log";
pub(super) const STDERR: &str = "stderr.log";

/// The open logs of one server, to append to.
#[derive(Debug)]
pub struct Logs {
    /// Its stdout from now on.
    pub stdout: File,
    /// Its stderr from now on.
    pub stderr: File,
    /// Where the first is.
    pub stdout_path: PathBuf,
    /// Where the second is.
    pub stderr_path: PathBuf,
    /// That a start begins here is still to be noted.
    pub mark: StartMark,
}

/// Where a start begins in the logs, so that they can be shown from there on.
#[derive(Debug)]
#[must_use]
pub struct StartMark {
    dir: Folder,
    sizes: [u64; 2],
    /// The logs are new, and the file system tells since when.
    makes_logs: bool,
}

impl StartMark {
    /// Notes it, beside the logs.
    ///
    /// # Errors
    /// The disk is full, for one.
    pub fn note(&self) -> Result<(), StartError> {
        if self.makes_logs && self.dir.is_new() {
            return Ok(());
        }
        let path = self.dir.path().join(starts::NAME);
        let failed = |error| StartError::io(format!("write {}", path.display()), error);
        starts::note(&self.dir, self.sizes, self.makes_logs).map_err(failed)
    }
}

/// Opens `stdout.log` and `stderr.log` in a directory (made if it is not there, mode 0700, never through a link) to
/// append to. If one of them is larger than 8 MiB ([`ROTATE_AT`]), both are renamed to `*.log.1` before, an older
/// `.1` to `.2` and so on; what would become `.5` is removed ([`KEPT`]). So the logs of a name take as much as its
/// last five runs of more than 8 MiB wrote. They may be truncated at any time.
///
/// # Errors
/// The directory or the files cannot be made, are another user's, or the disk is full.
pub fn open_logs(dir: &Path) -> Result<Logs, StartError> {
    let dir = match (dir.parent(), dir.file_name()) {
        (Some(above), Some(name)) => Folder::open(above, Use::Logs)?.inside(name, Use::Logs)?,
        _ => Folder::open(dir, Use::Logs)?,
    };
    let failed = |name: &str, error| StartError::io(format!("open the log {}", dir.path().join(name).display()), error);
    let open = |name: &str| {
        dir.file(name, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE).map_err(|error| failed(name, error))
    };
    let (mut stdout, mut stderr) = (open(STDOUT)?, open(STDERR)?);
    let mut sizes = [size(&stdout), size(&stderr)];
    if sizes.iter().any(|size| *size > ROTATE_AT) {
        rotate(&dir).map_err(|error| StartError::io(format!("rotate the logs in {}", dir.path().display()), error))?;
        (stdout, stderr) = (open(STDOUT)?, open(STDERR)?);
        sizes = [size(&stdout), size(&stderr)];
    }
    for file in [&stdout, &stderr] {
        // Only the open was not to wait (for the reader of a FIFO); a server must not get EAGAIN from its log.
        rustix::fs::fcntl_setfl(file, OFlags::APPEND).map_err(|error| failed("", error.into()))?;
    }
    let makes_logs = sizes == [0, 0] && stdout.metadata().is_ok_and(|stat| stat.created().is_ok());
    let (stdout_path, stderr_path) = (dir.path().join(STDOUT), dir.path().join(STDERR));
    Ok(Logs { stdout, stderr, stdout_path, stderr_path, mark: StartMark { dir, sizes, makes_logs } })
}

fn size(file: &File) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

/// The oldest first, so that a rotation that is broken off has lost nothing.
fn rotate(dir: &Folder) -> io::Result<()> {
    for name in [STDOUT, STDERR, starts::NAME] {
        dir.remove(&aside(name, KEPT))?;
        for number in (1..KEPT).rev() {
            rename(dir, &aside(name, number), &aside(name, number + 1))?;
        }
        rename(dir, name, &aside(name, 1))?;
    }
    Ok(())
}

fn rename(dir: &Folder, from: &str, to: &str) -> io::Result<()> {
    match renameat(dir, from, dir, to) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn aside(name: &str, number: u32) -> String {
    format!("{name}.{number}")
}

/// A file's name, or that of the one that was put aside under a number above 0.
pub(super) fn numbered(name: &str, number: u32) -> String {
    if number == 0 { name.into() } else { aside(name, number) }
}
