//! `onready notify`: be the sender, from a script, as systemd-notify is.
//!
//! The message is sent on behalf of the process that called us, where the kernel lets us say so: a shell script that
//! is a service's main process is then its sender. And it is waited for until it has been read: a sender that is gone
//! by then cannot be told from a stranger.
//!
//! # References
//! systemd-notify(1), sd_notify(3), sd_notify_barrier(3), unix(7): SCM_CREDENTIALS

use crate::cli::{Notify, WhichPid};
use crate::report::say;
use onready::engine::{QUIET, clock, message_socket, pipe, socket_address};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SocketAddrUnix, sendmsg_addr};
use std::ffi::OsString;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// How long the reader of a message may take, as with systemd-notify.
const PATIENCE: Duration = Duration::from_secs(5);
/// As systemd-notify has it for every failure.
const FAILED: u8 = 1;

/// Sends what is asked for, and returns the exit code.
pub fn run(arguments: &Notify) -> u8 {
    match send(arguments) {
        Ok(()) => 0,
        Err(why) => {
            say(&why);
            FAILED
        }
    }
}

fn send(arguments: &Notify) -> Result<(), String> {
    let address = std::env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()).ok_or(
        "NOTIFY_SOCKET is not set: nobody waits for a message. It is set for what `onready -- COMMAND` or systemd \
         (Type=notify) starts",
    )?;
    let sender = Sender::to(address, on_behalf_of(arguments))?;
    sender.send(&message(arguments), &[])?;
    if arguments.no_block { Ok(()) } else { sender.barrier() }
}

/// The assignments, one a line.
fn message(arguments: &Notify) -> Vec<u8> {
    let mut lines: Vec<OsString> = Vec::new();
    let flags =
        [(arguments.reloading, "RELOADING=1"), (arguments.ready, "READY=1"), (arguments.stopping, "STOPPING=1")];
    lines.extend(flags.into_iter().filter(|(given, _)| *given).map(|(_, line)| line.into()));
    if arguments.reloading {
        let now = clock(libc::CLOCK_MONOTONIC).unwrap_or_default();
        lines.push(format!("MONOTONIC_USEC={}", now.as_micros()).into());
    }
    if let Some(status) = &arguments.status {
        let mut line = OsString::from("STATUS=");
        line.push(status);
        lines.push(line);
    }
    lines.extend(arguments.pid.map(|which| format!("MAINPID={}", pid(which)).into()));
    lines.extend(arguments.assignments.iter().cloned());
    lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>().join(&b'\n')
}

fn pid(which: WhichPid) -> i32 {
    match which {
        WhichPid::Auto => caller(),
        WhichPid::Own => own(),
        WhichPid::Parent => parent(),
        WhichPid::Number(pid) => pid,
    }
}

fn own() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

fn parent() -> i32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get())
}

/// Who called us; ourselves, if that is the service manager, which does not speak to itself.
fn caller() -> i32 {
    let manager = std::env::var("MANAGERPID").ok().and_then(|pid| pid.parse().ok());
    let parent = parent();
    if parent <= 1 || manager == Some(parent) { own() } else { parent }
}

fn on_behalf_of(arguments: &Notify) -> i32 {
    arguments.pid.map_or_else(caller, pid)
}

#[cfg(target_os = "linux")]
const SPACE: usize = rustix::cmsg_space!(ScmRights(1), ScmCredentials(1));
#[cfg(not(target_os = "linux"))]
const SPACE: usize = rustix::cmsg_space!(ScmRights(1));

#[cfg(target_os = "linux")]
fn push_credentials(ancillary: &mut SendAncillaryBuffer<'_, '_, '_>, pid: i32) {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return };
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    ancillary.push(SendAncillaryMessage::ScmCredentials(rustix::net::UCred { pid, uid, gid }));
}

/// Elsewhere nobody can speak for another process, and nobody asks.
#[cfg(not(target_os = "linux"))]
fn push_credentials(_ancillary: &mut SendAncillaryBuffer<'_, '_, '_>, _pid: i32) {}

/// A socket to send from, the address to send to, and the process to send for.
struct Sender {
    socket: OwnedFd,
    to: SocketAddrUnix,
    address: OsString,
    behalf: i32,
}

impl Sender {
    fn to(address: OsString, behalf: i32) -> Result<Sender, String> {
        let shown = address.to_string_lossy().into_owned();
        let to = socket_address(&address).map_err(|error| format!("cannot use NOTIFY_SOCKET={shown}: {error}"))?;
        let socket = message_socket().map_err(|error| format!("cannot make a socket: {error}"))?;
        Ok(Sender { socket, to, address, behalf })
    }

    /// Under the caller's pid, or if we may not, under our own.
    fn send(&self, text: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), String> {
        let sent = match self.try_send(text, descriptors, true) {
            Err(Errno::PERM | Errno::SRCH | Errno::INVAL) => self.try_send(text, descriptors, false),
            sent => sent,
        };
        let failed = |error: Errno| {
            let what = match error {
                Errno::NOENT | Errno::CONNREFUSED => "nobody listens there any more".to_owned(),
                error => std::io::Error::from(error).to_string(),
            };
            format!("cannot send to NOTIFY_SOCKET={}: {what}", self.address.to_string_lossy())
        };
        sent.map_err(failed)
    }

    fn try_send(&self, text: &[u8], descriptors: &[BorrowedFd<'_>], as_caller: bool) -> Result<(), Errno> {
        let mut space = [MaybeUninit::uninit(); SPACE];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        if as_caller && self.behalf != own() {
            push_credentials(&mut ancillary, self.behalf);
        }
        sendmsg_addr(&self.socket, &self.to, &[IoSlice::new(text)], &mut ancillary, QUIET).map(drop)
    }

    /// Returns when all that was sent before has been read: the reader closes the descriptor that it is sent.
    fn barrier(&self) -> Result<(), String> {
        let (ours, theirs) = pipe().map_err(|error| format!("cannot make a pipe: {error}"))?;
        self.send(b"BARRIER=1", &[theirs.as_fd()])?;
        drop(theirs);
        let since = Instant::now();
        let mut poll_fd = [PollFd::new(&ours, PollFlags::empty())];
        loop {
            let left = PATIENCE.saturating_sub(since.elapsed());
            let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut poll_fd, Some(&left)) {
                Ok(0) => break,
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(format!("cannot wait for the reader: {error}")),
            }
        }
        let seconds = PATIENCE.as_secs();
        Err(format!("the message was sent, but not read within {seconds} s; --no-block does not wait for that"))
    }
}
