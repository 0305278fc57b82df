//! Who is in the way: the process that listens on an address now.

use super::address::serves;
use super::{Address, Listener, Listeners, for_each_socket, number};
use onready::engine::tree;

/// Who listens on an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The process, if we may see its descriptors.
    pub pid: Option<i32>,
    /// Its name, if there is one to be seen.
    pub name: Option<String>,
    /// The socket's number, as `/proc/PID/fd` shows it.
    pub inode: u64,
}

/// Who listens on an address now, in our network namespace, or `None` if nobody does.
///
/// A listener on a wildcard serves every address it takes in: `0.0.0.0:80`, and `[::]:80` unless it is for IPv6
/// only, serve `127.0.0.1:80`. A path is served by the socket that its file belongs to, whatever it was called when
/// it was bound. Where several processes share the socket, the one that gave it to the others is told.
///
/// Reads the descriptors of all processes: milliseconds, for an error message.
///
/// # References
/// sock_diag(7), proc_pid_fd(5)
#[must_use]
pub fn owner_of(wanted: &Address) -> Option<Owner> {
    let mut listeners = Listeners::new();
    // Half of the answer is better than none.
    let _ = listeners.refresh();
    let file = file_of(wanted);
    let fits = |listener: &&Listener| fitness(listener, wanted, file);
    let best = listeners.iter().filter_map(|listener| fits(&listener)).min()?;
    let mut inodes: Vec<u64> =
        listeners.iter().filter(|listener| fits(listener) == Some(best)).map(|listener| listener.inode).collect();
    inodes.sort_unstable();
    let holder = holder(&inodes);
    Some(Owner {
        pid: holder.map(|(pid, _)| pid),
        name: holder.and_then(|(pid, _)| tree::name(pid)),
        inode: holder.map_or(inodes[0], |(_, inode)| inode),
    })
}

/// How well a listener answers for the address: a smaller number is better. `None` if it does not.
fn fitness(listener: &Listener, wanted: &Address, file: Option<(u32, u32)>) -> Option<u8> {
    match (&listener.address, wanted) {
        // Where the kernel does not tell whether IPv4 is served too, it is most likely its default: yes.
        (Address::Tcp(theirs), Address::Tcp(wanted)) => serves(*theirs, listener.v6_only.unwrap_or(false), *wanted),
        (Address::Unix(_), Address::Unix(_)) if file.is_none() => None,
        (Address::Unix(_), Address::Unix(_)) if listener.file == file => Some(0),
        // Some file systems show other numbers to stat(2) than the kernel has.
        (Address::Unix(theirs), Address::Unix(wanted)) => {
            std::path::absolute(wanted).is_ok_and(|wanted| wanted == *theirs).then_some(1)
        }
        (Address::Abstract(theirs), Address::Abstract(wanted)) => (theirs == wanted).then_some(0),
        _ => None,
    }
}

/// Device and inode of the file at a wanted path, as the kernel tells them of a socket. Without a file at the path
/// nobody is reached there.
fn file_of(wanted: &Address) -> Option<(u32, u32)> {
    let Address::Unix(path) = wanted else { return None };
    let file = rustix::fs::stat(path).ok()?;
    // Within the kernel the minor number has 20 bits; of the inode, only the lower half is told.
    Some((rustix::fs::major(file.st_dev) << 20 | rustix::fs::minor(file.st_dev), file.st_ino as u32))
}

/// The process that holds one of these sockets, and which.
fn holder(inodes: &[u64]) -> Option<(i32, u64)> {
    let mut holders = Vec::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = number::<i32>(entry.file_name().as_encoded_bytes()) else { continue };
        let mut found = None;
        // Other users' processes cannot be looked at.
        let _ = for_each_socket(pid, |_, inode| {
            if inodes.contains(&inode) {
                found = Some(inode);
            }
        });
        holders.extend(found.map(|inode| (pid, inode)));
    }
    holders.sort_unstable();
    // Process 1 holds the sockets of all that it starts on demand.
    if holders.len() > 1 {
        holders.retain(|(pid, _)| *pid != 1);
    }
    let is_holder = |pid: i32| holders.iter().any(|(holder, _)| *holder == pid);
    let is_first = |pid: i32| !tree::stat(pid).is_some_and(|process| is_holder(process.ppid));
    holders.iter().find(|(pid, _)| is_first(*pid)).or(holders.first()).copied()
}
