//! Linux: the start of a server without a copy of the launcher's memory.

use super::{Plan, Refused, Setup, Target, block_all, changed_signals};
use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
#[cfg(feature = "verbs")]
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr;

pub use super::switch::Switch;
use super::switch::own;

/// The highest signal number.
pub const LAST_SIGNAL: i32 = 64;
/// How getgrouplist(3) spells a group.
pub type GroupNumber = libc::gid_t;

pub(super) fn set_errno(value: i32) {
    // SAFETY: no preconditions.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the address of this thread's errno is always valid.
    unsafe { *place = value };
}

pub(super) fn poll(fds: &mut [libc::pollfd], limit: Option<std::time::Duration>) {
    let limit = limit.map(|time| libc::timespec {
        tv_sec: time.as_secs().min(i32::MAX as u64) as libc::time_t,
        tv_nsec: time.subsec_nanos() as libc::c_long,
    });
    let count = fds.len() as libc::nfds_t;
    let precise = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: pointer and length are of one slice; a null limit means for ever, a null mask no change.
    let polled = unsafe { libc::ppoll(fds.as_mut_ptr(), count, precise, ptr::null()) };
    if polled != -1 || !matches!(super::errno(), libc::ENOSYS | libc::EPERM) {
        return;
    }
    // A sandbox that knows only the older call: it would be asked without end, and nothing ever seen.
    let millis =
        limit.map_or(-1, |time| time.tv_sec.saturating_mul(1000).saturating_add((time.tv_nsec + 999_999) / 1_000_000));
    // SAFETY: pointer and length are of one slice.
    unsafe { libc::poll(fds.as_mut_ptr(), count, millis.min(i32::MAX.into()) as libc::c_int) };
}

/// Processor time that all threads of a process have used until now, or `None` when there is no such process.
///
/// # References
/// clock_getcpuclockid(3), clock_gettime(2)
pub fn process_cpu_time(pid: i32) -> Option<std::time::Duration> {
    // The kernel's own make of the number, as clock_getcpuclockid(3) does it: CPUCLOCK_SCHED of a whole process.
    super::clock((!pid << 3) | 2)
}

/// Whether this program is linked statically with glibc, whose modules are then not to be used.
///
/// # References
/// getauxval(3): AT_BASE
pub fn is_static() -> bool {
    // SAFETY: no memory is passed.
    cfg!(target_env = "gnu") && unsafe { libc::getauxval(libc::AT_BASE) } == 0
}

/// `PIDFD_GET_PID_NAMESPACE`, since Linux 6.11.
#[cfg(feature = "verbs")]
const GET_PID_NAMESPACE: libc::Ioctl = 0xff05;

/// The pid namespace of a process that is held by a pidfd, as an open file of its own; `None` if the kernel does not
/// give it away.
///
/// # References
/// ioctl_pidfd(2), ioctl_nsfs(2)
#[cfg(feature = "verbs")]
pub fn pid_namespace(pidfd: BorrowedFd<'_>) -> Option<OwnedFd> {
    // SAFETY: no memory is passed, and a kernel that does not know the number refuses it.
    let namespace = unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_PID_NAMESPACE, 0) };
    super::claim_fd(namespace)
}

/// A server that has been executed.
pub struct Spawned {
    /// Its pid.
    pub pid: i32,
    /// Its process group and session, whose leader is gone already.
    pub group: i32,
    /// Ends it with us, until it is disarmed.
    pub switch: Switch,
}

/// What the two children share with the launcher; they run one after the other while it is suspended.
struct Job {
    program: *const libc::c_char,
    arguments: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    variables: *const *mut u8,
    setup: *const Setup,
    steps: usize,
    changed: *const i32,
    changed_len: usize,
    switch: [RawFd; 2],
    stack: *mut u8,
    /// No step needs a descriptor from here on.
    above: u32,
    /// The first child has a table of its own, with the server's descriptors in it, and shares it with the second.
    has_table: bool,
    pid: i32,
    /// The last one that was tried.
    step: Option<usize>,
    error: i32,
}

