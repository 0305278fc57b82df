//! The one clock that is the same for all processes and goes on while the machine sleeps.
//!
//! # References
//! clock_gettime(2): CLOCK_BOOTTIME, proc_pid_stat(5): starttime

use crate::sys::clock;
use std::time::Duration;

/// Nanoseconds since boot, the time of suspension included.
pub(super) fn since_boot() -> u64 {
    #[cfg(target_os = "linux")]
    let now = clock(libc::CLOCK_BOOTTIME);
    #[cfg(not(target_os = "linux"))]
    let now = clock(libc::CLOCK_MONOTONIC);
    u64::try_from(now.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// How long ago a process started, whose start time is told in clock ticks since boot.
pub(in crate::verbs) fn since_start(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(per_second);
    Duration::from_nanos(since_boot().saturating_sub(u64::try_from(nanos).unwrap_or(u64::MAX)))
}
