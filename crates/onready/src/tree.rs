//! The server's processes as the kernel shows them: who they are, who their children are, and whether they do anything.
//!
//! Everything is read from `/proc` and is a snapshot: a process may be gone, and in theory its number given to another,
//! before the caller uses the answer. Who must be sure compares [`Stat::start_time`] or holds a pidfd. Where `/proc` is
//! not mounted (or is not Linux's), the answers are what can be known without it: `None`, nothing, or the roots alone.
//!
//! # References
//! proc(5), proc_pid_stat(5), proc_tid_children(5)

mod activity;
#[cfg(all(test, target_os = "linux"))]
mod tests;

pub use activity::{Activity, Quiet};

use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process_group};

/// Room for a name in [`Stat`]: the kernel keeps 15 bytes and a NUL for a user's process.
const NAME_ROOM: usize = 16;

/// What `/proc/PID/stat` says about a process.
///
/// # References
/// proc_pid_stat(5)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The process itself.
    pub pid: i32,
    /// Its parent; 1 or a subreaper once the real one has gone, 0 when the parent is outside our pid namespace.
    pub ppid: i32,
    /// Its process group.
    pub pgrp: i32,
    /// Its session.
    pub session: i32,
    /// One letter: `R`unning, `S`leeping, `D` (uninterruptible), s`T`opped, `Z`ombie, `X` (being removed), ...
    pub state: u8,
    /// How many threads it has. A zombie with more than one has lost its first thread only, and lives.
    pub threads: u32,
    /// When it started, in clock ticks since boot: with the pid and the boot, this names a process for good.
    pub start_time: u64,
    /// User and system time of all its threads, in clock ticks (`sysconf(_SC_CLK_TCK)`, nearly always 100 a second).
    pub cpu_ticks: u64,
    comm: [u8; NAME_ROOM],
}

impl Stat {
    /// Whether it can still do anything: a zombie only waits for its parent to ask for the exit code.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, b'Z' | b'X' | b'x') || (self.state == b'Z' && self.threads > 1)
    }

    /// The name of the process: the first 15 bytes of its program's file name, or what it has called itself since.
    #[must_use]
    pub fn name(&self) -> String {
        let end = self.comm.iter().position(|&byte| byte == 0).unwrap_or(NAME_ROOM);
        String::from_utf8_lossy(&self.comm[..end]).into_owned()
    }
}

/// What the kernel says about a process, or `None` when there is none (or no `/proc`).
///
/// One open, one read, no allocation: about 6 us.
///
/// # References
/// proc_pid_stat(5)
#[must_use]
pub fn stat(pid: i32) -> Option<Stat> {
    stat_at(&ProcPath::new(format_args!("{pid}/stat")))
}

fn stat_at(path: &ProcPath) -> Option<Stat> {
    let mut buffer = [0; 1024];
    let length = read_start(path, &mut buffer).ok()?;
    parse_stat(&buffer[..length])
}

/// The name stands in brackets and may itself hold brackets, blanks and newlines, so only the *last* closing bracket
/// ends it; all that follows are numbers and one letter.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let open = text.iter().position(|&byte| byte == b'(')?;
    let close = text.iter().rposition(|&byte| byte == b')')?;
    let name = text.get(open + 1..close)?;
    let mut comm = [0; NAME_ROOM];
    let kept = name.len().min(NAME_ROOM);
    comm[..kept].copy_from_slice(&name[..kept]);

    let pid = number(text[..open].trim_ascii())?;
    // The first of these is field 3 of the manual page.
    let mut fields = text[close + 1..].trim_ascii().split(|&byte| byte == b' ');
    let state = *fields.next()?.first()?;
    let (ppid, pgrp, session) = (number(fields.next()?)?, number(fields.next()?)?, number(fields.next()?)?);
    let mut fields = fields.skip(7); // 7 to 13: terminal, flags, page faults
    let (user, system): (u64, u64) = (number(fields.next()?)?, number(fields.next()?)?);
    let mut fields = fields.skip(4); // 16 to 19: children's times, priorities
    let threads = number(fields.next()?)?;
    let start_time = number(fields.nth(1)?)?;
    Some(Stat { pid, ppid, pgrp, session, state, threads, start_time, cpu_ticks: user.saturating_add(system), comm })
}

