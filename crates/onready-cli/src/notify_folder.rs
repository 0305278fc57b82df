//! Where notify sockets lie: folders that are ours alone, and which of the sockets in them have lost their owner.

use onready::engine::{nonblocking_socket, tree};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Root's server may become another user that cannot enter the state folder: its socket is in one beside it.
pub fn folders(state_dir: &Path) -> Vec<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return vec!["/run/onready-notify".into(), std::env::temp_dir().join("onready-notify-0")];
    }
    vec![
        state_dir.join("notify"),
        std::env::temp_dir().join(format!("onready-notify-{}", rustix::process::geteuid().as_raw())),
    ]
}

/// The folder, ours and not another's.
pub fn prepared(folder: &Path) -> io::Result<PathBuf> {
    let look = || std::fs::symlink_metadata(folder);
    let stat = match look() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
            match std::fs::DirBuilder::new().mode(mode).create(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => look()?,
            }
        }
        stat => stat?,
    };
    if !stat.is_dir() || stat.uid() != rustix::process::geteuid().as_raw() || stat.mode() & 0o022 != 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(folder.into())
}

/// Our pid; and as another pid namespace that shares the folder may have one of us with the same, something more.
pub fn names() -> [String; 2] {
    let (pid, now) = (std::process::id(), std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH));
    [pid.to_string(), format!("{pid}-{}", now.unwrap_or_default().as_nanos())]
}

/// Whether a process of the pid in its name is here: if so, what is asked for each of many costs next to nothing, and
/// who died in its place is tidied up after it has.
pub fn may_have_owner(path: &Path) -> bool {
    let name = path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    let pid = name.split('-').next().and_then(|pid| pid.parse().ok());
    pid.is_some_and(tree::exists)
}

/// Whether this is a socket that nobody has bound any more. Its name alone does not tell: the pid in it may be one of
/// another namespace.
pub fn is_abandoned(path: &Path) -> bool {
    let Ok(socket) = nonblocking_socket(AddressFamily::UNIX, SocketType::DGRAM) else { return false };
    SocketAddrUnix::new(path).is_ok_and(|address| connect(&socket, &address) == Err(Errno::CONNREFUSED))
}
