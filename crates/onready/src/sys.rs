//! The only place with `unsafe`: what neither std nor rustix offers, one thin function a system call.
#![allow(unsafe_code)]

mod clock;
mod descriptors;
mod plan;
#[cfg(target_os = "linux")]
#[path = "sys/linux.rs"]
mod platform;
#[cfg(not(target_os = "linux"))]
#[path = "sys/other.rs"]
mod platform;
#[cfg(target_os = "linux")]
mod switch;

pub use clock::clock;
pub use descriptors::*;
pub use plan::*;
pub use platform::*;

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// The numbers of all signals whose disposition can be asked for and changed.
pub fn signals() -> impl Iterator<Item = i32> {
    (1..=LAST_SIGNAL).filter(|signal| !matches!(*signal, libc::SIGKILL | libc::SIGSTOP | 32 | 33))
}

/// Takes ownership of a descriptor that this process inherited, or `None` if the number is not open.
pub fn claim_fd(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: F_GETFD only reads a flag of a number; a closed one gives EBADF.
    let open = unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1;
    // SAFETY: the number is open, came to us by exec, and the caller claims it once: nobody else owns it.
    open.then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Looks at a descriptor by its number, without owning it.
pub fn borrow_fd(fd: RawFd) -> Option<BorrowedFd<'static>> {
    // SAFETY: F_GETFD only reads a flag of a number; a closed one gives EBADF.
    let open = unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1;
    // SAFETY: the number is open; the caller only looks at it, at once.
    open.then(|| unsafe { BorrowedFd::borrow_raw(fd) })
}

/// A variable of a child's environment: `NAME=VALUE`. What is inherited is not copied: it may be a mebibyte.
#[derive(Debug)]
pub enum Variable {
    /// One of ours, where it lies.
    Inherited(&'static CStr),
    /// One made for the child; once finished, with a zero byte, and room for a pid where a step writes one.
    Own(Vec<u8>),
}

impl Variable {
    /// Its bytes, without the zero byte.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Variable::Inherited(text) => text.to_bytes(),
            Variable::Own(text) => text,
        }
    }

    /// The value, if this is its name.
    pub fn value_of(&self, name: &[u8]) -> Option<&[u8]> {
        self.bytes().strip_prefix(name)?.strip_prefix(b"=")
    }

    /// Ends it as C wants it.
    ///
    /// # Errors
    /// It holds a zero byte.
    pub fn finish(&mut self) -> io::Result<()> {
        let Variable::Own(text) = self else { return Ok(()) };
        if text.contains(&0) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a variable holds a zero byte"));
        }
        text.push(0);
        Ok(())
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        match self {
            Variable::Inherited(text) => text.as_ptr().cast_mut().cast(),
            Variable::Own(text) => text.as_mut_ptr(),
        }
    }
}

unsafe extern "C" {
    static environ: *const *const libc::c_char;
}

/// The variables of this process, where they lie. As with posix_spawn(3) and `environ`, nobody may change them before
/// the child is executed; Rust's own `set_var` is unsafe for this very reason.
pub fn environment() -> Vec<&'static CStr> {
    let mut variables = Vec::new();
    // SAFETY: `environ` is null or a null-terminated array.
    let mut at = unsafe { environ };
    // SAFETY: inside that array, up to and including its null.
    while let Some(text) = (!at.is_null()).then(|| unsafe { *at }).filter(|text| !text.is_null()) {
        // SAFETY: its entries are C strings that live until somebody changes the environment.
        variables.push(unsafe { CStr::from_ptr(text) });
        // SAFETY: `*at` was not the null at the end.
        at = unsafe { at.add(1) };
    }
    variables
}

/// What a process does on a signal, as it was before a change.
pub struct Disposition {
    signal: i32,
    before: libc::sigaction,
}

impl Drop for Disposition {
    fn drop(&mut self) {
        // SAFETY: `before` is what the kernel gave for this very signal.
        unsafe { libc::sigaction(self.signal, &self.before, ptr::null_mut()) };
    }
}

fn disposition(signal: i32) -> Option<libc::sigaction> {
    // SAFETY: all zeros is a valid sigaction (SIG_DFL, no flags, empty mask).
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only asks; `now` is ours to be written.
    let asked = unsafe { libc::sigaction(signal, ptr::null(), &mut now) };
    (asked == 0).then_some(now)
}

/// Signals whose disposition is not the default: what a child must put right before its exec.
pub fn changed_signals() -> Vec<i32> {
    let changed = |&signal: &i32| disposition(signal).is_some_and(|now| now.sa_sigaction != libc::SIG_DFL);
    signals().filter(changed).collect()
}

fn replace(signal: i32, handler: libc::sighandler_t) -> Option<Disposition> {
    let before = disposition(signal)?;
    let mut after = before;
    after.sa_sigaction = handler;
    after.sa_flags = 0;
    // SAFETY: `after` is a valid action: SIG_IGN, SIG_DFL, or `note`, which is async-signal-safe.
    unsafe { libc::sigaction(signal, &after, ptr::null_mut()) };
    Some(Disposition { signal, before })
}