const STACK: usize = 32 * 1024;

/// Starts a process in a session of its own of which it is not the leader.
///
/// Two children, each sharing the launcher's memory while it is suspended (as posix_spawn does it), so that nothing
/// is copied: the first makes the session, hands itself to the switch and clones the second as *its parent's* child
/// (CLONE_PARENT). The first is gone when this returns. So the server can never get a controlling terminal by opening
/// one, and is still our own child, whose exit status we get. Refused: a double fork (loses the status), setsid in
/// the server (makes it a leader), a helper program (one more exec).
///
/// # References
/// clone(2), setsid(2), posix_spawn(3), vfork(2)
pub fn spawn(plan: &mut Plan) -> Result<Spawned, Refused> {
    let switch = Switch::new().map_err(Refused::Clone)?;
    let arguments = pointers(plan.arguments.iter().map(|argument| argument.as_ptr().cast_mut()));
    let variables = pointers(plan.environment.iter_mut().map(|variable| variable.as_mut_ptr().cast()));
    let changed = changed_signals();
    // Not zeroed: only the pages that the two need are made.
    let mut stack = Box::<[u8]>::new_uninit_slice(2 * STACK);
    let mut job = Job {
        program: plan.program.as_ptr(),
        arguments: arguments.as_ptr().cast(),
        environment: variables.as_ptr().cast(),
        variables: variables.as_ptr().cast(),
        setup: plan.setup.as_ptr(),
        steps: plan.setup.len(),
        changed: changed.as_ptr(),
        changed_len: changed.len(),
        switch: [switch.ends[0].as_raw_fd(), switch.ends[1].as_raw_fd()],
        stack: stack.as_mut_ptr().cast(),
        above: above_all(&plan.setup),
        has_table: false,
        pid: 0,
        step: None,
        error: 0,
    };
    // SAFETY: one past the end of the same buffer.
    let top = unsafe { stack.as_mut_ptr().add(2 * STACK) };
    let mask = block_all();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::SIGCHLD;
    // SAFETY: `top` is the end of a live buffer of which the first child uses the upper half; VFORK suspends us until
    // it has ended, so `job` and all it points to live and are not touched by this thread.
    let group = unsafe { libc::clone(first, top.cast(), flags, ptr::from_mut(&mut job).cast()) };
    let cloned = if group == -1 { Err(io::Error::last_os_error()) } else { Ok(()) };
    drop(mask);
    cloned.map_err(Refused::Clone)?;
    let in_order = reap(group);
    // SAFETY: as an ordinary read, but the compiler is not to assume that `job` is as we left it.
    let job = unsafe { ptr::read_volatile(&job) };
    if job.error != 0 {
        switch.disarm();
        if job.pid > 0 {
            reap(job.pid);
        }
        return Err(refusal(&job));
    }
    if !in_order || job.pid == 0 {
        end_half_made(job.pid);
        return Err(Refused::Clone(io::Error::other("the process that makes the session was killed")));
    }
    Ok(Spawned { pid: job.pid, group, switch })
}

fn refusal(job: &Job) -> Refused {
    let error = io::Error::from_raw_os_error(job.error);
    match job.step {
        None => Refused::Clone(error),
        Some(step) if step < job.steps => Refused::Setup(step, error),
        Some(_) => Refused::Exec(error),
    }
}

/// One more than the highest descriptor that a step needs.
fn above_all(setup: &[Setup]) -> u32 {
    let highest = setup.iter().map(|step| match *step {
        Setup::Duplicate { from, to } => from.max(to),
        Setup::Inherit(fd) => fd,
        _ => 2,
    });
    highest.fold(2, i32::max) as u32 + 1
}

/// Whether it exited with 0, as the first child does unless somebody kills it.
fn reap(pid: i32) -> bool {
    let mut status = 0;
    // SAFETY: `status` is ours to be written; __WALL waits for a child whatever signal it sends.
    while unsafe { libc::waitpid(pid, &mut status, libc::__WALL) } == -1 {
        if super::errno() != libc::EINTR {
            return true;
        }
    }
    status == 0
}

