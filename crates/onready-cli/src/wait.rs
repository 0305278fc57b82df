//! `onready wait`: starts nothing, only waits until something is ready.

mod named;

use crate::cli::{Cli, Wait};
use crate::conditions::{Conditions, Ground, prepare};
use crate::progress::Progress;
use crate::report::Report;
use crate::until::Whose;
use crate::when::Sign;
use crate::world::{SharedFamily, SharedWorld, World};
use clap::CommandFactory;
use clap::error::ErrorKind;
use named::{NamedServer, WantedLines};
use onready::engine::{
    Family, Machine, Outcome, Process, Rules, Signals, Source, Stopper, exit_code, human, signal_name, watch,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Waits, tells what came of it, and returns the exit code.
pub fn run(arguments: &Wait) -> u8 {
    check(arguments);
    let started = Instant::now();
    let report = match Waiting::begin(arguments) {
        Ok(waiting) => waiting.end(arguments, started),
        Err(report) => *report,
    };
    report.tell(arguments.json, arguments.quiet);
    report.code
}

/// What cannot be waited for is a usage error, with the way that can.
fn check(arguments: &Wait) {
    for when in &arguments.until {
        let why = match when.sign {
            Sign::Notify | Sign::Fd(_) | Sign::Exit => {
                format!(
                    "only whoever starts a server can see {when}; `onready wait --until auto NAME` waits for a start"
                )
            }
            Sign::Auto | Sign::Listen | Sign::Log { .. } if arguments.server.is_none() => {
                format!("{when} of which server? Give its NAME, or wait for tcp:, unix:, http:, file:, exec: or delay:")
            }
            _ => continue,
        };
        let mut command = Cli::command();
        command.build();
        let verb = command.find_subcommand_mut("wait").expect("a verb of ours");
        verb.error(ErrorKind::ArgumentConflict, why).exit();
    }
}

/// All that is watched.
struct Waiting {
    conditions: Conditions,
    world: SharedWorld,
    server: Option<NamedServer>,
    signals: Signals,
}

/// Nothing was started, so nothing is to be stopped.
struct Nobody;

impl Stopper for Nobody {
    fn terminate(&mut self) {}

    fn kill(&mut self) {}

    fn is_gone(&mut self) -> bool {
        true
    }
}

impl Waiting {
    fn begin(arguments: &Wait) -> Result<Waiting, Box<Report>> {
        let name = arguments.server.clone().unwrap_or_default();
        let failed = |why: String| Box::new(Report::failed("failed", &name, exit_code::FAILED, why));
        let signals = Signals::catch().map_err(|error| failed(format!("cannot make a pipe: {error}")))?;
        let mut server = match &arguments.server {
            Some(name) => Some(NamedServer::find(arguments.state_dir.as_deref(), name)?),
            None => None,
        };
        let members = server.as_ref().map_or_else(|| Box::new(Vec::new) as Box<_>, NamedServer::members);
        let world: SharedWorld = Rc::new(RefCell::new(World::new(members, Vec::new(), Instant::now())));
        let nobody: SharedFamily = Rc::new(RefCell::new(Family::new(Rc::new(RefCell::new(Process::none())), 0, None)));
        let here = std::env::current_dir().unwrap_or_else(|_| "/".into());
        let whose = if server.is_some() { Whose::Running } else { Whose::Anybody };
        let ground = Ground { whose, blueprint: None, world: &world, family: &nobody, here: &here };
        // `auto` is what the starter of the server makes of it.
        let (autos, others): (Vec<_>, Vec<_>) =
            arguments.until.iter().cloned().partition(|when| matches!(when.sign, Sign::Auto));
        let until: Vec<_> = others.into_iter().chain(autos.iter().cloned()).collect();
        let first_auto = until.len() - autos.len();
        let mut conditions = prepare(&until[..first_auto], &[], &ground).map_err(failed)?;
        autos.iter().for_each(|when| conditions.also(when.to_string()));
        server.iter_mut().for_each(|server| server.gives = (first_auto..until.len()).collect());
        let matchers = std::mem::take(&mut conditions.matchers);
        if let (Some(server), false) = (&mut server, matchers.is_empty()) {
            server.lines = Some(WantedLines { matchers, world: Rc::clone(&world) });
        }
        Ok(Waiting { conditions, world, server, signals })
    }

    fn end(mut self, arguments: &Wait, started: Instant) -> Report {
        let timeout = Some(arguments.timeout).filter(|timeout| !timeout.is_zero());
        let signs = arguments.until.len();
        let mut machine = Machine::new(Rules { signs, any: arguments.any, timeout, keep_on_timeout: false });
        let what = self.conditions.missing(&vec![false; signs]).join(if arguments.any { " or " } else { " and " });
        let mut progress = Progress::new(format!("waiting for {what}"), !arguments.quiet);
        let mut world = Rc::clone(&self.world);
        let mut sources: Vec<&mut dyn Source> = Vec::new();
        if let Some(server) = &mut self.server {
            sources.push(server);
            sources.push(&mut world);
        }
        sources.extend(self.conditions.sources.iter_mut().map(|source| source.as_mut() as &mut dyn Source));
        sources.push(&mut self.signals);
        let outcome = watch(started, &mut machine, &mut sources, &mut Nobody, &mut progress);
        drop(sources);
        self.describe(&machine, &outcome, started.elapsed(), arguments.timeout)
    }

    /// What the given signs are called: `auto` by what its starter has seen.
    fn given(&self, machine: &Machine) -> Vec<String> {
        let seen = self.server.as_ref().and_then(NamedServer::ready_by);
        let given = self.conditions.given(machine.given()).into_iter();
        given.map(|name| seen.clone().filter(|_| name == "auto").unwrap_or(name)).collect()
    }

    fn describe(self, machine: &Machine, outcome: &Outcome, elapsed: Duration, timeout: Duration) -> Report {
        let mut report = self.server.as_ref().map_or_else(Report::default, NamedServer::report);
        report.elapsed = elapsed;
        match outcome {
            Outcome::Ready => {
                (report.outcome, report.code) = ("ready", 0);
                report.ready_by = Some(self.given(machine).join(", "));
            }
            Outcome::Exited(_) => {
                if let Some(server) = &self.server {
                    server.describe_end(&mut report);
                }
            }
            Outcome::Interrupted(signal) => {
                (report.outcome, report.code) = ("interrupted", exit_code::of_signal(*signal));
                report.error = Some(format!("interrupted by {}", signal_name(*signal)));
            }
            Outcome::Failed(why) => {
                (report.outcome, report.code, report.error) = ("failed", exit_code::FAILED, Some(why.clone()));
            }
            Outcome::TimedOut | Outcome::Abandoned => {
                (report.outcome, report.code) = ("timed out", exit_code::TIMED_OUT);
                let missing = self.conditions.missing(machine.given()).join(" and ");
                let mut error = format!("not ready within {}; waited for {missing}", human(timeout));
                self.conditions.remarks().iter().for_each(|remark| error += &format!("; {remark}"));
                report.error = Some(error);
            }
        }
        if self.server.is_some() {
            let mut world = self.world.borrow_mut();
            world.look();
            report.listening = world.addresses();
        }
        report
    }
}
