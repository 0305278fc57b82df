//! What the server's processes listen on: asked again and again while it starts, so what was learned is kept.

use std::collections::HashMap;
use std::io;

use super::descriptors::{self, Kind, for_each_socket};
use super::netlink::UnixState;
use super::proc_net::{self, Home, Namespace};
use super::{Address, Listener, Listeners};
use onready::engine::tree;

/// A listening socket and a process that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The first of the processes asked about that holds it.
    pub pid: i32,
    /// The socket's number, as `/proc/PID/fd` shows it.
    pub inode: u64,
    /// Where it listens.
    pub address: Address,
}

/// What is known of a socket that a process of the server holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// It is connected, or of a kind that does not listen.
    Never,
    /// It did not listen at the last look.
    Open {
        /// What it could be.
        kind: Kind,
        /// Whether it was first seen with a process of another network namespace.
        elsewhere: bool,
    },
    /// It listens. A listener stays one until it is closed, but for one that is shut down and kept.
    Listening(Address),
}

impl Known {
    /// Whether it may yet be seen to listen as a socket of this kind.
    fn may_be(&self, kind: Kind) -> bool {
        matches!(self, Self::Open { kind: open, .. } if *open == kind || *open == Kind::Unknown)
    }

    fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Open { elsewhere: true, .. })
    }
}

/// One socket of one process, as of this look.
#[derive(Clone, Copy, Debug)]
struct Held {
    pid: i32,
    fd: i32,
    inode: u64,
}

/// Looks which sockets the server's processes listen on.
///
/// Made to be asked every few hundred microseconds: each look reads the links in `/proc/PID/fd`; the kernel is asked
/// about sockets only while there is one that could listen and has not been seen to.
#[derive(Debug, Default)]
pub struct Observer {
    listeners: Listeners,
    /// By inode, with the look that last found it held.
    known: HashMap<u64, (Known, u64)>,
    ignored: Vec<u64>,
    held: Vec<Held>,
    home: Home,
    looks: u64,
    blind: bool,
}

impl Observer {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that reads `/proc/net` and does not use netlink.
    #[cfg(test)]
    #[must_use]
    pub fn force_proc() -> Self {
        Self { listeners: Listeners::force_proc(), ..Self::default() }
    }

    /// Does what the first look would have to do first.
    pub fn prepare(&mut self) {
        self.home.know();
        let _ = self.listeners.each_tcp(&mut |_| {});
    }

    /// Leaves this socket out from now on: one that listened before the start and was passed in says nothing.
    pub fn ignore(&mut self, inode: u64) {
        self.ignored.push(inode);
    }

    /// Whether the last look could not see the descriptors of a process that is there (it is another user's, it has
    /// privileges of its own, or there is no `/proc`): then it is not known that nothing listens, only not seen.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// The sockets that any of these processes listens on: each address once, sorted.
    ///
    /// # References
    /// proc_pid_fd(5), sock_diag(7)
    pub fn listening(&mut self, pids: &[i32]) -> Vec<Owned> {
        let mut found = self.listening_of_each(pids);
        found.sort_by(|one, other| one.address.cmp(&other.address));
        found.dedup_by(|one, other| one.address == other.address);
        found
    }

    /// The same, with each of these processes that holds one, in their order.
    pub fn listening_of_each(&mut self, pids: &[i32]) -> Vec<Owned> {
        self.looks += 1;
        self.collect(pids);
        self.classify();
        self.ask_unix();
        self.ask_tcp();
        self.ask_elsewhere();
        self.answer()
    }

    /// The processes that hold a listening socket, as of the last look.
    #[must_use]
    pub fn holders(&self) -> Vec<i32> {
        let listens = |socket: &&Held| matches!(self.known.get(&socket.inode), Some((Known::Listening(_), _)));
        let mut pids: Vec<i32> = self.held.iter().filter(listens).map(|socket| socket.pid).collect();
        pids.dedup();
        pids
    }

    /// Learns which sockets the processes hold.
    fn collect(&mut self, pids: &[i32]) {
        self.held.clear();
        self.blind = false;
        for &pid in pids {
            let (held, ignored) = (&mut self.held, &self.ignored);
            let looked = for_each_socket(pid, |fd, inode| {
                if !ignored.contains(&inode) {
                    held.push(Held { pid, fd, inode });
                }
            });
            self.blind |= looked.is_err() && !has_ended(pid);
        }
    }