/// Ignores a signal until the result is dropped.
pub fn ignore(signal: i32) -> Option<Disposition> {
    replace(signal, libc::SIG_IGN)
}

/// Where caught signals are noted: a pipe for each launcher that waits in this process, or -1.
static NOTES: [AtomicI32; 256] = [const { AtomicI32::new(-1) }; 256];
/// How many handlers are at work, in whatever threads.
static NOTING: AtomicUsize = AtomicUsize::new(0);

extern "C" fn note(signal: libc::c_int) {
    NOTING.fetch_add(1, Ordering::SeqCst);
    let saved = errno();
    let byte = signal as u8;
    for pipe in NOTES.iter().map(|pipe| pipe.load(Ordering::SeqCst)).filter(|&pipe| pipe >= 0) {
        // SAFETY: write(2) is async-signal-safe; a full pipe only loses a note, of which there are enough then.
        unsafe { libc::write(pipe, ptr::from_ref(&byte).cast(), 1) };
    }
    set_errno(saved);
    NOTING.fetch_sub(1, Ordering::SeqCst);
}

/// A place in the list of pipes that caught signals are written to, each as one byte.
pub struct Notes(&'static AtomicI32);

impl Notes {
    /// From now on they go to this pipe, too, which does not block; `None` if there are too many.
    pub fn to(pipe: BorrowedFd<'_>) -> Option<Notes> {
        let fd = pipe.as_raw_fd();
        let free = |place: &&AtomicI32| place.compare_exchange(-1, fd, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        NOTES.iter().find(free).map(Notes)
    }
}

impl Drop for Notes {
    /// When this returns, no handler knows the pipe's number any more: it may be closed, and be another file's.
    fn drop(&mut self) {
        self.0.store(-1, Ordering::SeqCst);
        while NOTING.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
    }
}

/// Catches a signal until the result is dropped, unless it is ignored; see [`Notes`].
pub fn catch(signal: i32) -> Option<Disposition> {
    let ignored = disposition(signal)?.sa_sigaction == libc::SIG_IGN;
    if ignored { None } else { replace(signal, note as *const () as libc::sighandler_t) }
}

/// Sees to it that children leave their exit status to us, until the result is dropped; a handler stays.
///
/// # References
/// wait(2), sigaction(2): SA_NOCLDWAIT
pub fn keep_children() -> Option<Disposition> {
    let now = disposition(libc::SIGCHLD)?;
    let lost = now.sa_sigaction == libc::SIG_IGN || now.sa_flags & libc::SA_NOCLDWAIT != 0;
    if lost { replace(libc::SIGCHLD, libc::SIG_DFL) } else { None }
}

/// Sends this process a signal that it had caught for a while.
pub fn raise(signal: i32) {
    let own = std::process::id() as libc::pid_t;
    // SAFETY: no memory is passed.
    unsafe { libc::kill(own, signal) };
}

/// The signal mask of this thread, as it was before a change.
pub struct Mask(libc::sigset_t);

impl Drop for Mask {
    fn drop(&mut self) {
        // SAFETY: the set was filled by the kernel.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, ptr::null_mut()) };
    }
}

fn change_mask(how: i32, signals: &[i32]) -> Mask {
    // SAFETY: sigset_t is plain bits; all zeros is the empty set.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    for &signal in signals {
        // SAFETY: `set` is a valid set; a wrong number is refused.
        unsafe { libc::sigaddset(&mut set, signal) };
    }
    let mut before = set;
    // SAFETY: both sets are ours and valid.
    unsafe { libc::pthread_sigmask(how, &set, &mut before) };
    Mask(before)
}

/// Lets these signals in (to the calling thread) until the result is dropped.
pub fn unblock(signals: &[i32]) -> Mask {
    change_mask(libc::SIG_UNBLOCK, signals)
}

/// Keeps all signals out (of the calling thread) until the result is dropped.
pub fn block_all() -> Mask {
    change_mask(libc::SIG_SETMASK, &signals().collect::<Vec<_>>())
}

/// Sleeps until one of the descriptors has something to tell, a signal comes, or the time is over.
///
/// # References
/// ppoll(2)
pub fn poll(fds: &mut [libc::pollfd], limit: Option<std::time::Duration>) {
    for entry in fds.iter_mut() {
        entry.revents = 0;
    }
    platform::poll(fds, limit);
}

/// Whether a descriptor can be read from or written to (POLLIN, POLLOUT) right now.
pub fn is_now(fd: BorrowedFd<'_>, events: i16) -> bool {
    let mut fds = [libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 }];
    poll(&mut fds, Some(std::time::Duration::ZERO));
    fds[0].revents != 0
}