/// The second child, whose maker was killed: it may run in our memory still, so it must be gone before we go on.
fn end_half_made(pid: i32) {
    if pid > 0 {
        // SAFETY: numbers only; a child of ours that is not reaped yet, so the pid is its own.
        unsafe { libc::kill(pid, libc::SIGKILL) };
        reap(pid);
    }
}

fn pointers(items: impl Iterator<Item = *mut libc::c_char>) -> Vec<*mut libc::c_char> {
    items.chain([ptr::null_mut()]).collect()
}

/// The staging child: the session's leader, for as long as the second needs to be executed.
extern "C" fn first(job: *mut c_void) -> libc::c_int {
    // SAFETY: `job` is the launcher's, which is suspended; nobody else uses it meanwhile.
    let job = unsafe { &mut *job.cast::<Job>() };
    // SAFETY: a fresh child leads no group, so this cannot fail.
    let session = unsafe { libc::setsid() };
    for fd in job.switch {
        if own(fd, Target::Group(session)).is_err() {
            job.error = super::errno();
        }
    }
    if job.error == 0 {
        take_table(job);
    }
    if job.error == 0 {
        // The kernel writes the pid before the child runs: it is known even if this process is killed meanwhile.
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
        let flags = if job.has_table { flags | libc::CLONE_FILES } else { flags };
        let pid = ptr::from_mut(&mut job.pid);
        // SAFETY: the lower half of the launcher's buffer; our own frames are in the upper half.
        let stack = unsafe { job.stack.add(STACK) };
        // SAFETY: VFORK suspends us until the second child has been executed or has ended.
        if unsafe { libc::clone(second, stack.cast(), flags, ptr::from_mut(job).cast(), pid) } == -1 {
            job.error = super::errno();
        }
    }
    // SAFETY: ends this child alone, without destructors or exit handlers of the launcher's.
    unsafe { libc::_exit(0) }
}

/// The server's descriptors, in a table of the first child's own that ends above them. The second leaves what follows
/// its own behind, and nobody but the end of the first has to close it: of a caller with thousands of descriptors, none
/// is copied if ours are the lowest, and none is closed while somebody waits.
fn take_table(job: &mut Job) {
    job.has_table = leave(job.above);
    if !job.has_table {
        // Before Linux 5.9, or in a sandbox: the second is born with a copy.
        return;
    }
    for step in 0..job.steps {
        let setup = step_of(job, step);
        if matches!(setup, Setup::Duplicate { .. }) && !carry_out(setup, job.variables) {
            (job.step, job.error) = (Some(step), super::errno());
            return;
        }
    }
}

/// One of its steps, by its number.
fn step_of(job: &Job, step: usize) -> &Setup {
    // SAFETY: `setup` points to `steps` steps.
    let setup = unsafe { job.setup.add(step) };
    // SAFETY: as above; they live until the launcher is resumed, and nobody changes them.
    unsafe { &*setup }
}

/// A table of one's own in the place of a shared one, of the descriptors below this number; false if it cannot be had.
fn leave(from: u32) -> bool {
    // SAFETY: numbers only, and a shared table is not changed.
    unsafe { libc::syscall(libc::SYS_close_range, from, u32::MAX, libc::CLOSE_RANGE_UNSHARE) == 0 }
}

/// The server to be.
extern "C" fn second(job: *mut c_void) -> libc::c_int {
    // SAFETY: the launcher and the first child are suspended; nobody else uses `job` meanwhile.
    let job = unsafe { &mut *job.cast::<Job>() };
    for step in 0..job.steps {
        job.step = Some(step);
        let setup = step_of(job, step);
        let done = match *setup {
            Setup::Duplicate { .. } if job.has_table => true,
            Setup::Close { first, last: u32::MAX } if job.has_table && leave(first) => true,
            _ => carry_out(setup, job.variables),
        };
        if !done {
            return fail(job);
        }
    }
    job.step = Some(job.steps);
    calm_signals(job);
    // SAFETY: all three are null-terminated as execve wants them.
    unsafe { libc::execve(job.program, job.arguments, job.environment) };
    fail(job)
}

