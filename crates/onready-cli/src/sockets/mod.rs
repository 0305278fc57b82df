//! Who listens: the listening sockets of the server's processes, and the owner of an address.
//!
//! Readiness by listening is *seen*, never asked: no connection is made, so the server needs to do nothing for it and
//! no stranger can answer in its place. A socket belongs to a process when one of its descriptors is `socket:[INODE]`;
//! whether a socket listens, and where, the kernel tells by inode.
//!
//! Two ways to ask that look simpler were refused. A copy of the server's descriptor (`pidfd_getfd`) could be asked for
//! `SO_ACCEPTCONN`, but while we hold it the server cannot close the socket for good: one that closes its listener and
//! binds the address anew would find it in use. And a connection on trial is served, logged, and counted by the server.
//!
//! # References
//! sock_diag(7), proc_pid_fd(5), proc_pid_net(5)

mod address;
mod descriptors;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(not(target_os = "linux"))]
#[path = "no_netlink.rs"]
mod netlink;
mod observer;
mod owner;
mod proc_net;
mod speaks;
#[cfg(all(test, target_os = "linux"))]
mod tests;

pub use address::Address;
pub use observer::{Observer, Owned};
pub use owner::{Owner, owner_of};
pub use speaks::{foresee, speaks_notify};

use std::cell::OnceCell;
use std::collections::HashMap;
use std::io;

use descriptors::for_each_socket;
use netlink::{Diag, UnixState};
use proc_net::Namespace;

/// A socket that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The number by which `/proc/PID/fd` shows it.
    pub inode: u64,
    /// Where it listens.
    pub address: Address,
    /// For `[::]`: whether IPv4 connections are *not* taken too. `None` where the kernel does not tell.
    pub v6_only: Option<bool>,
    /// For a path: device and inode (the lower half) of the file, where the kernel tells.
    pub file: Option<(u32, u32)>,
}

/// All listening TCP and unix sockets of our network namespace, whoever owns them.
///
/// One netlink socket and one buffer are kept. The kernel sends listening sockets only, so that thousands of
/// connections cost nothing.
#[derive(Debug)]
pub struct Listeners {
    /// Opened when it is first asked, if the kernel lets us.
    diag: OnceCell<Option<Diag>>,
    found: HashMap<u64, Listener>,
}

impl Listeners {
    /// None known yet; netlink if the kernel lets us, else `/proc/net`.
    #[must_use]
    pub fn new() -> Self {
        Self { diag: OnceCell::new(), found: HashMap::new() }
    }

    /// None known yet; always `/proc/net`, which is slower and does not tell all.
    #[cfg(test)]
    #[must_use]
    pub fn force_proc() -> Self {
        Self { diag: OnceCell::from(None), found: HashMap::new() }
    }

    /// Asks anew for all of them.
    ///
    /// # Errors
    ///
    /// When neither netlink nor `/proc/net` answers.
    pub fn refresh(&mut self) -> io::Result<()> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let mut keep = |listener: Listener| {
            found.insert(listener.inode, listener);
        };
        let tcp = self.each_tcp(&mut keep);
        let unix = self.each_unix(&mut keep);
        self.found = found;
        tcp.and(unix)
    }

    /// The listening socket with this inode, as of the last refresh.
    #[cfg(test)]
    #[must_use]
    pub fn get(&self, inode: u64) -> Option<&Listener> {
        self.found.get(&inode)
    }

    /// All of them, as of the last refresh, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Listener> {
        self.found.values()
    }

    /// Calls `visit` with every listening TCP socket there is now.
    fn each_tcp(&mut self, visit: &mut dyn FnMut(Listener)) -> io::Result<()> {
        match self.diag().map(|diag| diag.tcp(visit)) {
            Some(Ok(())) => Ok(()),
            _ => proc_net::tcp(Namespace::Ours, visit),
        }
    }

    /// Calls `visit` with every listening unix socket there is now.
    fn each_unix(&mut self, visit: &mut dyn FnMut(Listener)) -> io::Result<()> {
        match self.diag().map(|diag| diag.unix(visit)) {
            Some(Ok(())) => Ok(()),
            _ => proc_net::unix(Namespace::Ours, visit),
        }
    }

    fn diag(&mut self) -> Option<&mut Diag> {
        self.diag.get_or_init(|| Diag::open().ok());
        self.diag.get_mut()?.as_mut()
    }

    /// What one unix socket is good for, where the kernel answers such a question.
    fn one_unix(&mut self, inode: u64) -> Option<UnixState> {
        self.diag()?.unix_one(inode).ok()
    }
}

impl Default for Listeners {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends the inodes of all sockets that a process holds, in the order of its descriptors.
///
/// Nothing is appended for a process of another user, without `/proc`, or when there is no such process.
///
/// # References
/// proc_pid_fd(5)
#[cfg(test)]
pub fn held_sockets(pid: i32, out: &mut Vec<u64>) {
    // Who cannot be looked at has no sockets for us.
    let _ = for_each_socket(pid, |_, inode| out.push(inode));
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
