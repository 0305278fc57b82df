//! Finds the processes of one sandbox among all of the machine.
//!
//! A process belongs to a sandbox if the tag is in its environment, or if it holds something below
//! the sandbox's directory (a descriptor, its working directory, its executable): a server may have
//! been started with another environment, or have overwritten it by a title.

use crate::process::{command_line, descriptors, own_pid, pids, stat_fields, status_lines, wait_gone};
use crate::signal_bit;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// `PF_EXITING` of the kernel's flags in `/proc/PID/stat`: the process is on its way out.
const EXITING: u64 = 0x4;

/// Living processes with the tag or below the directory, except this process itself.
pub(crate) fn processes(tag: &str, dir: &Path) -> Vec<(i32, String)> {
    let own = own_pid();
    let ours = |pid: &i32| *pid != own && (has_tag(*pid, tag) || holds(*pid, dir)) && is_living(*pid);
    let found = pids().into_iter().filter(ours);
    found.map(|pid| (pid, command_line(pid))).collect()
}

fn has_tag(pid: i32, tag: &str) -> bool {
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environ.split(|byte| *byte == 0).any(|line| line == tag.as_bytes())
}

fn holds(pid: i32, dir: &Path) -> bool {
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok();
    // A child of another thread of this test program, between its fork and its exec, has a copy of
    // everything we have open. It still shows our executable.
    let exe = link("exe");
    if exe.is_none() || exe == fs::read_link("/proc/self/exe").ok() {
        return false;
    }
    let links = [exe, link("cwd"), link("root")];
    if links.into_iter().flatten().any(|path| path.starts_with(dir)) {
        return true;
    }
    let open = descriptors(pid).unwrap_or_default();
    open.values().any(|target| Path::new(target).starts_with(dir))
}

fn is_living(pid: i32) -> bool {
    let fields = stat_fields(pid).unwrap_or_default();
    let state = fields.first().map_or("X", String::as_str);
    !matches!(state, "Z" | "X")
}

fn is_exiting(pid: i32) -> bool {
    let fields = stat_fields(pid).unwrap_or_default();
    let flags: u64 = fields.get(6).and_then(|flags| flags.parse().ok()).unwrap_or(EXITING);
    flags & EXITING != 0
}

/// Waits for those of the whole machine that are on their way out. A process gives back its memory first, and has
/// neither tag nor executable from then on, but it still holds its files and their locks.
pub(crate) fn wait_for_exiting(limit: Duration) {
    let deadline = Instant::now() + limit;
    for pid in pids().into_iter().filter(|pid| is_exiting(*pid) && is_living(*pid)) {
        // A stranger that never ends is not for us to judge.
        let _ = wait_gone(pid, deadline.saturating_duration_since(Instant::now()));
    }
}

/// True if nothing can save the process any more: it is exiting, or `SIGKILL` is waiting for it.
pub(crate) fn is_dying(pid: i32) -> bool {
    let status = status_lines(pid).unwrap_or_default();
    let pending = |key: &str| {
        let mask = status.get(key).map_or("0", String::as_str);
        u64::from_str_radix(mask, 16).unwrap_or(0) & signal_bit("KILL") != 0
    };
    is_exiting(pid) || pending("ShdPnd") || pending("SigPnd")
}