fn fail(job: &mut Job) -> libc::c_int {
    job.error = super::errno().max(1);
    // SAFETY: as in `first`.
    unsafe { libc::_exit(127) }
}

/// Handlers are undone before any signal is let in: none of the launcher's may run in a child that shares its memory.
fn calm_signals(job: &Job) {
    // SAFETY: all zeros is SIG_DFL with an empty mask.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    for n in 0..job.changed_len {
        // SAFETY: `changed` points to `changed_len` numbers.
        let signal = unsafe { job.changed.add(n) };
        // SAFETY: as above; nobody changes them.
        let signal = unsafe { *signal };
        // SAFETY: changes this child's table only (no CLONE_SIGHAND).
        unsafe { libc::sigaction(signal, &default, ptr::null_mut()) };
    }
    // SAFETY: `sa_mask` of the zeroed action is the empty set.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &default.sa_mask, ptr::null_mut()) };
}

/// Raw calls where libc's would speak to the launcher's other threads, as for users and groups (nptl(7)).
fn carry_out(setup: &Setup, variables: *const *mut u8) -> bool {
    #[allow(clippy::multiple_unsafe_ops_per_block)] // one arm, one call
    // SAFETY: each call gets numbers, or pointers into the plan, which lives until the launcher is resumed.
    unsafe {
        match *setup {
            Setup::Duplicate { from, to } => libc::dup2(from, to) != -1,
            Setup::Close { first, last } => close_range(first, last),
            Setup::Inherit(fd) => libc::fcntl(fd, libc::F_SETFD, 0) != -1,
            Setup::Umask(mask) => libc::syscall(libc::SYS_umask, mask) != -1,
            Setup::Directory(ref path) => libc::chdir(path.as_ptr()) != -1,
            Setup::Limit(resource, soft, hard) => {
                let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
                libc::syscall(libc::SYS_prlimit64, 0, resource, ptr::from_ref(&limit), 0) != -1
            }
            Setup::Nice(nice) => libc::syscall(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, nice) != -1,
            Setup::Groups(ref groups) => libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) != -1,
            Setup::Group(gid) => libc::syscall(libc::SYS_setresgid, gid, gid, gid) != -1,
            Setup::User(uid) => become_user(uid),
            Setup::Pid { variable, at } => super::write_pid((*variables.add(variable)).add(at)),
        }
    }
}

fn become_user(uid: u32) -> bool {
    // SAFETY: numbers only.
    let changed = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) } != -1;
    if !changed || uid == 0 {
        return changed;
    }
    // SAFETY: numbers only; that it is refused is what we want to see.
    let back = unsafe { libc::syscall(libc::SYS_setresuid, 0, 0, 0) } != -1;
    set_errno(libc::EPERM);
    !back
}

/// Closes descriptors of which nobody in this process owns any: for a program, what it has inherited. Where that takes
/// more than one call, nothing is done.
pub fn close_inherited(numbers: std::ops::RangeInclusive<u32>) {
    // SAFETY: numbers only.
    unsafe { libc::syscall(libc::SYS_close_range, *numbers.start(), *numbers.end(), 0) };
}

/// close_range(2) is there since Linux 5.9; before, and where a sandbox refuses it, one by one up to the limit.
fn close_range(first: u32, last: u32) -> bool {
    // SAFETY: numbers only, in this child's own table.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return true;
    }
    // SAFETY: all zeros is a valid rlimit.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: `limit` is ours to be written.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    // A limit of a thousand million, as some containers have it, does not mean that many are open.
    for fd in u64::from(first)..=u64::from(last).min(limit.rlim_cur).min(1 << 20) {
        // SAFETY: closes a number of this child's own table, which is to be executed away.
        unsafe { libc::close(fd as RawFd) };
    }
    true
}
