//! A launcher whose clock is set back while it starts a server: the real one is the whole machine's, so it is this
//! process alone that is told another time.
//!
//! Its vDSO is hidden from it, so that it asks the kernel by a system call, whose answer is changed.
//!
//! # References
//! vdso(7), getauxval(3), ptrace(2), proc_pid_mem(5)

use crate::sys::{self, Stop};
use crate::tracer::in_a_thread;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command};

const AT_IGNORE: u64 = 1;
const AT_SYSINFO_EHDR: u64 = 33;
/// By how much.
const BACK_SECONDS: i64 = 86_400;
/// The first answer is the true time, and all later ones are from before it.
const TRUE_ANSWERS: usize = 1;

/// A command that has run with such a clock.
pub struct SetBack {
    /// Ended, and waited for.
    pub child: Child,
    /// How it ended, as wait(2) tells.
    pub status: i32,
    /// How often it was told a false time.
    pub lies: usize,
}

/// Runs the command to its end; what it starts has the true time.
///
/// # Errors
/// It cannot be started or traced.
pub fn run(command: Command) -> io::Result<SetBack> {
    in_a_thread(command, follow)
}

fn follow(child: Child) -> io::Result<SetBack> {
    let pid = child.id() as i32;
    let (mut asked, mut answers, mut hidden) = (None, 0, false);
    loop {
        let (who, status) = sys::wait_any()?;
        if who != pid {
            continue;
        }
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            return Ok(SetBack { child, status, lies: usize::saturating_sub(answers, TRUE_ANSWERS) });
        }
        let mut signal = libc::WSTOPSIG(status);
        match (signal, sys::stop(pid)?) {
            (libc::SIGTRAP, Stop::Other(stack)) if !hidden => {
                sys::tell_calls(pid)?;
                hide_vdso(&memory(pid)?, stack)?;
                (hidden, signal) = (true, 0);
            }
            (number, stop) if number == libc::SIGTRAP | 0x80 => {
                signal = 0;
                let before = asked.take();
                match (stop, before) {
                    (Stop::Entry(libc::SYS_clock_gettime, [0, place]), _) => asked = Some(place),
                    (Stop::Other(_), Some(place)) => {
                        answers += 1;
                        if answers > TRUE_ANSWERS {
                            set_back(&memory(pid)?, place)?;
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        sys::go_on(pid, signal)?;
    }
}

fn memory(pid: i32) -> io::Result<File> {
    File::options().read(true).write(true).open(format!("/proc/{pid}/mem"))
}

fn word(memory: &File, at: u64) -> io::Result<u64> {
    let mut bytes = [0; 8];
    memory.read_exact_at(&mut bytes, at)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// On the stack of a program that has just been executed: the number of arguments, these, a zero, the environment, a
/// zero, and the pairs of the auxiliary vector.
fn hide_vdso(memory: &File, stack: u64) -> io::Result<()> {
    let mut at = stack + 8 * (word(memory, stack)? + 2);
    while word(memory, at)? != 0 {
        at += 8;
    }
    at += 8;
    while word(memory, at)? != 0 {
        if word(memory, at)? == AT_SYSINFO_EHDR {
            return memory.write_all_at(&AT_IGNORE.to_ne_bytes(), at);
        }
        at += 16;
    }
    Err(io::Error::other("there is no vDSO"))
}

fn set_back(memory: &File, place: u64) -> io::Result<()> {
    let seconds = word(memory, place)? as i64 - BACK_SECONDS;
    memory.write_all_at(&seconds.to_ne_bytes(), place)
}
