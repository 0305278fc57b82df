//! A command that runs, and the thread that records what it writes.

use crate::dump::write_chunks;
use crate::process::{holders, open_pid, own_pid, signed};
use crate::wait::poll_until;
use crate::{Chunk, Finished, Stream};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Signal, pidfd_send_signal};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A stream that is silent for so long after the exit, and still open, is held by somebody else.
const IDLE: Duration = Duration::from_millis(200);

/// After the exit, a stream that is never silent is read for so long.
const NOISE: Duration = Duration::from_secs(2);

/// Our ends of the command's streams.
pub(crate) struct Pipes {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

#[derive(Default)]
struct Seen {
    chunks: Vec<Chunk>,
    ends: [Option<Duration>; 2],
    exit: Option<(ExitStatus, Duration)>,
    overdue: bool,
    over: bool,
    holders: Vec<(i32, i32, String)>,
}

impl Seen {
    fn bytes(&self, stream: Stream) -> Vec<u8> {
        let of_stream = self.chunks.iter().filter(|chunk| chunk.stream == stream);
        let parts: Vec<&[u8]> = of_stream.map(|chunk| chunk.bytes.as_slice()).collect();
        parts.concat()
    }

    fn dump(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = write_chunks(&mut text, &self.chunks);
        text
    }
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Shared {
    fn change(&self, by: impl FnOnce(&mut Seen)) {
        by(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("the recorder does not panic")
    }

    /// Waits until `found` has an answer, the run is over, or the time has passed.
    fn wait<T>(&self, limit: Duration, found: impl Fn(&Seen) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + limit;
        let mut seen = self.lock();
        loop {
            if let Some(answer) = found(&seen) {
                return Ok(answer);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if seen.over || left.is_zero() {
                let why = if seen.over { "the run is over" } else { "not in time" };
                return Err(format!("{why}; seen so far:\n{}", seen.dump()));
            }
            seen = self.changed.wait_timeout(seen, left).expect("the recorder does not panic").0;
        }
    }
}

/// The thread's own things.
struct Recorder {
    child: Child,
    pidfd: Arc<OwnedFd>,
    streams: [Option<Box<dyn Source>>; 2],
    started: Instant,
    hard: Instant,
    shared: Arc<Shared>,
}

trait Source: Read + AsFd + Send {}
impl<T: Read + AsFd + Send> Source for T {}

impl Recorder {
    fn record(mut self) {
        let names = self.streams.each_ref().map(|stream| stream.as_ref().map(|s| link_of(s.as_fd())));
        let mut quiet_since = Instant::now();
        let mut exited: Option<Instant> = None;
        while exited.is_none() || self.streams.iter().any(Option::is_some) {
            let deadline = exited.map_or(self.hard, |at| (quiet_since + IDLE).min(at + NOISE));
            let [pid, out, err] = self.poll(exited.is_none(), deadline);
            if pid {
                exited = Some(Instant::now());
                quiet_since = Instant::now();
                self.reap();
            }
            if out || err {
                quiet_since = Instant::now();
                self.read(0, out);
                self.read(1, err);
            }
            if !(pid || out || err) || exited.is_some_and(|at| Instant::now() > at + NOISE) {
                if exited.is_some() {
                    break;
                }
                self.kill();
            }
        }
        let held = self.streams.iter().zip(names).filter(|(open, _)| open.is_some());
        let own = own_pid();
        let held: Vec<_> = held.flat_map(|(_, name)| holders(&name.unwrap_or_default())).collect();
        self.shared.change(|seen| {
            seen.holders = held.into_iter().filter(|(pid, ..)| *pid != own).collect();
            seen.over = true;
        });
    }

    /// Which of pidfd, stdout and stderr have something to say; none of them at the deadline.
    fn poll(&self, watch_pid: bool, deadline: Instant) -> [bool; 3] {
        let mut fds = Vec::new();
        let mut which = Vec::new();
        if watch_pid {
            fds.push(PollFd::new(&self.pidfd, PollFlags::IN));
            which.push(0);
        }
        for (at, stream) in self.streams.iter().enumerate() {
            if let Some(stream) = stream {
                fds.push(PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN));
                which.push(at + 1);
            }
        }
        poll_until(&mut fds, deadline).expect("poll the run's descriptors");
        let mut answer = [false; 3];
        for (fd, at) in fds.iter().zip(which) {
            answer[at] = !fd.revents().is_empty();
        }
        answer
    }

    fn read(&mut self, at: usize, has_something: bool) {
        let Some(stream) = self.streams[at].as_mut().filter(|_| has_something) else {
            return;
        };
        let mut buffer = vec![0; 65536];
        let count = stream.read(&mut buffer).unwrap_or(0);
        let now = self.started.elapsed();
        if count == 0 {
            self.streams[at] = None;
            return self.shared.change(|seen| seen.ends[at] = Some(now));
        }
        buffer.truncate(count);
        let stream = [Stream::Stdout, Stream::Stderr][at];
        self.shared.change(|seen| seen.chunks.push(Chunk { at: now, stream, bytes: buffer }));
    }

    fn reap(&mut self) {
        let at = self.started.elapsed();
        let status = self.child.wait().expect("wait for the run's own child");
        self.shared.change(|seen| seen.exit = Some((status, at)));
    }

    fn kill(&self) {
        // It may have ended by itself in this moment.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        self.shared.change(|seen| seen.overdue = true);
    }
}

fn link_of(fd: BorrowedFd<'_>) -> String {
    use std::os::fd::AsRawFd;
    let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    link.map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A command that has been started. Dropping it kills it.
pub struct Running {
    pid: i32,
    pidfd: Arc<OwnedFd>,
    stdin: Option<ChildStdin>,
    shared: Arc<Shared>,
    limit: Duration,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn watch(child: Child, pipes: Pipes, started: Instant, limit: Duration) -> Self {
        let pid = signed(child.id());
        // Nobody but the recorder reaps it, so the pid cannot be another one's yet.
        let pidfd = Arc::new(open_pid(pid).expect("pidfd of our own child"));
        let shared = Arc::new(Shared::default());
        let recorder = Recorder {
            child,
            pidfd: pidfd.clone(),
            streams: [Some(Box::new(pipes.stdout)), Some(Box::new(pipes.stderr))],
            started,
            hard: started + limit,
            shared: shared.clone(),
        };
        Self { pid, pidfd, stdin: pipes.stdin, shared, limit, thread: Some(std::thread::spawn(|| recorder.record())) }
    }

    /// The pid of the command.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a signal by name to the command alone; false when it has ended.
    ///
    /// # Panics
    ///
    /// When there is no signal of that name.
    #[track_caller]
    pub fn signal(&self, name: &str) -> bool {
        let number = crate::signal_number(name).unwrap_or(0);
        let signal = Signal::from_named_raw(number).unwrap_or_else(|| panic!("no signal {name:?}"));
        pidfd_send_signal(&self.pidfd, signal).is_ok()
    }

    /// Sends a signal by name to the command's process group, as Ctrl-C on a terminal does.
    ///
    /// # Panics
    ///
    /// When the command does not lead a group ([`Run::shared_group`](crate::Run::shared_group)).
    #[track_caller]
    pub fn signal_group(&self, name: &str) -> bool {
        use rustix::process::{Pid, getpgid, kill_process_group};
        let number = crate::signal_number(name).unwrap_or(0);
        let signal = Signal::from_named_raw(number).unwrap_or_else(|| panic!("no signal {name:?}"));
        let pid = Pid::from_raw(self.pid);
        let Ok(group) = getpgid(pid) else {
            return false;
        };
        assert!(Some(group) == pid, "{} does not lead a process group", self.pid);
        kill_process_group(group, signal).is_ok()
    }

    /// What has come on a stream so far.
    #[must_use]
    pub fn so_far(&self, stream: Stream) -> Vec<u8> {
        self.shared.lock().bytes(stream)
    }

    /// Waits until stdout holds a text, and returns all of stdout so far.
    ///
    /// # Panics
    ///
    /// When it does not come in time.
    #[track_caller]
    pub fn wait_stdout(&self, text: &str, limit: Duration) -> String {
        self.wait_text(Stream::Stdout, text, limit)
    }

    /// Waits until stderr holds a text, and returns all of stderr so far.
    ///
    /// # Panics
    ///
    /// When it does not come in time.
    #[track_caller]
    pub fn wait_stderr(&self, text: &str, limit: Duration) -> String {
        self.wait_text(Stream::Stderr, text, limit)
    }

    #[track_caller]
    fn wait_text(&self, stream: Stream, text: &str, limit: Duration) -> String {
        let found = |seen: &Seen| {
            let all = String::from_utf8_lossy(&seen.bytes(stream)).into_owned();
            all.contains(text).then_some(all)
        };
        let answer = self.shared.wait(limit, found);
        answer.unwrap_or_else(|why| panic!("no {text:?} on {stream:?}: {why}"))
    }

    /// Waits for the command's exit (not for the end of its streams); false if it still runs.
    #[must_use]
    pub fn wait_exit(&self, limit: Duration) -> bool {
        self.shared.wait(limit, |seen| seen.exit).is_ok()
    }

    /// Waits for the exit, then for the end of the streams or 200 ms of silence.
    ///
    /// # Panics
    ///
    /// When the command runs longer than its limit; the message shows all that it wrote.
    #[track_caller]
    pub fn done(mut self) -> Finished {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the recorder does not panic");
        }
        let seen = std::mem::take(&mut *self.shared.lock());
        let pid = self.pid;
        assert!(
            !seen.overdue,
            "pid {pid} did not end within {:?} and was killed; seen so far:\n{}",
            self.limit,
            seen.dump()
        );
        let (status, exited_at) = seen.exit.expect("the recorder waits for the exit");
        let [out_end, err_end] = seen.ends;
        let eof_at = out_end.zip(err_end).map(|(out, err)| out.max(err));
        Finished {
            pid,
            code: status.code(),
            signal: status.signal(),
            stdout: seen.bytes(Stream::Stdout),
            stderr: seen.bytes(Stream::Stderr),
            elapsed: exited_at,
            exited_at,
            stdout_eof_at: out_end,
            stderr_eof_at: err_end,
            eof_at,
            eof: eof_at.is_some(),
            stdin_held: self.stdin.as_ref().map(|pipe| has_reader(pipe.as_fd())),
            holders: seen.holders,
            chunks: seen.chunks,
        }
    }
}

/// A pipe's writing end reports an error as soon as nobody can read it any more.
fn has_reader(pipe: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(pipe, PollFlags::OUT)];
    poll_until(&mut fds, Instant::now()).expect("poll a pipe");
    !fds[0].revents().contains(PollFlags::ERR)
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // It may have ended already.
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
            let _ = thread.join();
        }
    }
}
