//! Runs a command under ptrace(2): lists the system calls of it and its children, or makes exactly one of them fail,
//! or kills the process that is about to make it.
//!
//! strace counts calls for each process alone and injects into all of them; here one call of one process is meant:
//! the n-th call of the k-th process. When it has been hit, everything is let go of, and runs on untraced.

use crate::calls;
use crate::sys::{self, Stop};
use std::collections::HashMap;
use std::io;
use std::process::{Child, Command};

/// What happens at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with one of the errors that fit to it.
    Any,
    /// It fails with the n-th of the errors that fit to it.
    Error(usize),
    /// The process is killed before it is made.
    Kill,
    /// The server is killed, and dead, before the launcher makes it.
    KillServer,
}

/// The n-th call (from 0) of the k-th process (from 0, the command itself).
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Which process.
    pub process: usize,
    /// Which of its calls.
    pub call: usize,
    /// What is to happen there.
    pub fault: Fault,
}

/// Where a fault has happened.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The call.
    pub number: i64,
    /// The error, if it was made to fail.
    pub error: Option<i32>,
    /// How many messages the server had sent by then.
    pub sent: usize,
}

/// A command that has been traced.
pub struct Traced {
    /// The command; still to be waited for, unless `status` is there.
    pub child: Child,
    /// How it ended, if that was while it was traced.
    pub status: Option<i32>,
    /// The calls of each process, in the order of their making.
    pub calls: Vec<Vec<i64>>,
    /// Where the fault has happened; `None`: it was not reached.
    pub hit: Option<Hit>,
}

/// Which of the processes of a start is the server, in the order of their making.
pub const SERVER: usize = 2;

#[derive(Default)]
struct Tracees {
    index: HashMap<i32, usize>,
    /// Stopped before the event that tells whose child it is.
    early: Vec<i32>,
    calls: Vec<Vec<i64>>,
    server: Option<i32>,
}

impl Tracees {
    fn add(&mut self, pid: i32) {
        if self.calls.len() == SERVER {
            self.server = Some(pid);
        }
        self.index.insert(pid, self.calls.len());
        self.calls.push(Vec::new());
    }
}

/// Traces in a thread of its own: the kernel lets go of everything at its end.
///
/// # Errors
/// The command cannot be started.
pub fn trace(command: Command, target: Option<Target>) -> io::Result<Traced> {
    in_a_thread(command, move |child| run(child, target))
}

/// Starts a command that waits at its exec, and follows it in a thread of its own.
///
/// # Errors
/// The command cannot be started, or those of `follow`.
pub fn in_a_thread<T: Send + 'static>(
    mut command: Command,
    follow: impl FnOnce(Child) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let thread = std::thread::spawn(move || {
        sys::traced(&mut command);
        let child = command.spawn()?;
        drop(command);
        follow(child)
    });
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the tracer panicked")))
}

fn run(child: Child, target: Option<Target>) -> io::Result<Traced> {
    let main = child.id() as i32;
    let mut tracees = Tracees::default();
    tracees.add(main);
    let mut traced = Traced { child, status: None, calls: Vec::new(), hit: None };
    let mut pending: Option<(i32, i32)> = None;
    // What the launcher does after its server's death is looked at to its end.
    let mut bereaved = false;
    while traced.hit.is_none() || pending.is_some() || bereaved {
        let (pid, status) = sys::wait_any()?;
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            if bereaved && Some(pid) == tracees.server {
                let _ = sys::go_on(main, 0);
            }
            if pid == main {
                traced.status = Some(status);
                break;
            }
            continue;
        }
        if !tracees.index.contains_key(&pid) {
            tracees.early.push(pid);
            continue;
        }
        match stopped(pid, status, &mut tracees, target, &mut traced.hit)? {
            After::GoOn(signal) => drop(sys::go_on(pid, signal)),
            After::Fail(error) => {
                sys::suppress(pid)?;
                // brk(2) tells a failure by where the break still is, and never by an error.
                let is_brk = traced.hit.as_ref().is_some_and(|hit| hit.number == libc::SYS_brk);
                pending = Some((pid, if is_brk { 0 } else { error }));
                sys::go_on(pid, 0)?;
            }
            After::Answer => {
                if let Some((_, error)) = pending.take_if(|(waiting, _)| *waiting == pid) {
                    sys::answer(pid, error)?;
                } else {
                    let _ = sys::go_on(pid, 0);
                }
            }
            After::Killed => break,
            After::Bereaved => bereaved = true,
        }
    }
    traced.calls = tracees.calls;
    Ok(traced)
}

