//! Which process it is, beyond its pid: so that a reused pid, a reboot or another pid namespace never counts as it.
//!
//! # References
//! proc_pid_stat(5): starttime, pid_namespaces(7), pidfd_open(2), proc_sys_kernel(5): random/boot_id

use crate::process::{Process, is_readable};
use crate::{sys, tree};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

/// A process, named for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Which boot of which machine.
    pub boot: String,
    /// The inode of the pid namespace in which the pid means something.
    pub namespace: u64,
    /// The pid.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start_time: u64,
    /// The number that the kernel gives to no second process (the inode of its pidfd), since Linux 6.9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<u64>,
}

/// Where this process lives.
struct Here {
    boot: String,
    namespace: u64,
}

fn here() -> io::Result<&'static Here> {
    static HERE: OnceLock<Here> = OnceLock::new();
    if let Some(here) = HERE.get() {
        return Ok(here);
    }
    let without_proc = |error: io::Error| io::Error::new(error.kind(), format!("{error} (is /proc mounted?)"));
    let boot = tree::boot().map_err(without_proc)?;
    let namespace = namespace().map_err(without_proc)?;
    Ok(HERE.get_or_init(|| Here { boot, namespace }))
}

/// The inode of our pid namespace. A pidfd tells it for half of what `/proc` takes: that makes files for a process
/// which is looked up there for the first time, and a launcher does not look itself up for anything else.
fn namespace() -> io::Result<u64> {
    let own = Process::other(std::process::id() as i32).ok().flatten();
    let file = own.as_ref().and_then(Process::fd).and_then(|fd| sys::pid_namespace(fd.as_fd()));
    let stat = file.map_or_else(|| rustix::fs::stat("/proc/self/ns/pid"), rustix::fs::fstat)?;
    Ok(stat.st_ino)
}

/// Whether it can be told here which process is which.
///
/// # Errors
/// There is no `/proc` to ask.
pub fn can_tell() -> io::Result<()> {
    here().map(|_| ())
}

impl Identity {
    /// The identity of a process that is there: a child of ours, or one that is held by a pidfd meanwhile.
    ///
    /// # Errors
    /// There is no such process, or no `/proc` to ask.
    pub fn of(pid: i32) -> io::Result<Identity> {
        Identity::with(pid, Process::other(pid).ok().flatten().as_ref())
    }

    /// The identity of a process that we hold on to.
    ///
    /// # Errors
    /// As [`Identity::of`].
    pub fn of_held(process: &Process) -> io::Result<Identity> {
        Identity::with(process.pid(), Some(process))
    }

    fn with(pid: i32, held: Option<&Process>) -> io::Result<Identity> {
        let here = here()?;
        let stat = tree::stat(pid)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no process {pid}")))?;
        let unique = held.and_then(Process::fd).and_then(unique);
        Ok(Identity { boot: here.boot.clone(), namespace: here.namespace, pid, start_time: stat.start_time, unique })
    }

    /// Whether it was started in this boot and is seen from this pid namespace.
    pub fn is_from_here(&self) -> bool {
        here().is_ok_and(|here| here.boot == self.boot && here.namespace == self.namespace)
    }

    /// Whether it lives: this very process, and not a zombie.
    pub fn is_alive(&self) -> bool {
        match self.unique {
            Some(_) => self.hold().is_some(),
            None => self.is_from_here() && self.look().is_some(),
        }
    }

    /// Whether there is a process of this pid, for whom it does no harm if it is another by now: one call.
    pub fn seems_alive(&self) -> bool {
        self.is_from_here() && tree::exists(self.pid)
    }

    fn look(&self) -> Option<tree::Stat> {
        tree::stat(self.pid).filter(|stat| stat.is_alive() && stat.start_time == self.start_time)
    }

    /// Holds on to it, if it lives: from now on a signal through the pidfd reaches it or nobody.
    pub fn hold(&self) -> Option<Process> {
        if !self.is_from_here() {
            return None;
        }
        // Held first, then looked at: what is seen now is what the pidfd holds.
        let process = Process::other(self.pid).ok().flatten()?;
        let fd = process.fd()?;
        let is_another = self.unique.is_some_and(|then| unique(fd).is_some_and(|now| now != then));
        (!is_another && self.look().is_some() && !is_readable(fd)).then_some(process)
    }
}

/// `PID_FS_MAGIC`: a file system of pidfds whose inodes are never used twice.
#[cfg(target_os = "linux")]
const PID_FS: rustix::fs::FsWord = 0x5049_4446;

#[cfg(target_os = "linux")]
fn unique(pidfd: &OwnedFd) -> Option<u64> {
    let kind = rustix::fs::fstatfs(pidfd.as_fd()).ok()?.f_type;
    (kind == PID_FS).then(|| rustix::fs::fstat(pidfd).ok().map(|stat| stat.st_ino))?
}

#[cfg(not(target_os = "linux"))]
fn unique(_: &OwnedFd) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways: where the kernel tells it by a pidfd, that is what `/proc` says.
    #[test]
    #[cfg(target_os = "linux")]
    fn our_namespace_is_what_proc_says() {
        let by_proc = rustix::fs::stat("/proc/self/ns/pid").expect("/proc").st_ino;
        assert_eq!(namespace().expect("a namespace"), by_proc);
    }

    #[test]
    fn we_are_alive_and_nobody_else() {
        let me = Identity::of(std::process::id() as i32).expect("this process");
        assert!(me.is_alive() && me.hold().is_some());
        let mut others = vec![
            Identity { start_time: me.start_time + 1, ..me.clone() },
            Identity { boot: "another".into(), ..me.clone() },
            Identity { namespace: me.namespace + 1, ..me.clone() },
        ];
        // Known by this number, where the kernel has it, even if pid and start time were the same.
        others.extend(me.unique.map(|unique| Identity { unique: Some(unique + 1), ..me.clone() }));
        for other in others {
            assert!(!other.is_alive() && other.hold().is_none(), "{other:?}");
        }
    }
}
