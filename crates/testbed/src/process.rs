//! What `/proc` says about a process, and how to wait for one or end it.

use crate::signals::signal_bit;
use crate::wait::readable;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One process at one moment, as `/proc` shows it.
///
/// # References
///
/// proc_pid_stat(5), proc_pid_status(5), proc_pid_fd(5), proc_pid_limits(5)
#[derive(Debug, Clone)]
pub struct Process {
    /// Its pid.
    pub pid: i32,
    /// `R`, `S`, `D`, `T` (stopped), `Z` (zombie), ...
    pub state: char,
    /// The parent's pid.
    pub ppid: i32,
    /// The process group.
    pub pgrp: i32,
    /// The session.
    pub session: i32,
    /// The device number of the controlling terminal; 0 is none.
    pub tty_nr: i32,
    /// The nice value.
    pub nice: i32,
    /// When it started, in clock ticks since the machine's start.
    pub start_ticks: u64,
    /// The number of threads.
    pub threads: u32,
    /// The name of the main thread.
    pub comm: String,
    /// Its words; bytes that are no UTF-8 are replaced.
    pub cmdline: Vec<String>,
    /// Its working directory; ends in ` (deleted)` if that is gone.
    pub cwd: PathBuf,
    /// Its executable.
    pub exe: PathBuf,
    /// Its file mode creation mask.
    pub umask: u32,
    /// Its descriptors and what they point to (`pipe:[123]`, `/dev/null`).
    pub fds: BTreeMap<i32, String>,
    /// The mask of blocked signals (of the main thread); bit 0 is signal 1.
    pub blocked: u64,
    /// The mask of ignored signals, without 32 and 33: those are glibc's own, and its posix_spawn lets
    /// each child ignore them.
    pub ignored: u64,
    /// The mask of caught signals.
    pub caught: u64,
    /// The environment at the time of its exec.
    pub environ: BTreeMap<String, String>,
    /// Real, effective, saved and file-system user.
    pub uids: [u32; 4],
    /// Real, effective, saved and file-system group.
    pub gids: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Soft and hard limits by the names of proc_pid_limits(5), such as `Max open files`.
    pub limits: BTreeMap<String, (String, String)>,
}

/// std counts pids without a sign, the kernel with one; they are far below its range.
pub(crate) fn signed(id: u32) -> i32 {
    i32::try_from(id).expect("a pid")
}

/// The pid of the running program.
pub(crate) fn own_pid() -> i32 {
    signed(std::process::id())
}

/// Signals 32 and 33 in a mask.
const GLIBC_SIGNALS: u64 = 0b11 << 31;

