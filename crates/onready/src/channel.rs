//! The private connection between a launcher and its server: a stream of sd_notify lines, whose end is a fact.
//!
//! The server finds its end through one environment variable, `ONREADY_CHANNEL=FD:INODE:LOG:LOCK:PID`: the number of
//! the descriptor, the inode of the socket that must be open there, the descriptors of the log and of the pid file
//! (or `-`), and the pid of the one process that it is for. So neither a child that inherits the variable nor a
//! variable that leaked into a shell is taken for a server, and argv stays untouched. See docs/PROTOCOL.md.
//!
//! # References
//! socketpair(2), unix(7), sd_listen_fds(3) (the pid check)

use crate::machine::Event;
use crate::message::Field;
use crate::streams::SharedRelay;
use crate::sys;
use crate::watch::{Interest, Source};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The variable by which a server knows itself.
pub const VARIABLE: &str = "ONREADY_CHANNEL";

/// The descriptors are owned once: by whoever claims them first.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Which of the descriptors that a server inherits is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The channel's number in the server.
    pub channel: RawFd,
    /// The channel's inode.
    pub inode: u64,
    /// The log's number in the server.
    pub log: Option<RawFd>,
    /// The locked pid file's number in the server.
    pub lock: Option<RawFd>,
}

impl Address {
    /// The variable's value up to the pid, which is written when it is known.
    pub fn before_pid(&self) -> String {
        let number = |fd: Option<RawFd>| fd.map_or("-".into(), |fd| fd.to_string());
        format!("{}:{}:{}:{}:", self.channel, self.inode, number(self.log), number(self.lock))
    }

    /// The address and the pid that it is for.
    pub fn parse(text: &str) -> Option<(Address, u32)> {
        let mut parts = text.split(':');
        let mut next = || parts.next();
        let channel = next()?.parse().ok()?;
        let inode = next()?.parse().ok()?;
        let mut optional = || match next()? {
            "-" => Some(None),
            number => number.parse().ok().map(Some),
        };
        let (log, lock) = (optional()?, optional()?);
        let pid = next()?.parse().ok()?;
        let address = Address { channel, inode, log, lock };
        let numbers = [Some(channel), log, lock];
        // 0 to 2 are never ours, and a number that stands twice was not written by us.
        let sane = numbers.iter().flatten().all(|fd: &RawFd| *fd > 2) && parts.next().is_none();
        (sane && Some(channel) != log && Some(channel) != lock && (log.is_none() || log != lock))
            .then_some((address, pid))
    }
}

/// The server's end, claimed.
#[derive(Debug)]
pub struct ServerEnd {
    socket: OwnedFd,
    /// The log that the launcher has opened.
    pub log: Option<File>,
    /// The pid file, locked as long as this is open.
    pub lock: Option<OwnedFd>,
}

/// Whose variable it is.
#[derive(Debug)]
pub enum Claim {
    /// There is none, or it is another process's: this is no server of a launcher.
    None,
    /// This process is a server.
    Server(ServerEnd),
    /// It names this process, or its channel is open here, and yet it does not fit.
    Refused(String),
}

/// Asks who this process is.
pub fn claim(variable: Option<OsString>) -> Claim {
    let Some(value) = variable else { return Claim::None };
    let Some((address, pid)) = value.to_str().and_then(Address::parse) else {
        return refuse(&value, "it was not made by a launcher".into());
    };
    let ours = pid == std::process::id();
    if ours && TAKEN.load(Ordering::Relaxed) {
        return Claim::Refused("`enter` was called before, and the launcher is told once".into());
    }
    match (ours, is_open(&address)) {
        (true, true) => take(&address),
        (true, false) => refuse(&value, format!("descriptor {} is not the channel any more", address.channel)),
        // A fork of the server, before it has called `enter`: it would start servers without end.
        (false, true) => refuse(&value, format!("it is for process {pid}, and this is {}", std::process::id())),
        (false, false) => Claim::None,
    }
}

fn refuse(value: &std::ffi::OsStr, why: String) -> Claim {
    Claim::Refused(format!(
        "the environment variable {VARIABLE}={} is not for this process: {why}; unset it",
        value.to_string_lossy()
    ))
}

#[allow(clippy::unnecessary_cast)] // an inode's number is narrower on some systems
fn is_open(address: &Address) -> bool {
    let Some(fd) = sys::borrow_fd(address.channel) else { return false };
    fstat(fd).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::Socket && stat.st_ino as u64 == address.inode
    })
}

fn take(address: &Address) -> Claim {
    TAKEN.store(true, Ordering::Relaxed);
    let own = |fd: Option<RawFd>| fd.and_then(sys::claim_fd);
    let (socket, log, lock) = (own(Some(address.channel)), own(address.log), own(address.lock));
    for fd in [&socket, &log, &lock].into_iter().flatten() {
        let _ = rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC);
    }
    match socket {
        Some(socket) => Claim::Server(ServerEnd { socket, log: log.map(File::from), lock }),
        None => Claim::None,
    }
}

