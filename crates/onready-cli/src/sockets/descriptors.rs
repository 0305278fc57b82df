//! The sockets among a process's descriptors.
//!
//! # References
//! proc_pid_fd(5)

use std::io;

/// What a socket may be good for, as far as its protocol tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nothing is told there"))]
pub(super) enum Kind {
    Tcp,
    Unix,
    /// Datagrams, netlink and the like: it does not listen.
    Other,
    /// The kernel does not tell.
    Unknown,
}

/// Calls `visit` with number and inode of every socket that a process holds.
#[cfg(target_os = "linux")]
pub(super) fn for_each_socket(pid: i32, mut visit: impl FnMut(i32, u64)) -> io::Result<()> {
    let first = read_directory(&format!("/proc/{pid}/fd"), &mut visit);
    if matches!(first, Ok(count) if count > 0) {
        return Ok(());
    }
    // Descriptors are a thread's: when the first thread has ended before the others, none are shown for it.
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let path = thread.path().join("fd");
        if read_directory(&path.to_string_lossy(), &mut visit).is_ok_and(|count| count > 0) {
            return Ok(());
        }
    }
    first.map(|_| ())
}

/// Visits the sockets in one directory; the number of all descriptors there.
#[cfg(target_os = "linux")]
fn read_directory(path: &str, visit: &mut impl FnMut(i32, u64)) -> io::Result<usize> {
    use rustix::fs::{Mode, OFlags, RawDir};
    use std::mem::MaybeUninit;

    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 2048];
    let mut link = [MaybeUninit::uninit(); 64];
    let mut entries = RawDir::new(&directory, &mut buffer);
    let mut count = 0;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let Some(fd) = super::number(entry.file_name().to_bytes()) else { continue };
        count += 1;
        // A descriptor may be closed by now.
        let Ok((target, _)) = rustix::fs::readlinkat_raw(&directory, entry.file_name(), &mut link) else { continue };
        if let Some(inode) = socket_inode(target) {
            visit(fd, inode);
        }
    }
    Ok(count)
}

/// Which protocol a socket is of, by the name that the kernel shows as an attribute of the descriptor.
#[cfg(target_os = "linux")]
pub(super) fn kind(pid: i32, fd: i32, inode: u64) -> Kind {
    let path = format!("/proc/{pid}/fd/{fd}");
    let mut name = [0; 32];
    let Ok(length) = rustix::fs::getxattr(&path, "system.sockprotoname", &mut name) else { return Kind::Unknown };
    // The number may stand for another socket since it was read; what that is says nothing of ours.
    let link = std::fs::read_link(&path).ok().map(std::path::PathBuf::into_os_string);
    if link.and_then(|link| socket_inode(link.as_encoded_bytes())) != Some(inode) {
        return Kind::Unknown;
    }
    let name = &name[..length];
    match name.split(|&byte| byte == 0).next().unwrap_or_default() {
        b"TCP" | b"TCPv6" | b"MPTCP" | b"MPTCPv6" => Kind::Tcp,
        name if name.starts_with(b"UNIX") => Kind::Unix,
        _ => Kind::Other,
    }
}

/// `socket:[123]` is socket number 123.
#[cfg(target_os = "linux")]
fn socket_inode(link: &[u8]) -> Option<u64> {
    super::number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

/// Not known on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn for_each_socket(_pid: i32, _visit: impl FnMut(i32, u64)) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Not known on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn kind(_pid: i32, _fd: i32, _inode: u64) -> Kind {
    Kind::Unknown
}