enum After {
    GoOn(i32),
    Fail(i32),
    Answer,
    Killed,
    Bereaved,
}

fn stopped(
    pid: i32,
    status: i32,
    tracees: &mut Tracees,
    target: Option<Target>,
    hit: &mut Option<Hit>,
) -> io::Result<After> {
    let signal = libc::WSTOPSIG(status);
    match (signal, status >> 16) {
        (libc::SIGTRAP, libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE) => {
            let child = sys::event_child(pid)?;
            tracees.add(child);
            sys::follow(pid)?;
            if tracees.early.contains(&child) {
                tracees.early.retain(|early| *early != child);
                let _ = sys::go_on(child, 0);
            }
            Ok(After::GoOn(0))
        }
        // The first exec is reported without an event, for the options are not set yet.
        (libc::SIGTRAP, _) => {
            let _ = sys::follow(pid);
            Ok(After::GoOn(0))
        }
        (libc::SIGSTOP, _) if tracees.calls[tracees.index[&pid]].is_empty() => Ok(After::GoOn(0)),
        (number, _) if number == libc::SIGTRAP | 0x80 => at_call(pid, tracees, target, hit),
        (signal, _) => Ok(After::GoOn(signal)),
    }
}

fn at_call(pid: i32, tracees: &mut Tracees, target: Option<Target>, hit: &mut Option<Hit>) -> io::Result<After> {
    let Stop::Entry(number, _) = sys::stop(pid)? else { return Ok(After::Answer) };
    let process = tracees.index[&pid];
    let call = tracees.calls[process].len();
    tracees.calls[process].push(number);
    let Some(target) = target.filter(|target| hit.is_none() && target.process == process && target.call == call) else {
        return Ok(After::GoOn(0));
    };
    let sent =
        sent(tracees.calls.get(2).map_or(&[], Vec::as_slice)) - usize::from(process == 2 && calls::sends(number));
    match target.fault {
        Fault::Kill => {
            *hit = Some(Hit { number, error: None, sent });
            rustix::process::kill_process(
                rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::NotFound)?,
                rustix::process::Signal::KILL,
            )?;
            Ok(After::Killed)
        }
        Fault::KillServer => match tracees.server.and_then(rustix::process::Pid::from_raw) {
            None => Ok(After::GoOn(0)),
            Some(server) => {
                *hit = Some(Hit { number, error: None, sent });
                rustix::process::kill_process(server, rustix::process::Signal::KILL)?;
                Ok(After::Bereaved)
            }
        },
        Fault::Any => match calls::errors(number) {
            [] => Ok(After::GoOn(0)),
            errors => {
                let error = errors[call % errors.len()];
                *hit = Some(Hit { number, error: Some(error), sent });
                Ok(After::Fail(error))
            }
        },
        Fault::Error(which) => match calls::errors(number).get(which) {
            Some(&error) => {
                *hit = Some(Hit { number, error: Some(error), sent });
                Ok(After::Fail(error))
            }
            None => Ok(After::GoOn(0)),
        },
    }
}

/// How many messages are among the calls.
#[must_use]
pub fn sent(made: &[i64]) -> usize {
    made.iter().filter(|number| calls::sends(**number)).count()
}
