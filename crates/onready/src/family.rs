//! All processes of a server, and how they are ended: the main process, its group, and what has left the group.
//!
//! # References
//! kill(2), credentials(7), prctl(2): PR_SET_CHILD_SUBREAPER, wait(2)

use crate::process::{Process, SharedProcess};
use crate::sys;
use crate::tree;
use crate::watch::{GONE_LOOK, Stopper};
#[cfg(target_os = "linux")]
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// Children that tell their parent nothing, or by another signal than SIGCHLD, too (wait(2): `__WALL`).
#[cfg(target_os = "linux")]
const OF_ANY_KIND: WaitIdOptions = WaitIdOptions::from_bits_retain(0x4000_0000);

/// A server's processes. Nobody else's are ever signalled: the group's number is pinned by the unreaped main process,
/// and whoever left the group is held by a pidfd while it is still seen as a descendant.
pub struct Family {
    main: SharedProcess,
    group: i32,
    /// Our children from before the start, if what loses its parent comes to us.
    before: Option<Vec<i32>>,
    /// What only this server and its descendants have in their environment.
    mark: Option<Vec<u8>>,
}

impl Family {
    /// The family of a server that is about to be started. With `adopt`, descendants that lose their parent come to
    /// this process from now on, so that none can escape; only for a process that has nothing else to do.
    pub fn prepare(adopt: bool) -> Option<Vec<i32>> {
        #[cfg(target_os = "linux")]
        if adopt && rustix::process::set_child_subreaper(Some(rustix::process::getpid())).is_ok() {
            // Mostly there are none, and one call tells.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT | OF_ANY_KIND;
            let none = matches!(rustix::process::waitid(WaitId::All, options), Err(Errno::CHILD));
            return Some(if none { Vec::new() } else { children() });
        }
        let _ = adopt;
        None
    }

    /// What loses its parent goes its own way from now on.
    pub fn adopt_no_more() {
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_child_subreaper(None);
    }

    /// Takes what is left of children that have ended, but for the main process, whose end is somebody's to see.
    pub fn reap_strays(&self) {
        let main = self.main.borrow().pid();
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        // Mostly there are none, and one call tells.
        if matches!(rustix::process::waitid(WaitId::All, options | WaitIdOptions::NOWAIT), Ok(None)) {
            return;
        }
        let known = self.before.as_deref().unwrap_or_default();
        for pid in children().into_iter().filter(|pid| *pid != main && !known.contains(pid)) {
            let _ = Pid::from_raw(pid).map(|pid| rustix::process::waitid(WaitId::Pid(pid), options));
        }
    }

    /// The family of this main process and group; `before` as [`Family::prepare`] gave it.
    pub fn new(main: SharedProcess, group: i32, before: Option<Vec<i32>>) -> Family {
        Family { main, group, before, mark: None }
    }

    /// What has this `NAME=value` in its environment is a member, too, whoever adopted it: for a launcher that
    /// adopts nobody, because it has other children.
    pub fn marked(mut self, entry: String) -> Family {
        self.mark = Some(entry.into_bytes());
        self
    }

    /// The group of a main process that has been started now.
    pub fn set_group(&mut self, group: i32) {
        self.group = group;
    }

    /// This child of ours is not the server's: a question that a condition asks, say.
    pub fn ignore(&mut self, child: i32) {
        self.before.iter_mut().for_each(|before| before.push(child));
    }

    /// A child that was ignored has been reaped; its number may be anybody's now.
    pub fn heed(&mut self, child: i32) {
        self.before.iter_mut().for_each(|before| before.retain(|pid| *pid != child));
    }

