//! Systems without netlink.

use std::io;

use super::Listener;

/// What a unix socket is good for; nobody tells here.
#[derive(Debug)]
#[allow(dead_code, reason = "the same names as where there is netlink")]
pub(super) enum UnixState {
    /// It listens.
    Listens(Option<Listener>),
    /// It may listen yet.
    Open,
    /// It does not listen.
    Never,
    /// There is none.
    Unknown,
}

/// There is no such thing here.
#[derive(Debug)]
pub(super) enum Diag {}

impl Diag {
    pub(super) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn tcp(&mut self, _visit: &mut dyn FnMut(Listener)) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn unix(&mut self, _visit: &mut dyn FnMut(Listener)) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn unix_one(&mut self, _inode: u64) -> io::Result<UnixState> {
        match *self {}
    }
}