fn text(pid: i32, file: &str) -> io::Result<String> {
    let bytes = fs::read(format!("/proc/{pid}/{file}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Splits what `/proc` ends by zero bytes.
fn words(whole: &str) -> Vec<String> {
    whole.split_terminator('\0').map(str::to_owned).collect()
}

/// The fields of `/proc/PID/stat` after the name, which may itself hold spaces and brackets.
pub(crate) fn stat_fields(pid: i32) -> io::Result<Vec<String>> {
    let whole = text(pid, "stat")?;
    let after = whole.rsplit_once(')').map_or("", |(_, after)| after);
    Ok(after.split_whitespace().map(str::to_owned).collect())
}

fn field<T: std::str::FromStr>(fields: &[String], at: usize) -> io::Result<T> {
    let parsed = fields.get(at).and_then(|field| field.parse().ok());
    parsed.ok_or_else(|| io::Error::other("unexpected /proc/PID/stat"))
}

/// The lines `Key: value` of `/proc/PID/status`.
pub(crate) fn status_lines(pid: i32) -> io::Result<BTreeMap<String, String>> {
    let whole = text(pid, "status")?;
    let pairs = whole.lines().filter_map(|line| line.split_once(':'));
    Ok(pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect())
}

fn hexadecimal(status: &BTreeMap<String, String>, key: &str) -> u64 {
    let value = status.get(key).map_or("0", String::as_str);
    u64::from_str_radix(value, 16).unwrap_or(0)
}

fn numbers(status: &BTreeMap<String, String>, key: &str) -> Vec<u32> {
    let value = status.get(key).map_or("", String::as_str);
    value.split_whitespace().filter_map(|n| n.parse().ok()).collect()
}

fn four(status: &BTreeMap<String, String>, key: &str) -> [u32; 4] {
    numbers(status, key).try_into().unwrap_or([u32::MAX; 4])
}

/// The descriptors of a process and what they point to.
pub(crate) fn descriptors(pid: i32) -> io::Result<BTreeMap<i32, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        let number = entry.file_name().to_string_lossy().parse();
        if let (Ok(number), Ok(target)) = (number, fs::read_link(entry.path())) {
            found.insert(number, target.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

fn limits(pid: i32) -> io::Result<BTreeMap<String, (String, String)>> {
    let whole = text(pid, "limits")?;
    let mut found = BTreeMap::new();
    for line in whole.lines().skip(1) {
        // The name has a fixed width of 26 columns, since it holds spaces.
        let (name, values) = line.split_at(26.min(line.len()));
        let mut values = values.split_whitespace().map(str::to_owned);
        if let (Some(soft), Some(hard)) = (values.next(), values.next()) {
            found.insert(name.trim().to_owned(), (soft, hard));
        }
    }
    Ok(found)
}

impl Process {
    /// Reads everything about a living process.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such process, or it is dead.
    pub fn of(pid: i32) -> io::Result<Self> {
        let stat = stat_fields(pid)?;
        let status = status_lines(pid)?;
        let octal = status.get("Umask").map_or("", String::as_str);
        let environ = words(&text(pid, "environ")?);
        let pairs = environ.iter().filter_map(|line| line.split_once('='));
        Ok(Self {
            pid,
            state: field(&stat, 0)?,
            ppid: field(&stat, 1)?,
            pgrp: field(&stat, 2)?,
            session: field(&stat, 3)?,
            tty_nr: field(&stat, 4)?,
            nice: field(&stat, 16)?,
            threads: field(&stat, 17)?,
            start_ticks: field(&stat, 19)?,
            comm: text(pid, "comm")?.trim_end_matches('\n').to_owned(),
            cmdline: words(&text(pid, "cmdline")?),
            cwd: fs::read_link(format!("/proc/{pid}/cwd"))?,
            exe: fs::read_link(format!("/proc/{pid}/exe"))?,
            umask: u32::from_str_radix(octal, 8).unwrap_or(u32::MAX),
            fds: descriptors(pid)?,
            blocked: hexadecimal(&status, "SigBlk"),
            ignored: hexadecimal(&status, "SigIgn") & !GLIBC_SIGNALS,
            caught: hexadecimal(&status, "SigCgt"),
            environ: pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            uids: four(&status, "Uid"),
            gids: four(&status, "Gid"),
            groups: numbers(&status, "Groups"),
            limits: limits(pid)?,
        })
    }

    /// True if the main thread blocks the signal of that name.
    #[must_use]
    pub fn blocks(&self, signal: &str) -> bool {
        self.blocked & signal_bit(signal) != 0
    }

    /// True if the process ignores the signal of that name.
    #[must_use]
    pub fn ignores(&self, signal: &str) -> bool {
        self.ignored & signal_bit(signal) != 0
    }

    /// True if the process has a handler for the signal of that name.
    #[must_use]
    pub fn catches(&self, signal: &str) -> bool {
        self.caught & signal_bit(signal) != 0
    }

    /// True if it could acquire a controlling terminal by opening one.
    #[must_use]
    pub fn leads_session(&self) -> bool {
        self.session == self.pid
    }

    /// The descriptors that point to a pipe, a socket or a terminal: what a caller may have lost.
    #[must_use]
    pub fn strange_fds(&self) -> BTreeMap<i32, String> {
        let strange = |target: &String| {
            let kinds = ["pipe:", "socket:", "/dev/pts/", "/dev/tty"];
            kinds.iter().any(|kind| target.starts_with(kind))
        };
        let all = self.fds.clone().into_iter();
        all.filter(|(_, target)| strange(target)).collect()
    }
}

/// The processes that hold a file, pipe or socket open: pid, descriptor and command line. `target` is
/// what the links in `/proc/PID/fd` say, such as `pipe:[123]` or a path.
#[must_use]
pub fn holders(target: &str) -> Vec<(i32, i32, String)> {
    let mut found = Vec::new();
    for pid in pids() {
        for (fd, link) in descriptors(pid).unwrap_or_default() {
            if link == target {
                found.push((pid, fd, command_line(pid)));
            }
        }
    }
    found
}

/// Every pid of this machine that we can see.
pub(crate) fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The command line as one text, or the name in brackets if there is none.
pub(crate) fn command_line(pid: i32) -> String {
    let line = text(pid, "cmdline").map(|whole| words(&whole).join(" "));
    match line {
        Ok(line) if !line.is_empty() => line,
        _ => format!("[{}]", text(pid, "comm").unwrap_or_default().trim_end()),
    }
}

/// True if there is such a process and it is no zombie.
#[must_use]
pub fn alive(pid: i32) -> bool {
    let fields = stat_fields(pid).unwrap_or_default();
    !matches!(fields.first().map(String::as_str), None | Some("Z" | "X"))
}

/// A pidfd, or `None` when there is no such process.
pub(crate) fn open_pid(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// Waits on a pidfd until a process, which need not be a child, has ended; false when it still lives.
///
/// # Panics
///
/// When poll(2) fails.
#[must_use]
pub fn wait_gone(pid: i32, limit: Duration) -> bool {
    let Some(pidfd) = open_pid(pid) else {
        return true;
    };
    readable(pidfd.as_fd(), Instant::now() + limit).expect("poll a pidfd")
}

/// Sends a signal by name to a process that the test started; false when it is gone.
///
/// # Panics
///
/// When there is no signal of that name, or the pid is 0, 1 or negative.
#[track_caller]
pub fn send_signal(pid: i32, signal: &str) -> bool {
    assert!(pid > 1, "pid {pid} is no process of a test");
    let number = crate::signal_number(signal).unwrap_or(0);
    let signal = Signal::from_named_raw(number).unwrap_or_else(|| panic!("no signal {signal:?}"));
    open_pid(pid).is_some_and(|pidfd| pidfd_send_signal(pidfd, signal).is_ok())
}

/// Kills a process that the test started (`SIGKILL`); false when it was gone.
///
/// # Panics
///
/// When the pid is 0, 1 or negative.
#[track_caller]
pub fn kill(pid: i32) -> bool {
    send_signal(pid, "KILL")
}
