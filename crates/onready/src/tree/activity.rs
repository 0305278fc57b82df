//! Has anything been done? A gate that is cheap enough for every poll, and a measure of how long nothing was done.
//!
//! # References
//! clock_getcpuclockid(3), proc_pid_io(5)

use std::time::{Duration, Instant};

use super::{ProcPath, for_each_thread, number, read_start, stat_at};
use crate::sys::process_cpu_time;

/// What a server may do in any while and still be called quiet: a heartbeat. A redis that waits for its first client
/// wakes ten times a second and reads its own memory use from `/proc`; a Java machine wakes twenty times.
const IDLE_CPU_START: Duration = Duration::from_millis(1);
/// The part of one processor that a heartbeat may take: a fiftieth.
const IDLE_CPU_SHARE: u32 = 50;
/// Reads and writes that a heartbeat may make at once.
const IDLE_CALLS_START: u64 = 4;
/// Reads and writes that a heartbeat may make in a second.
const IDLE_CALLS_PER_SECOND: u64 = 40;
/// Bytes that a heartbeat may read or write with one such call, on average: less than a page of a data file.
const IDLE_BYTES_PER_CALL: u64 = 2048;

/// Asks whether any of some processes has run since the last time: the gate in front of all dearer looks.
///
/// A process can neither listen nor fork nor end without running, so while this says `false`, all that was known
/// of its descriptors and children still holds. The kernel brings the processor time of a thread up to date when the
/// thread stops to run and at every clock tick, so that one that runs without a pause is seen up to a tick (1 to
/// 10 ms) late.
#[derive(Debug, Default)]
pub struct Activity {
    seen: Vec<(i32, Option<Duration>)>,
}

impl Activity {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether any of these processes has run, come or gone since the last call; `true` at the first, and always
    /// where the kernel does not tell.
    ///
    /// About 0.4 us a process.
    pub fn changed(&mut self, pids: &[i32]) -> bool {
        let mut changed = self.seen.len() != pids.len();
        self.seen.resize(pids.len(), (0, None));
        for (seen, &pid) in self.seen.iter_mut().zip(pids) {
            let now = (pid, process_cpu_time(pid));
            changed |= now.1.is_none() || *seen != now;
            *seen = now;
        }
        changed
    }
}

/// What some processes have done so far, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Work {
    cpu: Duration,
    calls: u64,
    bytes: u64,
}

/// Measures for how long some processes have done nothing to speak of: next to no processor time, next to no reads and
/// writes, no process come or gone, no thread in uninterruptible sleep.
///
/// "Next to no" leaves room for the heartbeat of an idle server. About 6 us a process and look; with many threads,
/// 6 us a thread once all else is quiet.
#[derive(Debug, Default)]
pub struct Quiet {
    since: Option<Instant>,
    pids: Vec<i32>,
    before: Work,
}

impl Quiet {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Something happened that the processes' counters do not show, output say: count from the next look.
    pub fn disturb(&mut self) {
        self.since = None;
    }

    /// For how long these processes have been quiet at `now`, as far as the looks until now can tell: zero at the first
    /// look and whenever there was something. `None` when nothing can be known about them (they are gone, or there is
    /// no `/proc`).
    ///
    /// # References
    /// proc_pid_io(5)
    pub fn look(&mut self, pids: &[i32], now: Instant) -> Option<Duration> {
        let work = measure(pids)?;
        if let Some(since) = self.since {
            let passed = now.saturating_duration_since(since);
            if self.pids == pids && is_heartbeat(self.before, work, passed) && !any_blocked(pids) {
                return Some(passed);
            }
        }
        self.since = Some(now);
        self.before = work;
        self.pids.clear();
        self.pids.extend_from_slice(pids);
        Some(Duration::ZERO)
    }
}

/// Whether the difference is no more than an idle server's.
fn is_heartbeat(before: Work, after: Work, passed: Duration) -> bool {
    let calls = IDLE_CALLS_START + IDLE_CALLS_PER_SECOND * u64::try_from(passed.as_millis()).unwrap_or(0) / 1000;
    after.cpu.saturating_sub(before.cpu) <= IDLE_CPU_START + passed / IDLE_CPU_SHARE
        && after.calls.saturating_sub(before.calls) <= calls
        && after.bytes.saturating_sub(before.bytes) <= calls * IDLE_BYTES_PER_CALL
}

/// The sum over those processes of which anything is known, `None` if there are none.
fn measure(pids: &[i32]) -> Option<Work> {
    let mut total = None;
    for &pid in pids {
        let Some(cpu) = process_cpu_time(pid) else { continue };
        let sum: &mut Work = total.get_or_insert_with(Work::default);
        sum.cpu += cpu;
        // Another user's counters cannot be read; then processor time has to do.
        let (calls, bytes) = io_counters(pid).unwrap_or_default();
        sum.calls = sum.calls.saturating_add(calls);
        sum.bytes = sum.bytes.saturating_add(bytes);
    }
    total
}

/// Reads and writes of all threads of a process until now, and the bytes they moved (files, pipes and sockets alike).
fn io_counters(pid: i32) -> Option<(u64, u64)> {
    let mut buffer = [0; 512];
    let length = read_start(&ProcPath::new(format_args!("{pid}/io")), &mut buffer).ok()?;
    let value = |key: &[u8]| {
        let line = buffer[..length].split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(key))?;
        number::<u64>(line.trim_ascii())
    };
    let bytes = value(b"rchar:")?.saturating_add(value(b"wchar:")?);
    Some((value(b"syscr:")?.saturating_add(value(b"syscw:")?), bytes))
}

/// Whether any thread waits in the kernel for a disk or the like. Such a wait costs neither processor time nor, for
/// a mapped file or a sync, any bytes. Nor does being stopped by a signal, and who is stopped answers nobody.
fn any_blocked(pids: &[i32]) -> bool {
    pids.iter().any(|&pid| {
        let mut blocked = false;
        for_each_thread(pid, |tid| {
            let thread = stat_at(&ProcPath::new(format_args!("{pid}/task/{tid}/stat")));
            blocked |= thread.is_some_and(|thread| matches!(thread.state, b'D' | b'T'));
        });
        blocked
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(millis: u64, cpu_micros: u64, calls: u64, bytes: u64) -> bool {
        let work = Work { cpu: Duration::from_micros(cpu_micros), calls, bytes };
        is_heartbeat(Work::default(), work, Duration::from_millis(millis))
    }

    #[test]
    fn an_idle_server_is_quiet_and_a_starting_one_is_not() {
        assert!(after(0, 0, 0, 0));
        assert!(after(200, 500, 2, 700), "redis reads /proc/self/stat ten times a second");
        assert!(after(10_000, 25_000, 100, 35_000), "and goes on so");
        assert!(!after(200, 20_000, 0, 0), "a tenth of a processor");
        assert!(!after(200, 0, 100, 100), "a hundred small reads");
        assert!(!after(200, 0, 4, 4 << 20), "a few large ones");
        assert!(!after(7, 0, 10, 81_920), "postgres reads its files");
    }
}
