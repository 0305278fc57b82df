//! What a killed starter may have left: nothing, says the kernel; this makes sure.

use super::record::Record;
use crate::instance::Identity;
use crate::process::Process;
use crate::tree;
use rustix::process::Signal;
use std::io;
use std::time::{Duration, Instant};

/// How long the kernel may take to carry out a SIGKILL.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// Kills the main process and its group, if they live, and waits until they are gone.
pub(super) fn end(record: &Record) -> io::Result<()> {
    let Some(identity) = record.identity.as_ref().filter(|identity| identity.is_from_here()) else { return Ok(()) };
    let since = Instant::now();
    loop {
        let held = held(record, identity);
        if held.is_empty() {
            return Ok(());
        }
        if since.elapsed() > KILL_GRACE {
            let pids: Vec<String> = held.iter().map(|process| process.pid().to_string()).collect();
            return Err(io::Error::other(format!("SIGKILL has no effect on {}", pids.join(", "))));
        }
        held.iter().for_each(|process| process.signal(Signal::KILL));
        wait(&held);
    }
}

/// A group's number is used again only when all of it is gone; a new group of this number has a leader, ours has not:
/// the leader of a server's session ends before the server begins.
fn held(record: &Record, identity: &Identity) -> Vec<Process> {
    let mut held: Vec<Process> = identity.hold().into_iter().collect();
    if record.group <= 0 || tree::stat(record.group).is_some() {
        return held;
    }
    for pid in tree::group_members(record.group) {
        let Some(seen) = tree::stat(pid).filter(|stat| is_member(record, identity, stat)) else { continue };
        let Ok(Some(process)) = Process::other(pid) else { continue };
        let same = tree::stat(pid).is_some_and(|now| now.start_time == seen.start_time && now.is_alive());
        if same && held.iter().all(|known| known.pid() != pid) {
            held.push(process);
        }
    }
    held
}

fn is_member(record: &Record, identity: &Identity, stat: &tree::Stat) -> bool {
    stat.pgrp == record.group && stat.session == record.group && stat.start_time >= identity.start_time
}

/// Until one of them ends, or for a while.
fn wait(held: &[Process]) {
    let mut fds: Vec<libc::pollfd> = Vec::new();
    for fd in held.iter().filter_map(Process::fd) {
        use std::os::fd::AsRawFd;
        fds.push(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    }
    crate::sys::poll(&mut fds, Some(Duration::from_millis(20)));
}
