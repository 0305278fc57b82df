//! The only unsafe code of the test bed: what neither std nor rustix offers safely.
//!
//! # References
//!
//! signal(7), timer_create(2), sigwait(3), dup2(2), _exit(2)
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn set_action(signal: i32, action: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: the action is SIG_DFL or SIG_IGN, so no code of ours runs in a handler.
    let before = unsafe { libc::signal(signal, action) };
    if before == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Gives a signal its default action.
///
/// # Errors
///
/// When there is no such signal, or it is `KILL` or `STOP`.
pub fn default_signal(signal: i32) -> io::Result<()> {
    set_action(signal, libc::SIG_DFL)
}

/// Ignores a signal.
///
/// # Errors
///
/// When there is no such signal, or it is `KILL` or `STOP`.
pub fn ignore_signal(signal: i32) -> io::Result<()> {
    set_action(signal, libc::SIG_IGN)
}

fn signal_set(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the pointer is to memory of the right size, which the call fills.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: the set was filled by sigemptyset; an unknown signal is refused by an error.
        unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
    }
    // SAFETY: sigemptyset has filled it.
    unsafe { set.assume_init() }
}

fn change_mask(how: libc::c_int, signals: &[i32]) {
    let set = signal_set(signals);
    // SAFETY: the set lives during the call, and the old mask is not asked for.
    unsafe { libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut()) };
}

/// Blocks signals in this thread and in those it starts later.
pub fn block_signals(signals: &[i32]) {
    change_mask(libc::SIG_BLOCK, signals);
}

/// Unblocks signals in this thread.
pub fn unblock_signals(signals: &[i32]) {
    change_mask(libc::SIG_UNBLOCK, signals);
}

/// Waits for one of the signals, which must be blocked in every thread.
pub fn wait_for_signal(signals: &[i32]) -> i32 {
    let set = signal_set(signals);
    let mut signal = 0;
    // SAFETY: both pointers are to locals that live during the call.
    unsafe { libc::sigwait(&raw const set, &raw mut signal) };
    signal
}

/// Lets the kernel kill this process (`SIGKILL`) after a time, even if it is stopped then or has
/// closed everything. An exec or a second call ends the arrangement.
///
/// # Errors
///
/// What timer_create(2) reports.
pub fn limit_life(life: Duration) -> io::Result<()> {
    /// Whose it is, and its number: a fork does not inherit it.
    static TIMER: Mutex<(u32, usize)> = Mutex::new((0, 0));
    let mut timer = TIMER.lock().unwrap_or_else(PoisonError::into_inner);
    if timer.0 != std::process::id() {
        *timer = (std::process::id(), kill_timer()?);
    }
    // SAFETY: an itimerspec is plain numbers, for which zero is a value.
    let mut when: libc::itimerspec = unsafe { zeroed() };
    when.it_value.tv_sec = libc::time_t::try_from(life.as_secs()).unwrap_or(libc::time_t::MAX);
    when.it_value.tv_nsec = libc::c_long::from(life.subsec_nanos() as i32);
    let timer = timer.1 as libc::timer_t;
    // SAFETY: the timer was made by timer_create and is never deleted; the old value is not asked for.
    let answer = unsafe { libc::timer_settime(timer, 0, &raw const when, std::ptr::null_mut()) };
    check(answer)
}

fn kill_timer() -> io::Result<usize> {
    // SAFETY: a sigevent is plain numbers and an unused pointer, for which zero is a value.
    let mut event: libc::sigevent = unsafe { zeroed() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = libc::SIGKILL;
    let mut timer: libc::timer_t = std::ptr::null_mut();
    // SAFETY: both pointers are to locals that live during the call.
    let answer = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) };
    check(answer)?;
    Ok(timer as usize)
}

/// Takes over a descriptor that this process inherited.
///
/// # Errors
///
/// `EBADF` when it is not open.
pub fn take_fd(fd: RawFd) -> io::Result<OwnedFd> {
    is_open(fd)?;
    // SAFETY: it is open, and fixtures take each inherited descriptor once.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A view of a descriptor that stays open, such as 1 and 2.
///
/// # Errors
///
/// `EBADF` when it is not open.
pub fn borrow_fd(fd: RawFd) -> io::Result<BorrowedFd<'static>> {
    is_open(fd)?;
    // SAFETY: it is open now; a fixture that closes it later gets EBADF, as any program would.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

fn is_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: F_GETFD takes any number and touches no memory.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) })
}

