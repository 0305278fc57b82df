//! `--then`: a command beside the server; when it ends, so does the server, and its exit code is ours.

use crate::cli::Options;
use crate::report::{Report, say};
use crate::run::forget;
use crate::server_pid_file::ServerPidFile;
use crate::start::Started;
use onready::engine::{
    End, Event, Family, Interest, Machine, Outcome, Process, Rules, Screen, Source, Stopper, describe, exit_code, watch,
};
use onready::verbs::state::{Claim, StateDir};
use onready::verbs::{Schedule, stop};
use std::cell::RefCell;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Runs the command beside a server that is ready now, stops the server, and returns the command's code.
pub fn run(
    options: &Options,
    command: &str,
    report: &Report,
    started: Started,
    dir: &StateDir,
    claim: Claim,
    pid_file: Option<ServerPidFile>,
) -> u8 {
    let mut started = started;
    let name = claim.name().to_owned();
    // Others may ask for it, and stop it, while the command runs.
    drop(claim);
    // What the command leaves behind is not the server's.
    Family::adopt_no_more();
    let code = beside(command, report, Some(&mut started));
    stop_server(dir, &name, options);
    pid_file.into_iter().for_each(ServerPidFile::remove);
    started.release();
    code
}

/// Runs the command beside a server that ran before; it goes on running.
pub fn beside_a_running(command: &str, report: &Report) -> u8 {
    beside(command, report, None)
}

fn stop_server(dir: &StateDir, name: &str, options: &Options) {
    for stopped in stop(dir, &[name.to_owned()], &Schedule::default()) {
        if stopped.is_trouble() {
            say(&stopped.text());
        }
    }
    if options.name.is_some() {
        return;
    }
    if let Ok(claim) = dir.claim(name) {
        forget(options, dir, claim);
    }
}

fn beside(command: &str, report: &Report, started: Option<&mut Started>) -> u8 {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).env("ONREADY_LISTENING", report.listening.join(" "));
    shell.env("ONREADY_NAME", &report.name).envs(report.pid.map(|pid| ("ONREADY_PID", pid.to_string())));
    let child = match shell.spawn() {
        Ok(child) => Rc::new(RefCell::new(Process::child(child.id() as i32))),
        Err(error) => {
            say(&format!("cannot run /bin/sh for --then: {error}"));
            return exit_code::FAILED;
        }
    };
    let mut end = Ended { child: Rc::clone(&child), end: None };
    let mut machine = Machine::new(Rules { signs: 1, any: false, timeout: None, keep_on_timeout: false });
    let outcome = match started {
        Some(started) => {
            let mut sources: [&mut dyn Source; 3] = [&mut started.main, &mut end, &mut started.signals];
            watch(Instant::now(), &mut machine, &mut sources, &mut Caller(Rc::clone(&child)), &mut Nothing)
        }
        None => {
            let mut sources: [&mut dyn Source; 1] = [&mut end];
            watch(Instant::now(), &mut machine, &mut sources, &mut Caller(Rc::clone(&child)), &mut Nothing)
        }
    };
    child.borrow().reap();
    conclude(&outcome, end.end, report)
}

fn conclude(outcome: &Outcome, end: Option<End>, report: &Report) -> u8 {
    match (outcome, end) {
        (Outcome::Exited(server), _) => {
            say(&format!("{}: the server {} while --then was running", report.name, describe(*server)));
            match server {
                End::Code(code @ 1..) => *code,
                End::Signal { signal, .. } => exit_code::of_signal(*signal),
                _ => exit_code::FAILED,
            }
        }
        (Outcome::Interrupted(signal), _) => exit_code::of_signal(*signal),
        (_, Some(End::Code(code))) => code,
        (_, Some(End::Signal { signal, .. })) => exit_code::of_signal(signal),
        _ => exit_code::FAILED,
    }
}

/// The command's end is what this waits for.
struct Ended {
    child: Rc<RefCell<Process>>,
    end: Option<End>,
}

impl Source for Ended {
    fn interest(&self, want: &mut Interest) {
        if self.end.is_none() {
            self.child.interest(want);
        }
    }

    fn collect(&mut self, ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        let mut found = Vec::new();
        self.child.collect(ready, now, &mut found);
        if let Some(Event::Exited(end)) = found.first() {
            self.end = Some(*end);
            events.push(Event::Sign(0));
        }
    }
}

/// Ends the command, if the server has ended or we are asked to give up.
struct Caller(Rc<RefCell<Process>>);

impl Stopper for Caller {
    fn terminate(&mut self) {
        self.0.borrow().signal(rustix::process::Signal::TERM);
    }

    fn kill(&mut self) {
        self.0.borrow().signal(rustix::process::Signal::KILL);
    }

    fn is_gone(&mut self) -> bool {
        self.0.borrow_mut().end().is_some()
    }
}

/// The terminal is the command's.
pub struct Nothing;

impl Screen for Nothing {
    fn show(&mut self, _elapsed: Duration, _machine: &Machine) {}

    fn wipe(&mut self) {}
}
