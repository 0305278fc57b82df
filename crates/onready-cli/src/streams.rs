//! The server's streams: files from birth, so that no pipe of ours can break under a server that knows nothing of us.

use crate::cli::Options;
use crate::outlet::Outlet;
use crate::progress::Progress;
use crate::recipe::Streams;
use crate::tail::Log;
use onready::engine::{Sink, safe_open};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Which file each stream is appended to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// stdout.
    pub stdout: PathBuf,
    /// stderr; the same for `--log`.
    pub stderr: PathBuf,
    /// Whether the log folder is used at all.
    pub uses_folder: bool,
}

impl Paths {
    /// As the options say, else in the log folder.
    pub fn new(options: &Options, folder: &Path) -> Paths {
        let stdout = options.log.as_ref().or(options.stdout.as_ref());
        let stderr = options.log.as_ref().or(options.stderr.as_ref());
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Paths {
            stdout: stdout.map_or_else(|| folder.join("stdout"), absolute),
            stderr: stderr.map_or_else(|| folder.join("stderr"), absolute),
            uses_folder: stdout.is_none() || stderr.is_none(),
        }
    }

    fn is_shared(&self) -> bool {
        self.stdout == self.stderr
    }
}

/// The open files.
pub struct Logs {
    paths: Paths,
    stdout: File,
    stderr: File,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("cannot write the log {}: {error}", path.display())
}

fn open(path: &Path) -> Result<File, String> {
    let file = safe_open::log(path).map_err(failed(path))?;
    let space = rustix::fs::fstatvfs(&file).map_err(|error| failed(path)(error.into()))?;
    // A full disk is told before a server is started that could not say why it fails.
    let free = if rustix::process::geteuid().is_root() { space.f_bfree } else { space.f_bavail };
    let is_file = file.metadata().is_ok_and(|stat| stat.is_file());
    if is_file && space.f_blocks > 0 && free == 0 {
        return Err(failed(path)(rustix::io::Errno::NOSPC.into()));
    }
    Ok(file)
}

impl Logs {
    /// Opens them to append to; none is followed into a stranger's file, and a full disk is an error now.
    ///
    /// # Errors
    /// One cannot be opened or written.
    pub fn open(paths: Paths) -> Result<Logs, String> {
        let (stdout, stderr) = (open(&paths.stdout)?, open(&paths.stderr)?);
        Ok(Logs { paths, stdout, stderr })
    }

    /// What the server is born with.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn streams(&self, others: Vec<(OwnedFd, i32)>) -> Result<Streams, String> {
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        let stdin = null.map_err(|error| format!("cannot open /dev/null: {error}"))?;
        let clone = |file: &File, path| file.try_clone().map(OwnedFd::from).map_err(failed(path));
        let (stdout, stderr) = (clone(&self.stdout, &self.paths.stdout)?, clone(&self.stderr, &self.paths.stderr)?);
        Ok(Streams { stdin, stdout, stderr, others })
    }

    /// The logs to be carried to the caller; what is no regular file (`/dev/null`) has nothing to be carried.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn tails(&self, options: &Options, progress: &Progress) -> Result<Vec<Log>, String> {
        let [stdout, stderr] = outlets(options, progress);
        let is_file = |file: &File| file.metadata().is_ok_and(|stat| stat.is_file());
        if self.paths.is_shared() {
            if !is_file(&self.stdout) {
                return Ok(Vec::new());
            }
            let clone = |file: &File| file.try_clone().map_err(failed(&self.paths.stdout));
            let positions = [clone(&self.stdout)?, clone(&self.stderr)?];
            let log = Log::shared(&self.paths.stdout, [stdout, stderr], positions);
            return Ok(vec![log.map_err(failed(&self.paths.stdout))?]);
        }
        let both = [(&self.stdout, &self.paths.stdout, stdout), (&self.stderr, &self.paths.stderr, stderr)];
        let files = both.into_iter().filter(|(file, _, _)| is_file(file));
        files.map(|(_, path, outlet)| Log::new(path, outlet).map_err(failed(path))).collect()
    }
}

/// With `--json`, stdout is the object's alone: the server's output goes to stderr.
fn outlets(options: &Options, progress: &Progress) -> [Outlet; 2] {
    let sink = |fd| Some(Sink::new(fd, progress.wipe_for(rustix::termios::isatty(fd))));
    let (stdout, stderr) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    let stdout = if options.json { stderr } else { stdout };
    if options.quiet {
        return [Outlet::new("stdout", None), Outlet::new("stderr", None)];
    }
    [Outlet::new("stdout", sink(stdout)), Outlet::new("stderr", sink(rustix::stdio::stderr()))]
}