/// Makes `to` a copy of `from` that survives exec; equal numbers only lose their close-on-exec flag.
///
/// # Errors
///
/// What dup2(2) or fcntl(2) reports.
pub fn place_fd(from: RawFd, to: RawFd) -> io::Result<()> {
    if from == to {
        // SAFETY: F_SETFD takes any number and touches no memory.
        return check(unsafe { libc::fcntl(to, libc::F_SETFD, 0) });
    }
    // SAFETY: a fixture arranges its own table; it owns nothing at `to` that it uses later.
    check(unsafe { libc::dup2(from, to) })
}

/// Closes a descriptor, open or not.
pub fn close_fd(fd: RawFd) {
    // SAFETY: a fixture arranges its own table; nothing uses the number as an OwnedFd later.
    unsafe { libc::close(fd) };
}

/// Becomes another program, changing nothing else; returns only if that fails.
#[must_use]
pub fn exec(words: &[std::ffi::OsString]) -> io::Error {
    use std::os::unix::ffi::OsStrExt;
    let texts: Result<Vec<CString>, _> = words.iter().map(|word| CString::new(word.as_bytes())).collect();
    let Ok(texts) = texts else {
        return io::ErrorKind::InvalidInput.into();
    };
    let mut pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
    pointers.push(std::ptr::null());
    // SAFETY: the list ends in a null pointer, and the texts live until the call returns, if it does.
    unsafe { libc::execvp(pointers[0], pointers.as_ptr()) };
    io::Error::last_os_error()
}

/// Makes a copy of this process: the child's pid in the parent, `None` in the child, which has no limit of life. For a
/// fixture with one thread.
///
/// # Errors
///
/// What fork(2) reports.
pub fn fork() -> io::Result<Option<i32>> {
    // SAFETY: the fixture that asks for it has one thread, so the child is a whole program.
    let pid = unsafe { libc::fork() };
    check(pid)?;
    Ok(Some(pid).filter(|&pid| pid > 0))
}

/// As [`fork`], but the parent is suspended in the kernel until the child ends or executes a program, as with vfork(2);
/// the child has memory of its own.
///
/// # Errors
///
/// What clone(2) reports.
pub fn fork_suspended() -> io::Result<Option<i32>> {
    let flags = libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: without CLONE_VM this is a fork, of a fixture with one thread; no stack is passed, so the child has a copy.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } as i32;
    check(pid)?;
    Ok(Some(pid).filter(|&pid| pid > 0))
}

/// Waits for the end of a child and returns its exit code, or 128 and the signal.
#[must_use]
pub fn wait_for(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: the pointer is to a live integer.
    unsafe { libc::waitpid(child, &mut status, 0) };
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

/// Prints through C's stdout, which keeps half a line (of a pipe: everything) in its own buffer.
///
/// # Errors
///
/// When the text holds a zero byte.
pub fn c_print(text: &str) -> io::Result<()> {
    let text = CString::new(text)?;
    // SAFETY: the format takes one string, which lives until the call returns.
    unsafe { libc::printf(c"%s".as_ptr(), text.as_ptr()) };
    Ok(())
}

/// Ends the process at once, from any thread, running nothing first.
pub fn exit_now(code: u8) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Defines a C `main` that calls a safe function from the command line to the exit code.
///
/// Rust's own start-up would ignore SIGPIPE, catch SIGSEGV and re-open closed streams; a fixture is
/// to be found as its parent made it.
#[macro_export]
macro_rules! c_main {
    ($run:path) => {
        #[allow(unsafe_code)]
        // SAFETY: the program is built with no_main, so no other `main` exists.
        #[unsafe(no_mangle)]
        extern "C" fn main() -> i32 {
            let run: fn(Vec<std::ffi::OsString>) -> u8 = $run;
            i32::from(run($crate::sys::arguments()))
        }
    };
}

/// The command line of this process without its first word, also when Rust's start-up did not run.
#[must_use]
pub fn arguments() -> Vec<std::ffi::OsString> {
    use std::os::unix::ffi::OsStringExt;
    let whole = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let words = whole.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let mut words: Vec<_> = words.map(std::ffi::OsString::from_vec).collect();
    words.pop();
    words.drain(..1.min(words.len()));
    words
}
