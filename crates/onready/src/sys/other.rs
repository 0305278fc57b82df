//! Unix systems other than Linux: what they lack is done without, or in the old way.
//!
//! Type-checked for macOS and FreeBSD, and not tried on either. What is missed: a launcher that is killed by SIGKILL
//! leaves its server running ([`Switch`] does nothing), and a server is a session leader, so that where the system
//! hands out controlling terminals on open(2) it must use O_NOCTTY.

use super::{Plan, Refused, Setup, Target, block_all, changed_signals, check};
use std::io;
#[cfg(feature = "verbs")]
use std::os::fd::BorrowedFd;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

/// The highest signal number that every system knows.
pub const LAST_SIGNAL: i32 = 31;
/// How getgrouplist(3) spells a group.
#[cfg(target_vendor = "apple")]
pub type GroupNumber = libc::c_int;
/// How getgrouplist(3) spells a group.
#[cfg(not(target_vendor = "apple"))]
pub type GroupNumber = libc::gid_t;

pub(super) fn set_errno(value: i32) {
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    // SAFETY: the address of this thread's errno is always valid.
    unsafe {
        *libc::__error() = value;
    }
    #[cfg(any(target_os = "netbsd", target_os = "openbsd"))]
    // SAFETY: as above.
    unsafe {
        *libc::__errno() = value;
    }
}

pub(super) fn poll(fds: &mut [libc::pollfd], limit: Option<Duration>) {
    // Rounded up, so that nobody wakes too early and spins.
    let limit = limit.map_or(-1, |time| i32::try_from(time.as_micros().div_ceil(1000)).unwrap_or(i32::MAX));
    // SAFETY: pointer and length are of one slice.
    unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, limit) };
}

/// What is inherited stays open until the end of this process; the server gets none of it anyhow.
pub fn close_inherited(_numbers: std::ops::RangeInclusive<u32>) {}

/// Not known here.
pub fn process_cpu_time(_pid: i32) -> Option<Duration> {
    None
}

/// Nothing is, here.
pub fn is_static() -> bool {
    false
}

/// There are none here.
#[cfg(feature = "verbs")]
pub fn pid_namespace(_pidfd: BorrowedFd<'_>) -> Option<OwnedFd> {
    None
}

/// A descriptor that becomes readable when this process ends.
///
/// # References
/// kqueue(2): EVFILT_PROC, NOTE_EXIT
pub fn process_queue(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let queue = unsafe { libc::kqueue() };
    check(queue)?;
    // SAFETY: it is new, and nobody else's.
    let queue = unsafe { OwnedFd::from_raw_fd(queue) };
    rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
    // SAFETY: a kevent is plain numbers and a pointer that is handed back unread; all zeros is valid.
    let mut event: libc::kevent = unsafe { std::mem::zeroed() };
    event.ident = pid as _;
    event.filter = libc::EVFILT_PROC;
    event.flags = libc::EV_ADD | libc::EV_ONESHOT;
    event.fflags = libc::NOTE_EXIT;
    // SAFETY: one event to read, none to write.
    check(unsafe { libc::kevent(queue.as_raw_fd(), &event, 1, ptr::null_mut(), 0, ptr::null()) })?;
    Ok(queue)
}

/// On Linux this ends the server with its launcher; here nothing does.
pub struct Switch;

impl Switch {
    /// Does nothing.
    pub fn armed_for(_target: Target) -> io::Result<Switch> {
        Ok(Switch)
    }

    /// Does nothing.
    pub fn disarm(&self) {}
}

/// A server that has been executed.
pub struct Spawned {
    /// Its pid.
    pub pid: i32,
    /// Its process group and session, which it leads.
    pub group: i32,
    /// On Linux, ends it with us.
    pub switch: Switch,
}

/// Starts a process in a session of its own.
///
/// # References
/// fork(2), setsid(2), signal-safety(7)
pub fn spawn(plan: &mut Plan) -> Result<Spawned, Refused> {
    let arguments: Vec<_> = plan.arguments.iter().map(|argument| argument.as_ptr()).chain([ptr::null()]).collect();
    let variables: Vec<*mut u8> = plan.environment.iter_mut().map(super::Variable::as_mut_ptr).collect();
    let environment: Vec<*const libc::c_char> =
        variables.iter().map(|variable| variable.cast_const().cast()).chain([ptr::null()]).collect();
    let changed = changed_signals();
    let (trouble, writer) = rustix::pipe::pipe().map_err(|error| Refused::Clone(error.into()))?;
    for end in [&trouble, &writer] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).map_err(|error| Refused::Clone(error.into()))?;
    }
    let mask = block_all();
    // SAFETY: the child calls only async-signal-safe functions until it executes or ends.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let job =
            Job { plan, arguments: &arguments, environment: &environment, variables: &variables, changed: &changed };
        job.run(writer.as_raw_fd());
    }
    let forked = check(pid);
    drop(mask);
    forked.map_err(Refused::Clone)?;
    drop(writer);
    let mut report = [0; 8];
    match rustix::io::read(&trouble, &mut report) {
        Ok(8) => {
            // SAFETY: a null status is allowed.
            unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
            Err(refusal(plan, report))
        }
        _ => Ok(Spawned { pid, group: pid, switch: Switch }),
    }
}

