//! The calls for which neither std nor rustix has a safe form. All of this crate's `unsafe` is here.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::FromRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// How a child ended, and what it used.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Its process id.
    pub pid: i32,
    /// The exit code, or 128 + the signal that ended it.
    pub code: i32,
    /// User and system time of the process and of those children of its that it waited for, in nanoseconds.
    pub cpu_ns: u64,
    /// Peak resident size in KiB, never less than that of the process which started it.
    pub peak_kib: u64,
}

/// Wait for the child `pid` (-1: any child) and say what it used.
///
/// # Errors
/// Those of wait4(2); `ECHILD` when there is no such child.
///
/// # References
/// wait4(2), getrusage(2)
pub fn wait4(pid: i32) -> io::Result<Ended> {
    loop {
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both pointers are to live, writable memory of the right types.
        let got = unsafe { libc::wait4(pid, &mut status, 0, usage.as_mut_ptr()) };
        if got < 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        // SAFETY: zeroed at birth, and every bit pattern is a valid rusage.
        let usage = unsafe { usage.assume_init() };
        return Ok(Ended {
            pid: got,
            code: exit_code(status),
            cpu_ns: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
            peak_kib: u64::try_from(usage.ru_maxrss).unwrap_or(0),
        });
    }
}

fn exit_code(status: i32) -> i32 {
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

fn nanoseconds(time: libc::timeval) -> u64 {
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_usec).unwrap_or(0) * 1_000
}

/// Let `command` ask to be traced by this process, at addresses that are the same in every run.
pub fn traced(command: &mut Command) -> &mut Command {
    let hook = || {
        // SAFETY: only sets a flag of the calling process; nothing is allocated or locked.
        if unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: PTRACE_TRACEME takes no argument and touches no memory.
        if unsafe { libc::ptrace(libc::PTRACE_TRACEME) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: the hook makes two system calls and nothing else, which is allowed between fork and exec.
    unsafe { command.pre_exec(hook) }
}

/// Let the traced process `pid`, which is stopped, execute one instruction; `signal` is delivered to it first (0: none).
///
/// # Errors
/// Those of ptrace(2).
pub fn step(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: the address is ignored and the data is a signal number; no memory of ours is named.
    let done = unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, pid, 0_usize, signal as usize) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What a traced process is doing after [`step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It stopped for this signal (`SIGTRAP`: the step is done).
    Signal(i32),
    /// It is no more: its exit code, or 128 + the signal.
    Gone(i32),
}

/// Wait until the traced process `pid` stops or ends.
///
/// # Errors
/// Those of waitpid(2).
pub fn wait_stop(pid: i32) -> io::Result<Stop> {
    let mut status = 0;
    // SAFETY: the pointer is to a live integer.
    let got = unsafe { libc::waitpid(pid, &mut status, libc::__WALL) };
    if got < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(if libc::WIFSTOPPED(status) { Stop::Signal(libc::WSTOPSIG(status)) } else { Stop::Gone(exit_code(status)) })
}

/// The address of the next instruction of the stopped process `pid`.
///
/// # Errors
/// Those of ptrace(2).
pub fn instruction_pointer(pid: i32) -> io::Result<u64> {
    let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
    // SAFETY: the kernel writes one user_regs_struct to the pointer, which is to one.
    let done = unsafe { libc::ptrace(libc::PTRACE_GETREGS, pid, 0_usize, registers.as_mut_ptr()) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed at birth, and every bit pattern is a valid user_regs_struct.
    let registers = unsafe { registers.assume_init() };
    #[cfg(target_arch = "x86_64")]
    return Ok(registers.rip);
    #[cfg(target_arch = "aarch64")]
    return Ok(registers.pc);
}

/// The open descriptor `number`, which the one who started us has passed on; to be taken once.
///
/// # Errors
/// When it is not open.
pub fn descriptor(number: i32) -> io::Result<File> {
    // SAFETY: F_GETFD only looks the number up.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, was passed on for this purpose, and nothing else in the fixture servers owns it.
    Ok(unsafe { File::from_raw_fd(number) })
}
