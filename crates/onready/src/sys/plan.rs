//! What is to be executed, and how its process is set up before.

use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;

/// One step of the child between clone and exec. No step allocates: memory is still the launcher's.
#[derive(Debug)]
pub enum Setup {
    /// Let `to` be what `from` is; `from` is above every `to`.
    Duplicate {
        /// The descriptor there is.
        from: RawFd,
        /// The number it gets, inherited over the exec.
        to: RawFd,
    },
    /// Close all descriptors from `first` to `last`.
    Close {
        /// The first number.
        first: u32,
        /// The last number.
        last: u32,
    },
    /// Let an inherited descriptor pass the exec.
    Inherit(RawFd),
    /// The mask of file modes.
    Umask(u32),
    /// The working directory.
    Directory(CString),
    /// A resource limit: number, soft, hard.
    Limit(u32, u64, u64),
    /// The scheduling priority.
    Nice(i32),
    /// The supplementary groups.
    Groups(Vec<u32>),
    /// The group, for good.
    Group(u32),
    /// The user, for good: that root is out of reach afterwards is checked.
    User(u32),
    /// Write the child's pid as decimal digits behind this position of an environment variable.
    Pid {
        /// Which variable.
        variable: usize,
        /// Where in it.
        at: usize,
    },
}

/// Why there is no child.
#[derive(Debug)]
pub enum Refused {
    /// This step failed.
    Setup(usize, io::Error),
    /// The exec failed.
    Exec(io::Error),
    /// No process could be made.
    Clone(io::Error),
}

/// What is to be executed, and how the child is to be set up for it.
pub struct Plan {
    /// The file.
    pub program: CString,
    /// Its arguments, the name first.
    pub arguments: Vec<CString>,
    /// Its environment; with a zero byte at the end, and room for a pid where a step writes one.
    pub environment: Vec<super::Variable>,
    /// What happens between clone and exec, in this order.
    pub setup: Vec<Setup>,
}

/// Whom a `Switch` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A process group.
    Group(i32),
    /// One process.
    Process(i32),
}
