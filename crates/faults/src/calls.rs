//! System calls: their names, and the errors that fit to them.

use libc::{
    EACCES, EADDRINUSE, EAGAIN, EBUSY, ECHILD, EINTR, EINVAL, EIO, EMFILE, ENFILE, ENOLCK, ENOMEM, ENOSPC, ENOSYS,
    EPERM,
};

const OPEN: &[i32] = &[EMFILE, EINTR, EACCES, EIO, ENFILE];
const DESCRIPTOR: &[i32] = &[EMFILE, ENOMEM, ENFILE];
const READ: &[i32] = &[EIO, EINTR];
const WRITE: &[i32] = &[ENOSPC, EINTR, EIO];
const MEMORY: &[i32] = &[ENOMEM];
const LOOK: &[i32] = &[EACCES, EIO, ENOMEM];
const CHANGE: &[i32] = &[EACCES, ENOSPC, EIO];
const MESSAGE: &[i32] = &[EINTR, ENOMEM, EAGAIN];
const NEW: &[i32] = &[EAGAIN, ENOMEM, EPERM];
const ODD: &[i32] = &[EINVAL, EPERM];
const NEVER: &[i32] = &[];

macro_rules! calls {
    ($($name:ident $errors:expr),* $(,)?) => {
        /// The name of a call, and the errors that fit.
        fn known(number: i64) -> Option<(&'static str, &'static [i32])> {
            $(if number == libc::$name { return Some((stringify!($name), $errors)); })*
            None
        }

        /// The number of a call.
        fn numbered(name: &str) -> Option<i64> {
            $(if stringify!($name).strip_prefix("SYS_") == Some(name) { return Some(libc::$name); })*
            None
        }
    };
}

calls! {
    SYS_openat OPEN, SYS_read READ, SYS_pread64 READ, SYS_write WRITE, SYS_pwrite64 WRITE, SYS_writev WRITE,
    SYS_close &[EIO, EINTR], SYS_fstat LOOK, SYS_newfstatat LOOK, SYS_statx LOOK, SYS_lseek &[EIO],
    SYS_mmap MEMORY, SYS_munmap MEMORY, SYS_mprotect MEMORY, SYS_brk MEMORY, SYS_mremap MEMORY, SYS_madvise MEMORY,
    SYS_rt_sigaction &[EINVAL], SYS_rt_sigprocmask &[EINVAL], SYS_sigaltstack MEMORY, SYS_rt_sigreturn NEVER,
    SYS_ioctl &[EIO, EINTR], SYS_fcntl &[EMFILE, EINVAL], SYS_flock &[ENOLCK, EINTR], SYS_ftruncate WRITE,
    SYS_socket DESCRIPTOR, SYS_socketpair DESCRIPTOR, SYS_pipe2 DESCRIPTOR, SYS_dup DESCRIPTOR, SYS_dup3 &[EBUSY, EMFILE],
    SYS_bind &[EADDRINUSE, EACCES, ENOMEM], SYS_listen &[EADDRINUSE], SYS_connect &[EACCES, EINTR, EAGAIN],
    SYS_sendto MESSAGE, SYS_sendmsg MESSAGE, SYS_recvfrom MESSAGE, SYS_recvmsg MESSAGE, SYS_accept4 DESCRIPTOR,
    SYS_setsockopt MEMORY, SYS_getsockopt MEMORY, SYS_getsockname MEMORY,
    SYS_clone NEW, SYS_clone3 NEW, SYS_execve &[ENOMEM, EACCES, EMFILE], SYS_wait4 &[EINTR, ECHILD],
    SYS_waitid &[EINTR, ECHILD], SYS_kill ODD, SYS_setsid &[EPERM], SYS_prctl ODD, SYS_prlimit64 ODD,
    SYS_ppoll &[EINTR, ENOMEM], SYS_pidfd_open &[EMFILE, ENOSYS, EPERM], SYS_pidfd_send_signal &[EPERM, ENOSYS],
    SYS_close_range &[ENOSYS, EMFILE], SYS_splice &[EAGAIN, ENOMEM, EINVAL], SYS_memfd_create DESCRIPTOR,
    SYS_chdir LOOK, SYS_getcwd LOOK, SYS_umask NEVER, SYS_mkdirat CHANGE, SYS_unlinkat CHANGE, SYS_renameat CHANGE,
    SYS_renameat2 CHANGE, SYS_fchmodat CHANGE, SYS_fchmod CHANGE, SYS_readlinkat LOOK, SYS_faccessat LOOK,
    SYS_faccessat2 LOOK, SYS_getdents64 &[EIO], SYS_getrandom &[EINTR, EAGAIN], SYS_exit NEVER, SYS_exit_group NEVER,
    SYS_getpid NEVER, SYS_gettid NEVER, SYS_geteuid NEVER, SYS_getuid NEVER, SYS_getegid NEVER, SYS_getgid NEVER,
    SYS_sched_getaffinity &[EINVAL], SYS_clock_gettime &[EINVAL], SYS_getpgid ODD, SYS_set_tid_address NEVER,
    SYS_set_robust_list &[EINVAL], SYS_rseq &[ENOSYS], SYS_futex &[EINTR, EAGAIN], SYS_clock_nanosleep &[EINTR],
    SYS_timer_create &[EAGAIN], SYS_timer_settime &[EINVAL], SYS_uname NEVER, SYS_execveat &[ENOMEM],
}

