//! The processes of a server on record, held one by one, so that a signal reaches them or nobody.
//!
//! Whose they are is asked of the kernel at each look: the main process by its identity, what descends from it, and
//! what is in its group. Never `kill(-group)`: the group's number could be another's by then.
//!
//! # References
//! pidfd_send_signal(2), setsid(2), proc_pid_environ(5)

use super::state::Record;
use crate::instance::Identity;
use crate::process::Process;
use crate::tree::{self, Stat};
use rustix::process::Signal;
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// How long the kernel may take to carry out a SIGKILL.
const KILL_GRACE: Duration = Duration::from_secs(5);
/// How often it is looked whether more has been forked while a signal went round.
const ROUNDS: usize = 8;
/// How often a process is looked at that the kernel gives us no descriptor for.
const BLIND_LOOK: Duration = Duration::from_millis(5);

/// One process.
#[derive(Debug)]
struct Member {
    process: Process,
    start_time: u64,
    over: bool,
}

impl Member {
    /// Holds it first and then looks again, so that what is held is what was meant.
    fn hold(seen: &Stat) -> Option<Member> {
        // No pidfd on an old kernel or in a sandbox: then the start time is looked at before each signal.
        let process = Process::other(seen.pid).unwrap_or_else(|_| Some(Process::child(seen.pid)))?;
        let same = |now: &Stat| now.start_time == seen.start_time && now.is_alive();
        tree::stat(seen.pid).filter(same)?;
        Some(Member { process, start_time: seen.start_time, over: false })
    }

    fn look(&mut self) {
        self.over = self.over || !tree::stat(self.process.pid()).is_some_and(|now| self.is(&now) && now.is_alive());
    }

    fn is(&self, stat: &Stat) -> bool {
        stat.pid == self.process.pid() && stat.start_time == self.start_time
    }

    fn signal(&self, signal: Signal) {
        if self.process.fd().is_some() || tree::stat(self.process.pid()).is_some_and(|now| self.is(&now)) {
            self.process.signal(signal);
        }
    }
}

/// A process that is told about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedProcess {
    /// Its pid.
    pub pid: i32,
    /// Its name, 15 bytes at most.
    pub name: String,
    /// The user that it belongs to, if we may not signal it.
    pub owner: Option<u32>,
}

impl NamedProcess {
    fn of(pid: i32) -> NamedProcess {
        let refused = |pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::PERM);
        let owner = rustix::process::Pid::from_raw(pid).filter(|&pid| refused(pid));
        let owner = owner.and_then(|_| rustix::fs::stat(format!("/proc/{pid}")).ok()).map(|stat| stat.st_uid);
        NamedProcess { pid, name: tree::name(pid).unwrap_or_default(), owner }
    }
}

impl std::fmt::Display for NamedProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.owner {
            None => write!(f, "{} (pid {})", self.name, self.pid),
            Some(uid) => write!(f, "{} (pid {}, of uid {uid}, which we may not signal)", self.name, self.pid),
        }
    }
}

/// All processes of one server that are seen.
#[derive(Debug)]
pub struct Crew {
    identity: Option<Identity>,
    groups: Vec<i32>,
    /// No process of the server is older, in clock ticks since boot.
    since: u64,
    mark: Option<String>,
    members: Vec<Member>,
}

impl Crew {
    /// Those of the server on record. Empty if that was another boot's or another pid namespace's.
    pub fn of(record: &Record) -> Crew {
        let identity = record.identity.clone().filter(Identity::is_from_here);
        // The main process need not be the first: a program may have put itself into the background.
        let ticks = record.elapsed_ms.saturating_mul(rustix::param::clock_ticks_per_second()) / 1000 + 1;
        let since = identity.as_ref().map_or(u64::MAX, |identity| identity.start_time.saturating_sub(ticks));
        let groups = if record.group > 1 && identity.is_some() { vec![record.group] } else { Vec::new() };
        let mut crew = Crew { identity, groups, since, mark: record.mark.clone(), members: Vec::new() };
        crew.look();
        crew
    }

    /// Forgets who is gone and finds who is new; returns how many those are.
    pub fn look(&mut self) -> usize {
        self.members.iter_mut().for_each(Member::look);
        self.members.retain(|member| !member.over);
        let before = self.members.len();
        self.look_at_main();
        self.look_at_descendants();
        self.look_at_groups();
        self.members.len() - before
    }

    fn look_at_main(&mut self) {
        let Some(identity) = self.identity.as_ref().filter(|identity| identity.is_alive()) else { return };
        let Some(stat) = tree::stat(identity.pid).filter(|stat| stat.start_time == identity.start_time) else { return };
        if !self.groups.contains(&stat.pgrp) && stat.pgrp > 1 {
            self.groups.push(stat.pgrp);
        }
        self.take(&stat);
    }

