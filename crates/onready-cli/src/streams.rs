//! The server's streams: files from birth, so that no pipe of ours can break under a server that knows nothing of us.

use crate::cli::Options;
use crate::outlet::Outlet;
use crate::progress::Progress;
use crate::recipe::Streams;
use crate::report::say;
use crate::tail::Log;
use onready::engine::{Sink, safe_open};
use onready::verbs::{StartMark, open_logs};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The open files, and where they are.
pub struct Logs {
    /// stdout's.
    pub stdout_path: PathBuf,
    /// stderr's; the same with `--log`.
    pub stderr_path: PathBuf,
    stdout: File,
    stderr: File,
    mark: Option<StartMark>,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("cannot write the log {}: {error}", path.display())
}

fn open(path: &Path) -> Result<(File, PathBuf), String> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let file = safe_open::log(&path).map_err(failed(&path))?;
    Ok((file, path))
}

/// A full disk is told before a server is started that could not say why it fails.
fn has_room(file: &File, path: &Path) -> Result<(), String> {
    let space = rustix::fs::fstatvfs(file).map_err(|error| failed(path)(error.into()))?;
    let free = if rustix::process::geteuid().is_root() { space.f_bfree } else { space.f_bavail };
    let is_file = || file.metadata().is_ok_and(|stat| stat.is_file());
    if space.f_blocks > 0 && free == 0 && is_file() {
        return Err(failed(path)(rustix::io::Errno::NOSPC.into()));
    }
    Ok(())
}

/// Whether a start needs the log folder of its name.
pub fn uses_folder(options: &Options) -> bool {
    options.special.log.is_none() && (options.special.stdout.is_none() || options.special.stderr.is_none())
}

impl Logs {
    /// Opens them to append to, as the options say, else in the folder, where old ones are put aside; none is
    /// followed into a stranger's file, and a full disk is an error now.
    ///
    /// # Errors
    /// One cannot be opened or written.
    pub fn open(options: &Options, folder: &Path) -> Result<Logs, String> {
        let named =
            |path: &Option<PathBuf>| options.special.log.as_ref().or(path.as_ref()).map(|path| open(path)).transpose();
        let (stdout, stderr) = (named(&options.special.stdout)?, named(&options.special.stderr)?);
        let mut default =
            uses_folder(options).then(|| open_logs(folder)).transpose().map_err(|error| error.to_string())?;
        let mut mark = None;
        let mut take = |stdout: bool| {
            let logs = default.take().expect("the folder is used when a path is missing");
            mark = Some(logs.mark);
            let (ours, rest) = ((logs.stdout, logs.stdout_path), (logs.stderr, logs.stderr_path));
            if stdout { (ours, rest) } else { (rest, ours) }
        };
        let ((stdout, stdout_path), (stderr, stderr_path)) = match (stdout, stderr) {
            (Some(stdout), Some(stderr)) => (stdout, stderr),
            (Some(stdout), None) => (stdout, take(false).0),
            (None, Some(stderr)) => (take(true).0, stderr),
            (None, None) => take(true),
        };
        has_room(&stdout, &stdout_path)?;
        has_room(&stderr, &stderr_path)?;
        Ok(Logs { stdout_path, stderr_path, stdout, stderr, mark })
    }

    /// Notes that a start has begun here; without, `logs` shows one start as a part of the one before.
    pub fn note_start(&self) {
        if let Some(Err(error)) = self.mark.as_ref().map(StartMark::note) {
            say(&error.to_string());
        }
    }

    /// What the server is born with.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn streams(&self, others: Vec<(OwnedFd, i32)>) -> Result<Streams, String> {
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        let stdin = null.map_err(|error| format!("cannot open /dev/null: {error}"))?;
        let clone = |file: &File, path| file.try_clone().map(OwnedFd::from).map_err(failed(path));
        let (stdout, stderr) = (clone(&self.stdout, &self.stdout_path)?, clone(&self.stderr, &self.stderr_path)?);
        Ok(Streams { stdin, stdout, stderr, others })
    }

    /// The logs to be carried to the caller; what is no regular file (`/dev/null`) has nothing to be carried.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn tails(&self, options: &Options, progress: &Progress) -> Result<Vec<Log>, String> {
        let [stdout, stderr] = outlets(options, progress);
        let is_file = |file: &File, path| file.metadata().map(|stat| stat.is_file()).map_err(failed(path));
        let clone = |file: &File, path| file.try_clone().map_err(failed(path));
        if self.stdout_path == self.stderr_path {
            let path = &self.stdout_path;
            if !is_file(&self.stdout, path)? {
                return Ok(Vec::new());
            }
            let positions = [clone(&self.stdout, path)?, clone(&self.stderr, path)?];
            let log = Log::shared(path, clone(&self.stdout, path)?, [stdout, stderr], positions);
            return Ok(vec![log.and_then(Log::can_be_read).map_err(failed(path))?]);
        }
        let mut logs = Vec::new();
        for (file, path, outlet, named) in [
            (&self.stdout, &self.stdout_path, stdout, &options.special.stdout),
            (&self.stderr, &self.stderr_path, stderr, &options.special.stderr),
        ] {
            if is_file(file, path)? {
                let log = Log::new(path, clone(file, path)?, outlet);
                // Those in the folder are ours, another one may be one that we are only allowed to write.
                let log = if named.is_some() { log.and_then(Log::can_be_read) } else { log };
                logs.push(log.map_err(failed(path))?);
            }
        }
        Ok(logs)
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