/// Whether a descriptor can be written to within this time, or says at once why not.
pub fn can_write(fd: BorrowedFd<'_>, limit: std::time::Duration) -> bool {
    let until = std::time::Instant::now() + limit;
    let mut fds = [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 }];
    loop {
        let left = until.saturating_duration_since(std::time::Instant::now());
        poll(&mut fds, Some(left));
        if fds[0].revents != 0 || left.is_zero() {
            return fds[0].revents != 0;
        }
    }
}

/// Writes out what C code of this process has left in its stdio buffers.
pub fn flush_c_streams() {
    // SAFETY: a null stream means all of them.
    unsafe { libc::fflush(ptr::null_mut()) };
}

/// Writes our pid as digits and a zero byte, in a child before its exec; the plan has left room for eleven.
fn write_pid(mut at: *mut u8) -> bool {
    // SAFETY: no memory is passed.
    let pid = unsafe { libc::getpid() }.unsigned_abs();
    let mut divisor = 1_000_000_000;
    while divisor > 1 && pid / divisor == 0 {
        divisor /= 10;
    }
    while divisor > 0 {
        // SAFETY: at most ten digits are written into room for eleven.
        unsafe { *at = b'0' + (pid / divisor % 10) as u8 };
        // SAFETY: stays inside that room.
        at = unsafe { at.add(1) };
        divisor /= 10;
    }
    // SAFETY: the eleventh byte.
    unsafe { *at = 0 };
    true
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Changes the groups of all threads (the raw system call would change one).
///
/// # References
/// setgroups(2), setgid(2), nptl(7)
pub fn set_groups(groups: &[u32], gid: u32) -> io::Result<()> {
    // SAFETY: the pointer and the length are of one slice.
    check(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) })?;
    // SAFETY: no memory is passed.
    check(unsafe { libc::setregid(gid, gid) })
}

/// Changes the user of all threads, real, effective and saved: there is no way back.
///
/// # References
/// setreuid(2), nptl(7)
pub fn set_user(uid: u32) -> io::Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::setreuid(uid, uid) })
}

/// Tries to become root again; that it fails is what a dropped privilege means.
pub fn could_return_to_root() -> bool {
    // SAFETY: no memory is passed.
    unsafe { libc::setuid(0) == 0 }
}

/// An entry of the user database: uid and primary gid.
pub fn user(name: &CStr) -> Option<(u32, u32)> {
    let mut buffer = vec![0; 16 * 1024];
    // SAFETY: passwd is pointers and numbers; all zeros is valid until it is filled.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut found = ptr::null_mut();
    // SAFETY: all pointers are to live buffers of the lengths told; the result points into them.
    unsafe { libc::getpwnam_r(name.as_ptr(), &mut entry, buffer.as_mut_ptr().cast(), buffer.len(), &mut found) };
    (!found.is_null()).then_some((entry.pw_uid, entry.pw_gid))
}

/// An entry of the user database by number: its name and primary gid.
pub fn user_by_id(uid: u32) -> Option<(std::ffi::CString, u32)> {
    let mut buffer = vec![0; 16 * 1024];
    // SAFETY: as in `user`.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut found = ptr::null_mut();
    // SAFETY: as in `user`.
    unsafe { libc::getpwuid_r(uid, &mut entry, buffer.as_mut_ptr().cast(), buffer.len(), &mut found) };
    if found.is_null() {
        return None;
    }
    // SAFETY: a found entry's name is a C string inside `buffer`, which still lives.
    let name = unsafe { CStr::from_ptr(entry.pw_name) };
    Some((name.to_owned(), entry.pw_gid))
}

/// An entry of the group database: its gid.
pub fn group(name: &CStr) -> Option<u32> {
    let mut buffer = vec![0; 64 * 1024];
    // SAFETY: as in `user`.
    let mut entry: libc::group = unsafe { std::mem::zeroed() };
    let mut found = ptr::null_mut();
    // SAFETY: as in `user`.
    unsafe { libc::getgrnam_r(name.as_ptr(), &mut entry, buffer.as_mut_ptr().cast(), buffer.len(), &mut found) };
    (!found.is_null()).then_some(entry.gr_gid)
}

/// All groups that a user is in, `gid` among them.
///
/// # References
/// getgrouplist(3)
#[allow(clippy::unnecessary_cast)] // groups are signed on macOS
pub fn group_list(name: &CStr, gid: u32) -> Vec<u32> {
    let mut count: libc::c_int = 64;
    let mut groups = vec![gid as GroupNumber; count as usize];
    // SAFETY: `groups` has room for `count`; on too little the needed number is written to `count`.
    if unsafe { libc::getgrouplist(name.as_ptr(), gid as GroupNumber, groups.as_mut_ptr(), &mut count) } == -1 {
        groups.resize(count.max(0) as usize, gid as GroupNumber);
        // SAFETY: as above, with the number that was asked for.
        unsafe { libc::getgrouplist(name.as_ptr(), gid as GroupNumber, groups.as_mut_ptr(), &mut count) };
    }
    groups.truncate(count.max(0) as usize);
    groups.into_iter().map(|group| group as u32).collect()
}