    fn look_at_descendants(&mut self) {
        let roots: Vec<i32> = self.members.iter().map(|member| member.process.pid()).collect();
        let mut found = Vec::new();
        tree::descendants(&roots, &mut found);
        for stat in found.into_iter().filter_map(tree::stat) {
            self.take(&stat);
        }
    }

    fn look_at_groups(&mut self) {
        for group in self.groups.clone() {
            // With one of ours in it the group is ours; without, it may have been made anew by a stranger.
            let is_pinned = self
                .members
                .iter()
                .any(|member| tree::stat(member.process.pid()).is_some_and(|now| member.is(&now) && now.pgrp == group));
            if !is_pinned && tree::stat(group).is_some() {
                continue;
            }
            for stat in tree::group_members(group).into_iter().filter_map(tree::stat) {
                if stat.pgrp == group && stat.start_time >= self.since && (is_pinned || self.may_be_marked(stat.pid)) {
                    self.take(&stat);
                }
            }
        }
    }

    /// Never ourselves, though we may be called from within the server.
    fn take(&mut self, stat: &Stat) {
        let own = std::process::id() as i32;
        let known = self.members.iter().any(|member| member.is(stat));
        if stat.pid != own && stat.pid > 1 && !known && stat.is_alive() {
            self.members.extend(Member::hold(stat));
        }
    }

    /// A program may write over its environment to show a title; only an environment that is whole can tell.
    fn may_be_marked(&self, pid: i32) -> bool {
        let Some(mark) = &self.mark else { return true };
        let environment = environment(pid);
        let is_whole = environment.split(|byte| *byte == 0).next().is_some_and(|variable| variable.contains(&b'='));
        !is_whole || is_marked(&environment, mark)
    }

    /// Sends a signal to all of them, and to those that are forked meanwhile.
    pub fn signal(&mut self, signal: Signal) {
        let mut from = 0;
        for _ in 0..ROUNDS {
            self.members[from..].iter().for_each(|member| member.signal(signal));
            let new = self.look();
            if new == 0 {
                return;
            }
            from = self.members.len() - new;
        }
    }

    /// Whether none is left.
    pub fn is_gone(&mut self) -> bool {
        self.members.iter().all(|member| member.over) && {
            self.look();
            self.members.is_empty()
        }
    }

    /// Those that are left.
    pub fn left(&self) -> Vec<NamedProcess> {
        self.members.iter().map(|member| NamedProcess::of(member.process.pid())).collect()
    }

    /// What bears the server's mark, lives, and was neither in its group nor seen to descend from it.
    pub fn escaped(&self) -> Vec<NamedProcess> {
        let (Some(mark), Some(identity)) = (&self.mark, &self.identity) else { return Vec::new() };
        let own = std::process::id() as i32;
        let marked = |pid: &i32| *pid != own && is_marked(&environment(*pid), mark);
        let old = |pid: &i32| tree::stat(*pid).is_some_and(|stat| stat.is_alive() && stat.start_time >= self.since);
        let mut found = all_processes();
        found.retain(|pid| *pid != identity.pid && marked(pid) && old(pid));
        found.into_iter().map(NamedProcess::of).collect()
    }

    /// Kills all of them and waits until they are gone.
    ///
    /// # Errors
    /// The kernel does not carry it out.
    pub fn end(mut self) -> io::Result<()> {
        let since = Instant::now();
        while !self.is_gone() {
            if since.elapsed() > KILL_GRACE {
                let left: Vec<String> = self.left().iter().map(NamedProcess::to_string).collect();
                return Err(io::Error::other(format!("SIGKILL has no effect on {}", left.join(", "))));
            }
            self.signal(Signal::KILL);
            wait(&mut [&mut self], Some(KILL_GRACE / 50));
        }
        Ok(())
    }
}

/// Sleeps until one of these processes has ended, or for a while.
pub fn wait(crews: &mut [&mut Crew], limit: Option<Duration>) {
    let mut members: Vec<&mut Member> = crews.iter_mut().flat_map(|crew| &mut crew.members).collect();
    members.retain(|member| !member.over);
    let mut limit = limit;
    let mut fds = Vec::new();
    for member in &members {
        // Negative: left out by poll(2).
        let fd = member.process.fd().map_or(-1, AsRawFd::as_raw_fd);
        fds.push(libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        if fd < 0 {
            limit = Some(limit.map_or(BLIND_LOOK, |limit| limit.min(BLIND_LOOK)));
        }
    }
    crate::sys::poll(&mut fds, limit);
    for (member, fd) in members.into_iter().zip(fds) {
        match fd.fd {
            -1 => member.look(),
            _ => member.over = fd.revents != 0,
        }
    }
}

fn all_processes() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn environment(pid: i32) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}

fn is_marked(environment: &[u8], mark: &str) -> bool {
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}