    /// Says of every new socket what it could be good for, and forgets those that nobody holds any more: a number may
    /// be given to another socket once this one is closed.
    fn classify(&mut self) {
        for socket in &self.held {
            let known = self.known.entry(socket.inode).or_insert_with(|| {
                let known = match descriptors::kind(socket.pid, socket.fd, socket.inode) {
                    Kind::Other => Known::Never,
                    kind => Known::Open { kind, elsewhere: !self.home.is_of(socket.pid) },
                };
                (known, 0)
            });
            known.1 = self.looks;
        }
        let now = self.looks;
        self.known.retain(|_, (_, seen)| *seen == now);
    }

    /// The sockets that could be of this kind and have not been seen to listen, each once, with a holder.
    fn open(&self, kind: Kind) -> Vec<Held> {
        let mut open: Vec<Held> = Vec::new();
        if self.known.values().any(|(known, _)| known.may_be(kind)) {
            open.extend(self.held.iter().filter(|socket| self.known[&socket.inode].0.may_be(kind)));
            open.sort_by_key(|socket| socket.inode);
            open.dedup_by_key(|socket| socket.inode);
        }
        open
    }

    /// Unix sockets can be asked about one by one, and most are found to be connected, once and for all.
    fn ask_unix(&mut self) {
        let mut refused = false;
        for socket in self.open(Kind::Unix) {
            match self.listeners.one_unix(socket.inode) {
                Some(UnixState::Listens(Some(listener))) => self.learn(socket, listener),
                Some(UnixState::Listens(None) | UnixState::Never) => self.set(socket, Known::Never),
                Some(UnixState::Open | UnixState::Unknown) => {}
                None => refused = true,
            }
        }
        if refused {
            let open = self.open(Kind::Unix);
            // Unreadable lists show nothing, like empty ones.
            let found = among(&open, |visit| self.listeners.each_unix(visit));
            self.learn_all(found);
        }
    }

    /// A TCP socket can only be asked about by its address, so all that listen are asked for.
    fn ask_tcp(&mut self) {
        let open = self.open(Kind::Tcp);
        if !open.is_empty() {
            let found = among(&open, |visit| self.listeners.each_tcp(visit));
            self.learn_all(found);
        }
    }

    /// What is still open may belong to another network namespace, of which the kernel tells us only by `/proc`.
    fn ask_elsewhere(&mut self) {
        for kind in [Kind::Tcp, Kind::Unix] {
            let mut open = self.open(kind);
            open.retain(|socket| self.known[&socket.inode].0.is_elsewhere());
            open.sort_by_key(|socket| socket.pid);
            for sockets in open.chunk_by(|one, other| one.pid == other.pid) {
                let namespace = Namespace::Of(sockets[0].pid);
                let found = among(sockets, |visit| match kind {
                    Kind::Tcp => proc_net::tcp(namespace, visit),
                    _ => proc_net::unix(namespace, visit),
                });
                self.learn_all(found);
            }
        }
    }

    fn learn_all(&mut self, found: Vec<(Held, Listener)>) {
        for (socket, listener) in found {
            self.learn(socket, listener);
        }
    }

    fn learn(&mut self, socket: Held, listener: Listener) {
        self.set(socket, Known::Listening(listener.address.seen_by(socket.pid)));
    }

    fn set(&mut self, socket: Held, known: Known) {
        self.known.insert(socket.inode, (known, self.looks));
    }

    fn answer(&self) -> Vec<Owned> {
        let owned = |socket: &Held| match &self.known.get(&socket.inode)?.0 {
            Known::Listening(address) => Some(Owned { pid: socket.pid, inode: socket.inode, address: address.clone() }),
            _ => None,
        };
        self.held.iter().filter_map(owned).collect()
    }
}

/// Those of the sockets that are in a list.
fn among(open: &[Held], list: impl FnOnce(&mut dyn FnMut(Listener)) -> io::Result<()>) -> Vec<(Held, Listener)> {
    let mut found = Vec::new();
    // Who cannot be asked shows nothing.
    let _ = list(&mut |listener| {
        if let Some(socket) = open.iter().find(|socket| socket.inode == listener.inode) {
            found.push((*socket, listener));
        }
    });
    found
}

/// Whether a process has ended, as far as `/proc` is there to tell; what it held is closed.
fn has_ended(pid: i32) -> bool {
    // Of a zombie's descriptors, the kernel says that only root may see them.
    let is_alive = tree::stat(pid).is_some_and(|process| process.is_alive());
    !is_alive && std::fs::exists("/proc/self").unwrap_or(false)
}
