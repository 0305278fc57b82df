//! All processes of a server, and how they are ended: the main process, its group, and what has left the group.
//!
//! # References
//! kill(2), credentials(7), prctl(2): PR_SET_CHILD_SUBREAPER

use crate::process::{Process, SharedProcess};
use crate::tree;
use crate::watch::Stopper;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// A server's processes. Nobody else's are ever signalled: the group's number is pinned by the unreaped main process,
/// and whoever left the group is held by a pidfd while it is still seen as a descendant.
pub struct Family {
    main: SharedProcess,
    group: i32,
    /// Our children from before the start, if what loses its parent comes to us.
    before: Option<Vec<i32>>,
}

impl Family {
    /// The family of a server that is about to be started. With `adopt`, descendants that lose their parent come to
    /// this process from now on, so that none can escape; only for a process that has nothing else to do.
    pub fn prepare(adopt: bool) -> Option<Vec<i32>> {
        #[cfg(target_os = "linux")]
        if adopt && rustix::process::set_child_subreaper(Some(rustix::process::getpid())).is_ok() {
            return Some(children());
        }
        let _ = adopt;
        None
    }

    /// The family of this main process and group; `before` as [`Family::prepare`] gave it.
    pub fn new(main: SharedProcess, group: i32, before: Option<Vec<i32>>) -> Family {
        Family { main, group, before }
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
        let mut roots = vec![main];
        if let Some(before) = &self.before {
            roots.extend(children().into_iter().filter(|pid| *pid != main && !before.contains(pid)));
        }
        let mut found = Vec::new();
        tree::descendants(&roots, &mut found);
        found.retain(|&pid| tree::stat(pid).is_some_and(|stat| stat.is_alive()));
        found
    }

    /// Members, and those of the group whose parents are gone.
    fn everybody(&self) -> Vec<i32> {
        let mut all = self.members();
        for pid in tree::group_members(self.group) {
            let alive = || tree::stat(pid).is_some_and(|stat| stat.is_alive());
            if !all.contains(&pid) && alive() {
                all.push(pid);
            }
        }
        all
    }

    fn signal(&self, signal: Signal) {
        for pid in self.members() {
            self.signal_stray(pid, signal);
        }
        self.main.borrow().signal(signal);
        if let Some(group) = Pid::from_raw(self.group) {
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    /// A member that has left the group: held first, then looked at again, then signalled.
    fn signal_stray(&self, pid: i32, signal: Signal) {
        let Some(seen) = tree::stat(pid).filter(|stat| stat.pgrp != self.group) else { return };
        let Ok(Some(process)) = Process::other(pid) else { return };
        if tree::stat(pid).is_some_and(|now| now.start_time == seen.start_time) {
            process.signal(signal);
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
        let gone = self.main.borrow_mut().end().is_some() && self.everybody().is_empty();
        if gone {
            self.reap();
        }
        gone
    }
}
