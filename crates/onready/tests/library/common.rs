//! How the tests start servers and look at them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
pub use testbed::{Finished, Process, Pty, Run, Sandbox, Setup, Stream};

/// Far more than anything here takes; a test that needs it fails.
pub const LONG: Duration = Duration::from_secs(30);
/// What is still "at once" on a machine that does much else.
pub const AT_ONCE: Duration = Duration::from_secs(15);

/// A program that cargo has built from `examples` (or, `script`, from `tests/servers`) for this run.
#[track_caller]
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the running test");
    // target/PROFILE/deps/library-HASH
    let path = test.ancestors().nth(2).expect("target/PROFILE").join("examples").join(name);
    assert!(path.exists(), "{} is not there: cargo build -p onready --examples", path.display());
    path
}

/// A server that goes through these steps.
pub fn server<W: AsRef<OsStr>>(sandbox: &Sandbox, steps: impl IntoIterator<Item = W>) -> Command {
    let mut command = sandbox.command(example("script"));
    command.args(steps);
    command
}

/// Runs `daemonize` and these steps, until the launcher has ended.
#[track_caller]
pub fn daemonize(sandbox: &Sandbox, steps: &[&str]) -> Finished {
    Run::new(server(sandbox, [&["daemonize"], steps].concat())).done()
}

/// The pid that the server said (`say-pid`).
#[track_caller]
pub fn pid(run: &Finished) -> i32 {
    value(&run.out(), "pid").parse().expect("a pid")
}

/// What a report, or the output, has behind `KEY=`.
#[track_caller]
pub fn value(text: &str, key: &str) -> String {
    let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {key}= in {text:?}")).to_owned()
}

/// What `/proc` says about a server that lives.
#[track_caller]
pub fn look_at(pid: i32) -> Process {
    Process::of(pid).unwrap_or_else(|error| panic!("the server {pid} is not there: {error}"))
}

/// The same as soon as it has `count` descriptors: the channel is closed after the launcher was told.
#[track_caller]
pub fn look_at_with(pid: i32, count: usize) -> Process {
    let since = std::time::Instant::now();
    loop {
        let seen = look_at(pid);
        if seen.fds.len() == count {
            return seen;
        }
        assert!(since.elapsed() < AT_ONCE, "not {count} descriptors: {:?}", seen.fds);
        std::thread::yield_now();
    }
}

/// Ends a server of this test, and waits until it is gone.
#[track_caller]
pub fn stop(pid: i32) {
    assert!(testbed::kill(pid), "the server {pid} was gone already");
    assert!(testbed::wait_gone(pid, LONG), "the server {pid} survives SIGKILL");
}

/// The one server of a sandbox, which is all that is left of its launcher.
#[track_caller]
pub fn only_process(sandbox: &Sandbox) -> i32 {
    let all = sandbox.processes();
    assert_eq!(all.len(), 1, "one server and nothing else: {all:?}");
    all[0].0
}

/// Whether nobody holds a lock on an open file.
pub fn is_free(file: &std::fs::File) -> bool {
    use rustix::fs::{FlockOperation, flock};
    flock(file, FlockOperation::NonBlockingLockExclusive).and_then(|()| flock(file, FlockOperation::Unlock)).is_ok()
}

/// Whether this test may do what only root may; says so if not.
pub fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: {what} needs root");
    }
    root
}
