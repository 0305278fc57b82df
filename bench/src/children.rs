//! The processes that a start leaves behind: found, ended and reaped, by their ids.

use std::collections::HashSet;
use std::fs;
use std::io;

use rustix::process::{Pid, Signal, kill_process, set_child_subreaper};

use crate::sys;

/// Every process that loses its parent below us becomes our child, so a server's id need not be asked of anyone, can't be
/// reused before we have reaped it, and none is forgotten.
pub struct Children {
    kept: HashSet<i32>,
}

impl Children {
    /// Become the parent of all orphans below this process.
    ///
    /// # Errors
    /// Those of prctl(2), `PR_SET_CHILD_SUBREAPER`.
    pub fn adopt() -> io::Result<Self> {
        set_child_subreaper(Some(rustix::process::getpid()))?;
        Ok(Self { kept: HashSet::new() })
    }

    /// The ids of this process's children, dead ones included.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn ids() -> io::Result<Vec<i32>> {
        let own = std::process::id();
        let mut ids = Vec::new();
        for task in fs::read_dir(format!("/proc/{own}/task"))? {
            let text = fs::read_to_string(task?.path().join("children"))?;
            ids.extend(text.split_ascii_whitespace().filter_map(|id| id.parse::<i32>().ok()));
        }
        Ok(ids)
    }

    /// Spare every child that is there now from [`Children::end`].
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn keep_present(&mut self) -> io::Result<()> {
        self.kept.extend(Self::ids()?);
        Ok(())
    }

    /// End all children but those kept, and theirs after them; returns how many.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn end(&self) -> io::Result<usize> {
        let mut ended = 0;
        loop {
            let ids: Vec<i32> = Self::ids()?.into_iter().filter(|id| !self.kept.contains(id)).collect();
            if ids.is_empty() {
                return Ok(ended);
            }
            ended += ids.len();
            for &id in &ids {
                kill(id);
            }
            for &id in &ids {
                // A server may have been reaped by a parent that is itself being ended: then there is nothing to wait for.
                let _ = sys::wait4(id);
            }
        }
    }

    /// End all children, kept ones too.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn end_all(&mut self) -> io::Result<usize> {
        self.kept.clear();
        self.end()
    }
}

/// SIGKILL to one process, which must be an unreaped child of ours.
pub fn kill(id: i32) {
    if let Some(pid) = Pid::from_raw(id) {
        let _ = kill_process(pid, Signal::KILL);
    }
}
