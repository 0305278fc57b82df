//! A directory that is this user's alone, for locks, state and logs: found, made and checked.
//!
//! Whoever can write in it can make us signal their choice of process, so it must be ours, and nobody else may write
//! there; whoever can plant a link on the way to it can make us write elsewhere, so its last part is never a link.
//!
//! # References
//! XDG Base Directory Specification, openat(2), open(2): O_NOFOLLOW

use crate::error::StartError;
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, lstat, mkdirat, openat};
use rustix::io::Errno;
#[cfg(feature = "verbs")]
use std::ffi::OsStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The name of our directory inside the runtime directory.
const OWN_NAME: &str = "onready";

/// What a directory is for, in messages.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// Records and locks.
    State,
    /// Logs.
    #[cfg(feature = "verbs")]
    Logs,
}

impl Use {
    fn unusable(self, path: &Path, why: &str) -> StartError {
        let (what, advice) = match self {
            Use::State => ("state", "XDG_RUNTIME_DIR or --state-dir"),
            #[cfg(feature = "verbs")]
            Use::Logs => ("log", "XDG_STATE_HOME or --state-dir"),
        };
        let why = io::Error::other(format!("{why}; name another one with {advice}"));
        StartError::io(format!("use the {what} directory {}", path.display()), why)
    }
}

/// Where locks and state are by default: `$XDG_RUNTIME_DIR/onready`, for root `/run/onready`, else
/// `${TMPDIR:-/tmp}/onready-UID`. A runtime directory that is another user's (left over from su or sudo) is not taken.
pub fn runtime_path() -> PathBuf {
    let uid = rustix::process::geteuid();
    match absolute_variable("XDG_RUNTIME_DIR").filter(|dir| is_own_directory(dir)) {
        Some(dir) => dir.join(OWN_NAME),
        None if uid.is_root() => Path::new("/run").join(OWN_NAME),
        None => temporary().join(format!("{OWN_NAME}-{}", uid.as_raw())),
    }
}

/// A directory of our own, open.
#[derive(Debug)]
#[cfg_attr(not(feature = "verbs"), allow(dead_code))]
pub struct Opened {
    /// Its path, absolute.
    pub path: PathBuf,
    /// It.
    pub fd: OwnedFd,
    /// It was not there before.
    pub is_new: bool,
}

/// Opens a directory of our own, and makes it (with its parents) if it is not there.
///
/// # Errors
/// It cannot be made, is no directory or a symbolic link, is another user's, or others may write in it; the text
/// names the path and what to do.
pub fn open(path: &Path, purpose: Use) -> Result<Opened, StartError> {
    let path = std::path::absolute(path).map_err(|error| purpose.unusable(path, &error.to_string()))?;
    // Without a slash at the end, which would make the kernel follow a link.
    let path: PathBuf = path.components().collect();
    let opened = open_or_make(CWD, &path);
    checked(path, opened, purpose)
}

/// The same for one of this name inside an open one of this path.
///
/// # Errors
/// As [`open`].
#[cfg(feature = "verbs")]
pub fn open_inside(parent: BorrowedFd<'_>, path: &Path, name: &OsStr, purpose: Use) -> Result<Opened, StartError> {
    let opened = open_or_make(parent, Path::new(name));
    checked(path.join(name), opened, purpose)
}

fn checked(path: PathBuf, opened: rustix::io::Result<(OwnedFd, bool)>, purpose: Use) -> Result<Opened, StartError> {
    let (fd, is_new) = opened.map_err(|error| purpose.unusable(&path, &why(&path, error)))?;
    check(&fd).map_err(|why| purpose.unusable(&path, &why))?;
    Ok(Opened { path, fd, is_new })
}

/// An environment variable that holds an absolute path; others are to be ignored, says the specification.
pub fn absolute_variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn temporary() -> PathBuf {
    absolute_variable("TMPDIR").unwrap_or_else(|| "/tmp".into())
}

/// Whether it is a directory of our own (a link to one is taken: the variable that names it is the caller's word).
pub fn is_own_directory(path: &Path) -> bool {
    let ours = |stat: Stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            && stat.st_uid == rustix::process::geteuid().as_raw()
    };
    rustix::fs::stat(path).is_ok_and(ours)
}

/// The directory, and whether it was made now.
fn open_or_make(at: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<(OwnedFd, bool)> {
    let open =
        || openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
    match open() {
        Err(Errno::NOENT) => make(at, path).and_then(|is_new| Ok((open()?, is_new))),
        opened => opened.map(|fd| (fd, false)),
    }
}

fn make(at: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<bool> {
    match mkdirat(at, path, Mode::RWXU) {
        Err(Errno::NOENT) => {
            let parent = path.parent().ok_or(Errno::NOENT)?;
            make(at, parent).and_then(|_| make(at, path))
        }
        Ok(()) => Ok(true),
        // Somebody else, most likely another one of us, was faster; who it was is checked when it is open.
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

fn why(path: &Path, error: Errno) -> String {
    let kind = lstat(path).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match kind {
        Ok(FileType::Symlink) => "it is a symbolic link, which is not followed here".into(),
        Ok(FileType::Directory) | Err(_) => io::Error::from(error).to_string(),
        Ok(_) => "it is not a directory".into(),
    }
}

fn check(fd: &OwnedFd) -> Result<(), String> {
    let stat = fstat(fd).map_err(|error| error.to_string())?;
    let (owner, us) = (stat.st_uid, rustix::process::geteuid().as_raw());
    if owner != us {
        return Err(format!("it belongs to another user (uid {owner}, and this is uid {us}), who could write in it"));
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(format!("others may write in it (mode {:o}); chmod go-w it", stat.st_mode & 0o7777));
    }
    Ok(())
}
