//! What time it is.

/// What a clock says, `None` for one that is not known: the C library's call, since rustix would look for the kernel's
/// own once more.
///
/// # References
/// clock_gettime(2)
pub fn clock(id: libc::clockid_t) -> Option<std::time::Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours to be written; an unknown clock gives EINVAL.
    let read = unsafe { libc::clock_gettime(id, &mut time) };
    (read == 0).then(|| std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}