fn refusal(plan: &Plan, report: [u8; 8]) -> Refused {
    let [a, b, c, d, e, f, g, h] = report;
    let step = u32::from_ne_bytes([a, b, c, d]) as usize;
    let error = io::Error::from_raw_os_error(i32::from_ne_bytes([e, f, g, h]));
    if step < plan.setup.len() { Refused::Setup(step, error) } else { Refused::Exec(error) }
}

/// What the child needs; nothing of it allocates.
struct Job<'a> {
    plan: &'a Plan,
    arguments: &'a [*const libc::c_char],
    environment: &'a [*const libc::c_char],
    variables: &'a [*mut u8],
    changed: &'a [i32],
}

impl Job<'_> {
    fn run(&self, trouble: RawFd) -> ! {
        // Out of the way of all targets, which are few and low.
        // SAFETY: numbers only, in the child's own table.
        let trouble = unsafe { libc::fcntl(trouble, libc::F_DUPFD_CLOEXEC, 128) };
        // SAFETY: a fresh child leads no group, so this cannot fail.
        unsafe { libc::setsid() };
        for (step, setup) in self.plan.setup.iter().enumerate() {
            if !self.carry_out(setup, trouble) {
                report(trouble, step);
            }
        }
        calm_signals(self.changed);
        // SAFETY: all three are null-terminated as execve wants them.
        unsafe { libc::execve(self.plan.program.as_ptr(), self.arguments.as_ptr(), self.environment.as_ptr()) };
        report(trouble, self.plan.setup.len())
    }

    fn carry_out(&self, setup: &Setup, trouble: RawFd) -> bool {
        #[allow(clippy::multiple_unsafe_ops_per_block)] // one arm, one call
        // SAFETY: each call gets numbers, or pointers into the plan, which lives as long as the child needs it.
        unsafe {
            match *setup {
                Setup::Duplicate { from, to } => libc::dup2(from, to) != -1,
                Setup::Close { first, last } => close_range(first, last, trouble),
                Setup::Inherit(fd) => libc::fcntl(fd, libc::F_SETFD, 0) != -1,
                Setup::Umask(mask) => {
                    libc::umask(mask as libc::mode_t);
                    true
                }
                Setup::Directory(ref path) => libc::chdir(path.as_ptr()) != -1,
                Setup::Limit(resource, soft, hard) => {
                    let limit = libc::rlimit { rlim_cur: soft as _, rlim_max: hard as _ };
                    libc::setrlimit(resource as _, &limit) != -1
                }
                Setup::Nice(nice) => libc::setpriority(libc::PRIO_PROCESS as _, 0, nice) != -1,
                Setup::Groups(ref groups) => libc::setgroups(groups.len() as _, groups.as_ptr()) != -1,
                Setup::Group(gid) => libc::setregid(gid, gid) != -1,
                Setup::User(uid) => libc::setreuid(uid, uid) != -1 && (uid == 0 || libc::setuid(0) == -1),
                Setup::Pid { variable, at } => super::write_pid(self.variables[variable].add(at)),
            }
        }
    }
}

fn report(trouble: RawFd, step: usize) -> ! {
    let error = super::errno().max(1);
    let mut text = [0; 8];
    text[..4].copy_from_slice(&(step as u32).to_ne_bytes());
    text[4..].copy_from_slice(&error.to_ne_bytes());
    // SAFETY: the buffer is live, and of the length told.
    unsafe { libc::write(trouble, text.as_ptr().cast(), text.len()) };
    // SAFETY: ends this child alone, without destructors or exit handlers of the launcher's.
    unsafe { libc::_exit(127) }
}

fn calm_signals(changed: &[i32]) {
    // SAFETY: all zeros is SIG_DFL with an empty mask.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    for &signal in changed {
        // SAFETY: in a child of our own.
        unsafe { libc::sigaction(signal, &default, ptr::null_mut()) };
    }
    // SAFETY: `sa_mask` of the zeroed action is the empty set.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &default.sa_mask, ptr::null_mut()) };
}

fn close_range(first: u32, last: u32, but: RawFd) -> bool {
    // SAFETY: all zeros is a valid rlimit.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: `limit` is ours to be written.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    for fd in u64::from(first)..=u64::from(last).min(limit.rlim_cur as u64).min(1 << 20) {
        if fd as RawFd != but {
            // SAFETY: closes a number of this child's own table, which is to be executed away.
            unsafe { libc::close(fd as RawFd) };
        }
    }
    true
}