impl ServerEnd {
    /// Says something; waits if the launcher does not keep up.
    ///
    /// # Errors
    /// The launcher is gone.
    pub fn say(&self, text: &str) -> io::Result<()> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match send(&self.socket, rest, sys::QUIET) {
                Ok(n) => rest = &rest[n..],
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Asks the launcher to carry on what has been written so far, and waits until it has.
    ///
    /// # Errors
    /// The launcher is gone.
    pub fn flush(&self) -> io::Result<()> {
        self.say(&Field::Flush.line())?;
        let mut answer = [0];
        loop {
            match recv(&self.socket, &mut answer, RecvFlags::empty()) {
                Ok((1.., _)) => return Ok(()),
                Ok(_) => return Err(io::ErrorKind::BrokenPipe.into()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl ServerEnd {
    /// Closes the channel; the lock of the pid file is held for life, by a descriptor that nobody closes.
    pub fn let_go(self) {
        std::mem::forget(self.lock);
    }
}

/// The launcher's end: a source of events.
pub struct LauncherEnd {
    socket: Option<OwnedFd>,
    text: Vec<u8>,
    relays: Vec<SharedRelay>,
}

impl LauncherEnd {
    /// Makes the connection: the launcher's end, the server's, and the server's inode.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn pair() -> io::Result<(LauncherEnd, OwnedFd, u64)> {
        let (ours, theirs) = sys::stream_pair()?;
        let inode = fstat(&theirs)?.st_ino;
        Ok((LauncherEnd { socket: Some(ours), text: Vec::new(), relays: Vec::new() }, theirs, inode as u64))
    }

    /// These are pumped when the server asks for it.
    pub fn flushes(&mut self, relays: Vec<SharedRelay>) {
        self.relays = relays;
    }

    fn read(&mut self, events: &mut Vec<Event>) {
        let mut buffer = [0; 4096];
        // Bounded, so that a server that never stops talking cannot keep the loop from its other sources.
        for _ in 0..64 {
            let Some(socket) = &self.socket else { return };
            match recv(socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((n @ 1.., _)) => self.hear(&buffer[..n], events),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Ok(_) | Err(_) => {
                    self.socket = None;
                    events.push(Event::LetGo);
                }
            }
        }
    }

    fn hear(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        self.text.extend_from_slice(bytes);
        while let Some(end) = self.text.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            match Field::parse(&line[..end]) {
                Some(Field::Flush) => self.flush(),
                Some(field) => events.extend(event(field)),
                None => {}
            }
        }
        // A line without end is nobody's message.
        if self.text.len() > crate::message::LONGEST {
            self.text.clear();
        }
    }

    fn flush(&mut self) {
        self.relays.iter().for_each(|relay| relay.borrow_mut().pump());
        if let Some(socket) = &self.socket {
            let _ = send(socket, b"\n", sys::QUIET | SendFlags::DONTWAIT);
        }
    }
}

/// What a field means for the machine.
pub fn event(field: Field<'_>) -> Option<Event> {
    match field {
        Field::Ready => Some(Event::Sign(0)),
        Field::Status(text) => Some(Event::Status(text.into_owned())),
        Field::ExtendTimeout(by) => Some(Event::Extend(by)),
        Field::Errno(number) => Some(Event::Errno(number)),
        Field::Abandoned => Some(Event::LetGo),
        Field::Reloading | Field::Stopping | Field::MainPid(_) | Field::Barrier | Field::Flush => None,
    }
}

impl Source for LauncherEnd {
    fn interest(&self, want: &mut Interest) {
        self.socket.iter().for_each(|socket| want.read(socket));
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        let told = self.socket.as_ref().is_some_and(|socket| ready.has(socket));
        // Also unasked while the server is seen to end, so that its last word is heard before its end is judged.
        if told || !events.is_empty() {
            self.read(events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_as_written() {
        for (log, lock) in [(None, None), (Some(4), None), (None, Some(4)), (Some(4), Some(5))] {
            let address = Address { channel: 3, inode: 77, log, lock };
            assert_eq!(Address::parse(&format!("{}42", address.before_pid())), Some((address, 42)));
        }
    }

    #[test]
    fn what_no_launcher_writes_is_refused() {
        for text in
            ["", "3", "3:1:-:-:", "1:1:-:-:5", "3:1:3:-:5", "3:1:4:4:5", "3:1:-:-:5:6", "x:1:-:-:5", "3:1:-:-:-5"]
        {
            assert_eq!(Address::parse(text), None, "{text}");
            assert!(matches!(claim(Some(text.into())), Claim::Refused(_)), "{text}");
        }
    }

    #[test]
    fn the_variable_of_another_process_is_no_claim() {
        assert!(matches!(claim(Some("900:1:-:-:1".into())), Claim::None));
        assert!(matches!(claim(None), Claim::None));
    }

    #[test]
    fn our_own_pid_without_the_channel_is_refused() {
        let forged = format!("900:1:-:-:{}", std::process::id());
        let Claim::Refused(why) = claim(Some(forged.into())) else { panic!("taken") };
        assert!(why.contains("900 is not the channel"), "{why}");
    }
}