/// Which boot of which machine this is: a UUID.
///
/// # Errors
/// There is no `/proc`, or not Linux's.
///
/// # References
/// proc_sys_kernel(5): random/boot_id
pub fn boot() -> io::Result<String> {
    let mut text = [0; 64];
    let length = read_start(&ProcPath::new(format_args!("sys/kernel/random/boot_id")), &mut text)?;
    Ok(String::from_utf8_lossy(&text[..length]).trim_end().into())
}

/// Appends the children of a process to `out`: those of all its threads, zombies too.
///
/// About 5 us for a process with one thread. While children come and go, the kernel may leave one out; the next look
/// shows it.
///
/// # References
/// proc_tid_children(5)
pub fn children(pid: i32, out: &mut Vec<i32>) {
    if !has_children_files() {
        out.extend(parents().iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| child));
        return;
    }
    let mut text = Vec::with_capacity(256);
    for_each_thread(pid, |tid| {
        if read_all(&ProcPath::new(format_args!("{pid}/task/{tid}/children")), &mut text).is_ok() {
            out.extend(text.split(|&byte| byte == b' ').filter_map(number::<i32>));
        }
    });
}

/// Replaces `out` by the roots that exist and all that descend from them, zombies included: parents before their
/// children, each process once. Without `/proc` these are the roots alone.
///
/// A process that lost its parent is found only if whoever adopted it is among the roots: a subreaper gives its own
/// other children as roots.
///
/// # References
/// PR_SET_CHILD_SUBREAPER(2const)
pub fn descendants(roots: &[i32], out: &mut Vec<i32>) {
    out.clear();
    for &root in roots {
        if exists(root) && !out.contains(&root) {
            out.push(root);
        }
    }
    // The slow way reads all of /proc, so once for the whole tree and not once a process.
    let table = if has_children_files() { None } else { Some(parents()) };
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(&pid) = out.get(next) {
        next += 1;
        match &table {
            None => children(pid, &mut found),
            Some(table) => found.extend(table.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| child)),
        }
        for child in found.drain(..) {
            if !out.contains(&child) {
                out.push(child);
            }
        }
    }
}

/// The living processes of a session, by number; zombies are left out, as there is nothing to stop in them.
///
/// Reads all of `/proc`: milliseconds on a busy machine. Empty without `/proc`.
///
/// # References
/// setsid(2)
#[must_use]
pub fn session_members(sid: i32) -> Vec<i32> {
    living(|process| process.session == sid)
}

/// The living processes of a process group, by number; zombies are left out, as there is nothing to stop in them.
///
/// Reads all of `/proc` unless the group is empty: milliseconds on a busy machine. Empty without `/proc`.
///
/// # References
/// setpgid(2), kill(2)
#[must_use]
pub fn group_members(pgid: i32) -> Vec<i32> {
    let group = Pid::from_raw(pgid);
    if group.is_none_or(|group| test_kill_process_group(group) == Err(Errno::SRCH)) {
        return Vec::new();
    }
    living(|process| process.pgrp == pgid)
}

/// The name of a process (15 bytes at most), or `None` when there is no such process or no `/proc`.
///
/// # References
/// proc_pid_comm(5)
#[must_use]
pub fn name(pid: i32) -> Option<String> {
    let mut text = Vec::new();
    read_all(&ProcPath::new(format_args!("{pid}/comm")), &mut text).ok()?;
    let name = text.strip_suffix(b"\n").unwrap_or(&text);
    Some(String::from_utf8_lossy(name).into_owned())
}

/// The program and its arguments as the process shows them; it may have overwritten them (setproctitle).
///
/// `None` for a zombie, a kernel thread, no such process or no `/proc`.
///
/// # References
/// proc_pid_cmdline(5)
#[must_use]
pub fn command_line(pid: i32) -> Option<Vec<OsString>> {
    let mut text = Vec::new();
    read_all(&ProcPath::new(format_args!("{pid}/cmdline")), &mut text).ok()?;
    // Each argument ends in a NUL, except where the process has written over them.
    let text = text.strip_suffix(b"\0").unwrap_or(&text);
    if text.is_empty() {
        return None;
    }
    Some(text.split(|&byte| byte == 0).map(|argument| OsString::from_vec(argument.to_vec())).collect())
}

