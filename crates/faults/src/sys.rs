//! The only place with `unsafe`: ptrace(2), and what a hostile surrounding needs between fork and exec.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

/// Where the registers are that hold a call's number and its result (x86_64, `struct user`).
#[cfg(target_arch = "x86_64")]
const REGISTERS: Option<(usize, usize)> = Some((15 * 8, 10 * 8));
#[cfg(not(target_arch = "x86_64"))]
const REGISTERS: Option<(usize, usize)> = None;

/// Whether calls can be made to fail on this machine.
pub const CAN_INJECT: bool = REGISTERS.is_some();

/// Whether a stopped tracee is about to make a call, or has made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is about to make the call of this number, with these first two arguments.
    Entry(i64, [u64; 2]),
    /// The call has been made, or it is stopped elsewhere; where its stack is.
    Other(u64),
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The command is stopped at its exec, for the thread that starts it to trace.
pub fn traced(command: &mut Command) {
    let ask = || {
        // SAFETY: asks to be traced by our parent; async-signal-safe, no memory is passed.
        check(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) }).map(drop)
    };
    // SAFETY: `ask` makes one system call and allocates nothing.
    unsafe { command.pre_exec(ask) };
}

/// Tells calls from signals; its children are not traced.
pub fn tell_calls(pid: i32) -> io::Result<()> {
    set_options(pid, libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACEEXEC)
}

fn set_options(pid: i32, options: i32) -> io::Result<()> {
    // SAFETY: numbers only.
    check(unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, pid, 0, options as libc::c_long) }).map(drop)
}

/// Follows its children, too, and tells calls from signals.
pub fn follow(pid: i32) -> io::Result<()> {
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEEXEC;
    set_options(pid, options)
}

/// Lets it run to its next call, with this signal (0: none).
pub fn go_on(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: numbers only.
    check(unsafe { libc::ptrace(libc::PTRACE_SYSCALL, pid, 0, signal as libc::c_long) }).map(drop)
}

/// At which side of which call a tracee is stopped.
pub fn stop(pid: i32) -> io::Result<Stop> {
    /// `PTRACE_GET_SYSCALL_INFO` (Linux 5.3).
    const GET: libc::c_uint = 0x420e;
    let mut info = [0u64; 16];
    // SAFETY: the buffer is as long as told; the kernel writes no more than that.
    check(unsafe { libc::ptrace(GET as _, pid, size_of_val(&info), info.as_mut_ptr()) })?;
    Ok(if info[0] & 0xff == 1 { Stop::Entry(info[3] as i64, [info[4], info[5]]) } else { Stop::Other(info[2]) })
}

/// A tracee that is about to make a call makes none.
pub fn suppress(pid: i32) -> io::Result<()> {
    poke(pid, REGISTERS.ok_or(io::ErrorKind::Unsupported)?.0, -1)
}

/// What a call that has been made comes to.
pub fn answer(pid: i32, error: i32) -> io::Result<()> {
    poke(pid, REGISTERS.ok_or(io::ErrorKind::Unsupported)?.1, -i64::from(error))
}

fn poke(pid: i32, at: usize, value: i64) -> io::Result<()> {
    // SAFETY: changes a register of a stopped tracee.
    check(unsafe { libc::ptrace(libc::PTRACE_POKEUSER, pid, at, value) }).map(drop)
}

/// The child that an event of a tracee is about.
pub fn event_child(pid: i32) -> io::Result<i32> {
    let mut child: libc::c_ulong = 0;
    // SAFETY: the kernel writes one long.
    check(unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, pid, 0, ptr::from_mut(&mut child)) })?;
    Ok(child as i32)
}

/// Waits for any child or tracee of this thread: its pid and status.
pub fn wait_any() -> io::Result<(i32, i32)> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is ours to be written.
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::__WNOTHREAD) };
        match pid {
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            -1 => return Err(io::Error::last_os_error()),
            pid => return Ok((pid, status)),
        }
    }
}

/// Becomes a program for which these calls fail: an old kernel, or a sandbox.
///
/// # References
/// seccomp(2)
pub fn refuse(calls: &[i64], errno: i32, words: &[std::ffi::OsString]) -> io::Error {
    let statement = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equals = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let result = libc::BPF_RET | libc::BPF_K;
    let mut filter = vec![statement(load, 0, 0, 0)];
    for call in calls {
        filter.push(statement(equals, 0, 1, *call as u32));
        filter.push(statement(result, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32));
    }
    filter.push(statement(result, 0, 0, libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: numbers only.
    let first = check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into());
    // SAFETY: the program points to `filter`, which lives.
    let filtered = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, ptr::from_ref(&program)) };
    match first.and(check(filtered.into())) {
        Ok(_) => testbed::sys::exec(words),
        Err(error) => error,
    }
}