/// The calls that only this architecture has.
#[cfg(target_arch = "x86_64")]
mod older {
    use super::*;
    calls! {
        SYS_open OPEN, SYS_stat LOOK, SYS_lstat LOOK, SYS_access LOOK, SYS_dup2 &[EBUSY, EMFILE], SYS_poll &[EINTR, ENOMEM],
        SYS_mkdir CHANGE, SYS_unlink CHANGE, SYS_rename CHANGE, SYS_chmod CHANGE, SYS_readlink LOOK, SYS_rmdir CHANGE,
        SYS_fork NEW, SYS_vfork NEW, SYS_arch_prctl &[EINVAL], SYS_pipe DESCRIPTOR,
    }
    pub(super) fn number(name: &str) -> Option<i64> {
        numbered(name)
    }
    pub(super) fn named(number: i64) -> Option<(&'static str, &'static [i32])> {
        known(number)
    }
}

fn named(number: i64) -> Option<(&'static str, &'static [i32])> {
    #[cfg(target_arch = "x86_64")]
    return known(number).or_else(|| older::named(number));
    #[cfg(not(target_arch = "x86_64"))]
    known(number)
}

/// The number of the call of this name.
#[must_use]
pub fn number(name: &str) -> Option<i64> {
    #[cfg(target_arch = "x86_64")]
    return numbered(name).or_else(|| older::number(name));
    #[cfg(not(target_arch = "x86_64"))]
    numbered(name)
}

/// What a call is called.
#[must_use]
pub fn name(number: i64) -> String {
    named(number).map_or_else(|| format!("call {number}"), |(name, _)| name.trim_start_matches("SYS_").into())
}

/// The errors that a call is made to fail with.
#[must_use]
pub fn errors(number: i64) -> &'static [i32] {
    named(number).map_or(&[EIO], |(_, errors)| errors)
}

/// Whether it sends a message.
#[must_use]
pub fn sends(number: i64) -> bool {
    [libc::SYS_sendto, libc::SYS_sendmsg].contains(&number)
}

/// What an error is called.
#[must_use]
pub fn error_name(error: i32) -> &'static str {
    let names = [
        (EACCES, "EACCES"),
        (EADDRINUSE, "EADDRINUSE"),
        (EAGAIN, "EAGAIN"),
        (EBUSY, "EBUSY"),
        (ECHILD, "ECHILD"),
        (EINTR, "EINTR"),
        (EINVAL, "EINVAL"),
        (EIO, "EIO"),
        (EMFILE, "EMFILE"),
        (ENFILE, "ENFILE"),
        (ENOLCK, "ENOLCK"),
        (ENOMEM, "ENOMEM"),
        (ENOSPC, "ENOSPC"),
        (ENOSYS, "ENOSYS"),
        (EPERM, "EPERM"),
    ];
    names.iter().find(|(number, _)| *number == error).map_or("?", |(_, name)| name)
}
