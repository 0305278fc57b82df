//! Opening files at paths where somebody else may have planted something: a link, a FIFO, a file of theirs.
//!
//! # References
//! open(2): O_NOFOLLOW, O_NONBLOCK; symlink(7)

use rustix::fs::{FileType, Mode, OFlags, fstat, lstat, open};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::Path;

fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

/// Whether a file of this owner may be trusted: ours; for root nobody else's, or root would do what others want.
fn is_trusted(uid: u32) -> bool {
    uid == rustix::process::geteuid().as_raw()
}

/// Opens or makes a regular file of our own to read and write; never through a link, never a file of another user.
///
/// # Errors
/// What open(2) says, or `PermissionDenied` with the reason.
pub fn own_file(path: &Path) -> io::Result<File> {
    // O_NONBLOCK: a planted FIFO must not make us wait for its other end.
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = open(path, flags, Mode::from_raw_mode(0o644)).map_err(|error| match error {
        Errno::LOOP => refused("it is a symbolic link, which is not followed here".into()),
        error => error.into(),
    })?;
    let stat = fstat(&fd)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(refused("it is not a regular file".into()));
    }
    if !is_trusted(stat.st_uid) {
        return Err(refused(format!("it belongs to another user (uid {})", stat.st_uid)));
    }
    if stat.st_nlink > 1 {
        return Err(refused("it has a second name (a hard link)".into()));
    }
    Ok(fd.into())
}

/// Opens or makes a log to append to. A link is followed only if it is ours or root's.
///
/// # Errors
/// What open(2) says, or `PermissionDenied` with the reason.
pub fn log(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mode = Mode::from_raw_mode(0o644);
    let fd = match open(path, flags | OFlags::NOFOLLOW, mode) {
        Err(Errno::LOOP) => {
            let owner = lstat(path)?.st_uid;
            if owner != 0 && !is_trusted(owner) {
                return Err(refused(format!("it is a symbolic link that belongs to another user (uid {owner})")));
            }
            open(path, flags, mode)?
        }
        Err(Errno::NXIO) => return Err(refused("it is a FIFO or a socket, not a file".into())),
        opened => opened?,
    };
    let kind = FileType::from_raw_mode(fstat(&fd)?.st_mode);
    if !matches!(kind, FileType::RegularFile | FileType::CharacterDevice) {
        return Err(refused("it is neither a file nor a device".into()));
    }
    // Only the open was not to wait; a server must not get EAGAIN from its log.
    rustix::fs::fcntl_setfl(&fd, OFlags::APPEND)?;
    Ok(fd.into())
}
