//! `--foreground`: stay beside the server, for PID 1 of a container and for service managers: signals go down,
//! readiness goes up, orphans are reaped, and the server's exit code is ours.
//!
//! # References
//! pid_namespaces(7), sd_notify(3)

use crate::cli::Options;
use crate::report::{Report, say};
use crate::run::{forget, note};
use crate::server_pid_file::ServerPidFile;
use crate::start::Started;
use crate::then::Nothing;
use crate::world::SharedFamily;
use onready::engine::{
    End, Event, Interest, Machine, NotifySocket, Outcome, Rules, SharedProcess, Signals, Source, describe, exit_code,
    watch,
};
use onready::verbs::state::{Claim, Outcome as OnRecord, Record, StateDir};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// What is passed on besides SIGTERM, SIGINT and SIGHUP.
const PASSED: [i32; 6] = [libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2, libc::SIGWINCH, libc::SIGALRM, libc::SIGCHLD];

/// Stays until the server ends; its exit code.
pub fn stay(
    started: Started,
    report: &Report,
    options: &Options,
    dir: &StateDir,
    claim: Claim,
    pid_file: Option<ServerPidFile>,
) -> u8 {
    let mut started = started;
    // Others may ask for it, and stop it, meanwhile.
    drop(claim);
    if let Err(error) = tell_upwards(report) {
        say(&format!("{}: {error}", report.name));
    }
    started.receiver.pass_upwards(NotifySocket::from_environment());
    let passed = started.signals.also(&PASSED);
    let mut machine = Machine::new(Rules { signs: 0, any: false, timeout: None, keep_on_timeout: false });
    let (mut main, mut family) = (started.main.clone(), started.family.clone());
    let mut pass = Pass { signals: started.signals, main: main.clone(), family: family.clone() };
    let mut sources: Vec<&mut dyn Source> = vec![&mut main, &mut started.receiver, &mut started.tail, &mut pass];
    let outcome = watch(Instant::now(), &mut machine, &mut sources, &mut family, &mut Nothing);
    drop(passed);
    pid_file.into_iter().for_each(ServerPidFile::remove);
    note_end(options, dir, report);
    conclude(&outcome, &report.name)
}

/// Unless it was stopped by name, which is on record then.
fn note_end(options: &Options, dir: &StateDir, report: &Report) {
    let Ok(mut claim) = dir.claim(&report.name) else { return };
    if options.name.is_none() {
        return forget(options, dir, claim);
    }
    let ours = |record: &&Record| record.outcome == OnRecord::Ready && !record.is_alive();
    if let Some(mut record) = claim.record().filter(ours).cloned() {
        record.outcome = OnRecord::Stopped;
        note(&mut claim, &record);
    }
}

fn tell_upwards(report: &Report) -> Result<(), onready::NotifyError> {
    let Some(manager) = NotifySocket::from_environment() else { return Ok(()) };
    let status = report.status.as_ref().map(|status| format!("STATUS={status}\n")).unwrap_or_default();
    manager.send(&format!("READY=1\n{status}"))
}

fn conclude(outcome: &Outcome, name: &str) -> u8 {
    let Outcome::Exited(end) = outcome else { return exit_code::FAILED };
    match *end {
        End::Code(0) => 0,
        End::Code(code) => {
            say(&format!("{name}: the server {}", describe(*end)));
            code
        }
        End::Signal { signal, .. } => {
            say(&format!("{name}: the server {}", describe(*end)));
            exit_code::of_signal(signal)
        }
        End::Unknown => exit_code::FAILED,
    }
}

/// Our signals are the server's.
struct Pass {
    signals: Signals,
    main: SharedProcess,
    family: SharedFamily,
}

impl Source for Pass {
    fn interest(&self, want: &mut Interest) {
        self.signals.interest(want);
    }

    fn collect(&mut self, ready: &Interest, now: Duration, _events: &mut Vec<Event>) {
        let mut notes = Vec::new();
        self.signals.collect(ready, now, &mut notes);
        for event in notes {
            match event {
                Event::Interrupted(libc::SIGCHLD) => self.family.borrow().reap_strays(),
                Event::Interrupted(number) => {
                    let signal = Signal::from_named_raw(number);
                    signal.into_iter().for_each(|signal| self.main.borrow().signal(signal));
                }
                _ => {}
            }
        }
    }
}