    /// The processes that are alive, the main process first if it is.
    pub fn members(&self) -> Vec<i32> {
        let main = self.main.borrow().pid();
        let mut found = Vec::new();
        tree::descendants(&[main], &mut found);
        if let Some(before) = &self.before {
            // Ours come last: who loses its parent while we look is seen with the parent, or here, or twice.
            let mut adopted = children();
            adopted.retain(|pid| !before.contains(pid) && !found.contains(pid));
            let mut theirs = Vec::new();
            tree::descendants(&adopted, &mut theirs);
            theirs.retain(|pid| !found.contains(pid));
            found.append(&mut theirs);
        }
        found.retain(|&pid| tree::stat(pid).is_some_and(|stat| stat.is_alive()));
        found
    }

    /// Members, and those of the group whose parents are gone, and the marked ones: the dear looks last.
    fn is_empty(&self) -> bool {
        self.members().is_empty() && tree::group_members(self.group).is_empty() && self.bearers().is_empty()
    }

    /// The living processes that bear the mark.
    fn bearers(&self) -> Vec<i32> {
        let Some(mark) = &self.mark else { return Vec::new() };
        let bears = |pid: &i32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|entry| entry == mark)
        };
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(bears).filter(|&pid| tree::stat(pid).is_some_and(|stat| stat.is_alive())).collect()
    }

    /// Each process gets it once: many a server takes a second SIGTERM for impatience.
    fn signal(&self, signal: Signal) {
        let main = self.main.borrow();
        for pid in self.members().into_iter().chain(self.bearers()).filter(|&pid| pid != main.pid()) {
            self.signal_stray(pid, signal);
        }
        let group_of_main = Pid::from_raw(main.pid()).and_then(|pid| rustix::process::getpgid(Some(pid)).ok());
        let group = Pid::from_raw(self.group);
        if group.is_none() || group_of_main != group {
            main.signal(signal);
        }
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    /// Without `/proc`: whether nobody is left in the group, of those that are not our own dead children.
    fn group_is_empty(&self) -> bool {
        self.reap();
        let nobody = Err(rustix::io::Errno::SRCH);
        Pid::from_raw(self.group).is_none_or(|group| rustix::process::test_kill_process_group(group) == nobody)
    }

    /// A member that has left the group: held first, then looked at again, then signalled.
    fn signal_stray(&self, pid: i32, signal: Signal) {
        let Some(seen) = tree::stat(pid).filter(|stat| stat.pgrp != self.group) else { return };
        let Ok(Some(process)) = Process::other(pid) else { return };
        if tree::stat(pid).is_some_and(|now| now.start_time == seen.start_time) {
            process.signal(signal);
        }
    }

    /// Kills all of them and waits until they are gone.
    pub fn end(&mut self) {
        self.kill();
        while !self.is_gone() {
            sys::poll(&mut Vec::new(), Some(GONE_LOOK));
        }
    }

    fn reap(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        if let Some(before) = &self.before {
            for pid in children().into_iter().filter(|pid| !before.contains(pid)) {
                let _ = Pid::from_raw(pid).map(|pid| rustix::process::waitid(WaitId::Pid(pid), options));
            }
        }
        let group = Pid::from_raw(self.group);
        while group
            .is_some_and(|group| matches!(rustix::process::waitid(WaitId::Pgid(Some(group)), options), Ok(Some(_))))
        {
        }
        self.main.borrow().reap();
    }
}

fn children() -> Vec<i32> {
    let mut found = Vec::new();
    tree::children(std::process::id() as i32, &mut found);
    found
}

impl Stopper for Family {
    /// SIGCONT as well: a stopped process cannot follow any other signal than SIGKILL.
    fn terminate(&mut self) {
        self.signal(Signal::TERM);
        self.signal(Signal::CONT);
    }

    fn kill(&mut self) {
        self.signal(Signal::KILL);
    }

    fn is_gone(&mut self) -> bool {
        let over = self.main.borrow_mut().end().is_some();
        // Without `/proc` nobody is seen, and the group can only be asked whether it is empty.
        let sees = || tree::stat(std::process::id() as i32).is_some();
        let gone = over && if sees() { self.is_empty() } else { self.group_is_empty() };
        if gone {
            self.reap();
        }
        gone
    }
}
