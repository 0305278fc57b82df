//! An open directory of our own, and the files in it: always through its descriptor, so that nobody can put another
//! directory in its place.
//!
//! # References
//! openat(2), open(2): O_NOFOLLOW

use crate::error::StartError;
use crate::private_dir::{self, Opened, Use};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat, unlinkat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open directory.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    fd: Arc<OwnedFd>,
    is_new: bool,
}

impl Folder {
    /// Opens it, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`private_dir::open`].
    pub fn open(path: &Path, purpose: Use) -> Result<Folder, StartError> {
        private_dir::open(path, purpose).map(Folder::from)
    }

    /// Opens one of this name in it, in the same way.
    ///
    /// # Errors
    /// As [`private_dir::open`].
    pub fn inside(&self, name: &OsStr, purpose: Use) -> Result<Folder, StartError> {
        private_dir::open_inside(self.as_fd(), &self.path, name, purpose).map(Folder::from)
    }

    /// Whether it was made when it was opened.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Its path, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file in it, never through a link.
    ///
    /// # Errors
    /// What open(2) says; `InvalidData` if it is no regular file.
    pub fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let file = File::from(openat(self, name, flags, Mode::RUSR | Mode::WUSR)?);
        match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(file),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} is not a regular file"))),
        }
    }

    /// Whether there is anything of this name in it.
    pub fn has(&self, name: &str) -> bool {
        statat(self, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Whether a name in it is this open file.
    pub fn is_at(&self, name: &str, file: impl AsFd) -> bool {
        let there = statat(self, name, AtFlags::SYMLINK_NOFOLLOW);
        match (fstat(file), there) {
            (Ok(ours), Ok(there)) => (ours.st_ino, ours.st_dev) == (there.st_ino, there.st_dev),
            _ => false,
        }
    }

    /// Removes a file from it; one that is not there is no error.
    ///
    /// # Errors
    /// What unlink(2) says.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(self, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<Opened> for Folder {
    fn from(opened: Opened) -> Folder {
        Folder { path: opened.path, fd: Arc::new(opened.fd), is_new: opened.is_new }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
