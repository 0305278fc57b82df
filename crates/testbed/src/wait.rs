//! Waiting on descriptors: never by sleeping in a loop.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use rustix::time::Timespec;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(time.subsec_nanos()) }
}

/// Polls once until the deadline and again after interruptions; true if something has happened.
pub(crate) fn poll_until(fds: &mut [PollFd<'_>], deadline: Instant) -> io::Result<bool> {
    loop {
        let left = timespec(deadline.saturating_duration_since(Instant::now()));
        match poll(fds, Some(&left)) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// True if the descriptor became readable (or reached its end) before the deadline.
pub(crate) fn readable(fd: BorrowedFd<'_>, deadline: Instant) -> io::Result<bool> {
    poll_until(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], deadline)
}

/// Asks `check` now, and again after each change in the directory of `path` (inotify), until it has
/// an answer or `limit` has passed. A directory that does not exist yet is waited for too.
///
/// # Errors
///
/// When the directory cannot be watched.
pub fn watch_until<T>(path: &Path, limit: Duration, mut check: impl FnMut() -> Option<T>) -> io::Result<Option<T>> {
    let deadline = Instant::now() + limit;
    loop {
        // A fresh watch each time: which directory is the deepest that exists may have changed.
        let watch = inotify::init(CreateFlags::CLOEXEC)?;
        let flags = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB;
        match inotify::add_watch(&watch, existing_parent(path), flags) {
            Err(Errno::NOENT | Errno::NOTDIR) => continue,
            other => other?,
        };
        if let Some(answer) = check() {
            return Ok(Some(answer));
        }
        if !readable(rustix::fd::AsFd::as_fd(&watch), deadline)? {
            return Ok(check());
        }
    }
}

fn existing_parent(path: &Path) -> PathBuf {
    let mut folders = path.ancestors().skip(1);
    let found = folders.find(|folder| folder.is_dir());
    found.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn told<T>(answer: io::Result<Option<T>>, path: &Path, what: &str, limit: Duration) -> T {
    match answer {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            let holds = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            panic!("{}: {what} within {limit:?}; it holds {holds:?}", path.display())
        }
        Err(error) => panic!("cannot watch {}: {error}", path.display()),
    }
}

/// Waits until a path exists (a socket, say).
///
/// # Panics
///
/// When it does not exist in time.
#[track_caller]
pub fn wait_for_path(path: impl AsRef<Path>, limit: Duration) {
    let path = path.as_ref();
    let seen = watch_until(path, limit, || path.symlink_metadata().ok());
    told(seen, path, "did not appear", limit);
}

/// Waits until a file exists and is not empty, and returns what it holds. Fixtures write their
/// reports elsewhere and rename them, so what is found is complete.
///
/// # Panics
///
/// When it is not there in time.
#[track_caller]
pub fn wait_for_file(path: impl AsRef<Path>, limit: Duration) -> String {
    let path = path.as_ref();
    let filled = || fs::read(path).ok().filter(|bytes| !bytes.is_empty());
    let bytes = told(watch_until(path, limit, filled), path, "was not filled", limit);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits until a file holds a text, and returns all that it holds.
///
/// # Panics
///
/// When the text is not there in time.
#[track_caller]
pub fn wait_for_text(path: impl AsRef<Path>, text: &str, limit: Duration) -> String {
    let path = path.as_ref();
    let holds = || {
        let bytes = fs::read(path).ok()?;
        let whole = String::from_utf8_lossy(&bytes).into_owned();
        whole.contains(text).then_some(whole)
    };
    told(watch_until(path, limit, holds), path, &format!("did not hold {text:?}"), limit)
}

/// Writes a file so that no reader ever sees a part of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    fs::write(&beside, bytes)?;
    fs::rename(beside, path)
}