/// The program's file, as it was called when it was started: it may have been replaced or removed since.
///
/// `None` for a zombie, for a process of another user, for no such process or no `/proc`.
///
/// # References
/// proc_pid_exe(5)
#[must_use]
pub fn executable(pid: i32) -> Option<PathBuf> {
    let path = std::fs::read_link(ProcPath::new(format_args!("{pid}/exe")).as_str()).ok()?;
    Some(without_mark(path))
}

/// The kernel marks the path of a file that has been removed.
fn without_mark(path: PathBuf) -> PathBuf {
    let mut bytes = path.into_os_string().into_vec();
    if bytes.ends_with(b" (deleted)") {
        bytes.truncate(bytes.len() - b" (deleted)".len());
    }
    OsString::from_vec(bytes).into()
}

/// Whether there is such a process, zombie or not; known without `/proc`.
pub fn exists(pid: i32) -> bool {
    // EPERM means that it is there and another user's. Zero and less are names of groups.
    Pid::from_raw(pid.max(0)).is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH))
}

/// Whether the kernel was built with `CONFIG_PROC_CHILDREN`.
fn has_children_files() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| rustix::fs::stat("/proc/thread-self/children").is_ok())
}

/// All processes with their parents.
fn parents() -> Vec<(i32, i32)> {
    let mut pids = Vec::new();
    numbers_in("/proc", &mut pids);
    pids.into_iter().filter_map(|pid| stat(pid).map(|process| (pid, process.ppid))).collect()
}

fn living(belongs: impl Fn(&Stat) -> bool) -> Vec<i32> {
    let mut pids = Vec::new();
    numbers_in("/proc", &mut pids);
    pids.retain(|&pid| stat(pid).is_some_and(|process| process.is_alive() && belongs(&process)));
    pids.sort_unstable();
    pids
}

/// Calls `visit` with the number of every thread of a process.
fn for_each_thread(pid: i32, mut visit: impl FnMut(i32)) {
    let path = ProcPath::new(format_args!("{pid}/task"));
    // A directory's links are itself, its name above and, for this one, the threads: one cheap call for most processes.
    match rustix::fs::stat(path.as_str()) {
        Ok(directory) if directory.st_nlink == 3 => visit(pid),
        Ok(_) => {
            let mut threads = Vec::new();
            numbers_in(path.as_str(), &mut threads);
            threads.into_iter().for_each(visit);
        }
        Err(_) => {}
    }
}

/// Appends the names in a directory that are numbers.
fn numbers_in(directory: &str, out: &mut Vec<i32>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    out.extend(entries.flatten().filter_map(|entry| number::<i32>(entry.file_name().as_bytes())));
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The first bytes of a file, as many as one read gives: all there are, for a small file of `/proc`.
fn read_start(path: &ProcPath, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    let file = rustix::fs::open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::read(&file, buffer)
}

/// Replaces `text` by all of a file: what std does, without asking first for a length that `/proc` does not tell.
fn read_all(path: &ProcPath, text: &mut Vec<u8>) -> rustix::io::Result<()> {
    text.clear();
    let file = rustix::fs::open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    loop {
        text.reserve(256);
        if rustix::io::read(&file, spare_capacity(text))? == 0 {
            return Ok(());
        }
    }
}

/// A path in `/proc`, without allocation.
struct ProcPath {
    bytes: [u8; 64],
    length: usize,
}

impl ProcPath {
    fn new(rest: fmt::Arguments<'_>) -> Self {
        let mut path = Self { bytes: [0; 64], length: 0 };
        // Two numbers and the longest name asked for are 40 bytes; a longer path would be cut and not be found.
        let _ = path.write_str("/proc/").and_then(|()| path.write_fmt(rest));
        path
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl fmt::Write for ProcPath {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
