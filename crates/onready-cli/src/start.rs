//! Walk 2: from a command line to a ready server, or to the reason why there is none.

use crate::cli::{OnTimeout, Options, StartArguments};
use crate::command::{self, Unusable};
use crate::conditions::{Conditions, Ground, prepare};
use crate::guard::Guard;
use crate::invocation::invocation;
use crate::leader::{Leader, Passage};
use crate::progress::Progress;
use crate::receiver::{Heard, Receiver};
use crate::recipe::{Blueprint, MARK, Refusal};
use crate::report::{Report, say};
use crate::streams::Logs;
use crate::tail::{SharedTail, Tail};
use crate::until::Whose;
use crate::when::Sign;
use crate::world::{SharedFamily, SharedWorld, World};
use onready::StartError;
use onready::engine::{
    End, Environment, Family, Interest, Machine, Outcome, Process, Rules, Screen, SharedProcess, Signals, Source,
    Spawned, Switch, close_inherited, exit_code, watch,
};
use std::cell::RefCell;
use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where and with which variables a start happens: the caller's, or at a restart those of the first start.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The environment.
    pub environment: Environment,
    /// The directory.
    pub directory: PathBuf,
    /// Descriptors that were inherited and are nobody's: to be closed when the server is on its way.
    pub inherited: Option<RangeInclusive<u32>>,
}

impl Surroundings {
    /// This process's own. A directory that was deleted is `/`.
    pub fn own() -> Surroundings {
        let directory = std::env::current_dir().unwrap_or_else(|_| "/".into());
        Surroundings { environment: Environment::own(), directory, inherited: None }
    }
}

/// Where a start keeps what it needs.
pub struct Place {
    /// The server's name.
    pub name: String,
    /// The folder of the state.
    pub state_dir: PathBuf,
    /// The folder of the logs.
    pub log_dir: PathBuf,
}

/// What is seen of a start, for one who looks on.
pub struct Seen {
    /// Its processes and listeners.
    pub world: SharedWorld,
    /// Its main process.
    pub main: SharedProcess,
    /// Its way into the background.
    pub passage: Rc<Passage>,
    /// What it says.
    pub heard: Rc<RefCell<Vec<Heard>>>,
}

/// A server that was started and is watched, or has been.
pub struct Start {
    options: Options,
    /// The family, for whoever stops it later.
    pub family: SharedFamily,
    /// Its main process.
    pub main: SharedProcess,
    /// How it was executed.
    pub spawned: Spawned,
    /// What marks its processes.
    pub mark: String,
    world: SharedWorld,
    passage: Rc<Passage>,
    conditions: Conditions,
    tail: SharedTail,
    receiver: Receiver,
    /// What we are told meanwhile.
    pub signals: Signals,
    progress: Progress,
    started: Instant,
    report: Report,
}

type Failed = Box<Report>;

/// How much of its output is shown with an error.
const LAST_LINES: usize = 5;

impl Start {
    /// Prepares everything and executes the server; nothing was started if this fails.
    ///
    /// # Errors
    /// The report says why.
    pub fn begin(arguments: &StartArguments, around: &Surroundings, place: Place) -> Result<Start, Failed> {
        let started = Instant::now();
        let options = arguments.options.clone();
        let refused = |why: String| Box::new(Report::failed("could not start", &place.name, exit_code::FAILED, why));
        let refusal = |refusal: Refusal| {
            let (code, why) = refusal.tell();
            Box::new(Report::failed("could not start", &place.name, code, why))
        };
        let blueprint = Blueprint::new(arguments, &around.environment, &around.directory).map_err(refusal)?;
        let signals = Signals::catch().map_err(|error| refused(format!("cannot make a pipe: {error}")))?;
        let mut receiver = Receiver::bind(&place.state_dir, options.special.notify_access).map_err(|error| {
            refused(format!("cannot bind the notify socket in {}: {error}", place.state_dir.display()))
        })?;
        let progress = Progress::new(format!("{}: starting", place.name), !options.quiet);
        let logs = Logs::open(&options, &place.log_dir).map_err(refused)?;
        let tails = logs.tails(&options, &progress).map_err(refused)?;

        let before = Family::prepare(true);
        // The main process is not there yet; conditions only keep what will lead to it.
        let main: SharedProcess = Rc::new(RefCell::new(Process::none()));
        let family: SharedFamily = Rc::new(RefCell::new(Family::new(Rc::clone(&main), 0, before)));
        let is_auto = options.until.iter().any(|when| matches!(when.sign, Sign::Auto));
        let scripts = || command::scripts(&blueprint.program, &arguments.command, &blueprint.directory);
        let scripts = if is_auto { scripts() } else { Vec::new() };
        let seen = Rc::clone(&family);
        let members = Box::new(move || seen.borrow().members());
        let world: SharedWorld = Rc::new(RefCell::new(World::new(members, scripts, started)));
        blueprint.handed_inodes().into_iter().for_each(|inode| world.borrow_mut().ignore_socket(inode));
        let ground = Ground {
            whose: Whose::Starting,
            blueprint: Some(&blueprint),
            world: &world,
            family: &family,
            here: &around.directory,
        };
        let mut conditions = prepare(&options.until, &options.special.fail_log, &ground).map_err(refused)?;
        let matchers = std::mem::take(&mut conditions.matchers);
        let tail = Rc::new(RefCell::new(Tail::new(tails, matchers, Rc::clone(&world))));

        let mark = invocation();
        let others = std::mem::take(&mut conditions.descriptors);
        let spawned = execute(&blueprint, &logs, others, receiver.address(), &mark).map_err(refusal)?;
        main.replace(Process::child(spawned.pid));
        family.borrow_mut().set_group(spawned.group);
        // The server is on its way: what it need not wait for is done now.
        around.inherited.iter().cloned().for_each(close_inherited);
        logs.note_start();
        receiver.tidy();
        world.borrow_mut().foresee(is_auto.then_some(&blueprint.program));
        receiver.hear(Rc::clone(&world), Rc::clone(&family), Rc::clone(&main), blueprint.uid());
        let report = Report {
            name: place.name,
            pid: Some(spawned.pid),
            stdout: Some(logs.stdout_path),
            stderr: Some(logs.stderr_path),
            ..Report::default()
        };
        let passage = Rc::new(Passage::of(spawned.group));
        Ok(Start {
            options,
            family,
            main,
            spawned,
            mark: format!("{MARK}={mark}"),
            world,
            passage,
            conditions,
            tail,
            receiver,
            signals,
            progress,
            started,
            report,
        })
    }

    /// Where its logs are.
    pub fn logs(&self) -> (Option<PathBuf>, Option<PathBuf>) {
        (self.report.stdout.clone(), self.report.stderr.clone())
    }

    /// What one who looks on beside it may see.
    pub fn seen(&mut self) -> Seen {
        let (world, main, passage) = (Rc::clone(&self.world), Rc::clone(&self.main), Rc::clone(&self.passage));
        Seen { world, main, passage, heard: self.receiver.keep_journal() }
    }

    /// How long they were before.
    pub fn log_starts(&self) -> [u64; 2] {
        self.tail.borrow().starts()
    }

    /// Watches, and `beside` with it, until the outcome is known; a server that is not ready is gone then, unless it is to be kept.
    pub fn wait(mut self, beside: &mut dyn Source) -> (Report, Started) {
        let timeout = Some(self.options.timeout).filter(|timeout| !timeout.is_zero());
        let kept = self.options.special.on_timeout == OnTimeout::Keep;
        let signs = self.options.until.len();
        let mut machine = Machine::new(Rules { signs, any: self.options.special.any, timeout, keep_on_timeout: kept });
        let outcome = self.watch(&mut machine, beside);
        self.describe(&machine, &outcome, kept);
        let started = Started {
            family: self.family,
            main: self.main,
            signals: self.signals,
            receiver: self.receiver,
            tail: self.tail,
            switch: self.spawned.switch,
            passage: self.passage,
        };
        (self.report, started)
    }

    fn watch(&mut self, machine: &mut Machine, beside: &mut dyn Source) -> Outcome {
        let mut leader = Leader::new(
            Rc::clone(&self.main),
            Rc::clone(&self.family),
            Rc::clone(&self.passage),
            self.conditions.follows,
            self.conditions.exit,
        );
        let (mut world, mut family) = (Rc::clone(&self.world), Rc::clone(&self.family));
        let mut tail = Rc::clone(&self.tail);
        let mut guard = Guard::new(Rc::clone(&self.family), Rc::clone(&self.passage));
        let mut sources: Vec<&mut dyn Source> =
            vec![&mut leader, &mut self.receiver, &mut tail, &mut world, &mut guard];
        for source in &mut self.conditions.sources {
            sources.push(source.as_mut());
        }
        sources.push(&mut self.signals);
        sources.push(beside);
        watch(self.started, machine, &mut sources, &mut family, &mut self.progress)
    }

    fn describe(&mut self, machine: &Machine, outcome: &Outcome, kept: bool) {
        self.progress.wipe();
        let report = &mut self.report;
        report.elapsed = self.started.elapsed();
        report.status = machine.status().map(str::to_owned);
        report.pid = Some(self.main.borrow().pid());
        report.conclude(outcome, self.options.timeout, kept);
        let mut world = self.world.borrow_mut();
        if *outcome == Outcome::Ready {
            // Whatever sign was believed: a server on port 0 is to be found. Later ones look for themselves.
            if self.options.tells_more() && world.listening().is_empty() {
                world.look();
            }
            report.ready_by = Some(self.conditions.given(machine.given()).join(", "));
        }
        report.listening = world.addresses();
        self.tail.borrow().losses().iter().for_each(|loss| say(loss));
        let hints = self.hints(machine, outcome, &world);
        if let (Some(error), false) = (&mut self.report.error, hints.is_empty()) {
            error.push_str("; ");
            error.push_str(&hints.join("; "));
        }
    }

    fn last_lines(&self) -> Vec<String> {
        let name = |path: &Path| match (self.report.stdout.as_deref(), self.report.stderr.as_deref()) {
            (Some(stdout), Some(stderr)) if stdout == stderr => "output",
            (Some(stdout), _) if stdout == path => "stdout",
            _ => "stderr",
        };
        let tail = self.tail.borrow();
        let last = tail.last_lines(LAST_LINES).into_iter();
        last.map(|(path, lines)| format!("its {} ends:\n    {}", name(&path), lines.join("\n    "))).collect()
    }

    /// What was seen of a server that was never ready, and what to try.
    fn hints(&self, machine: &Machine, outcome: &Outcome, world: &World) -> Vec<String> {
        let mut hints = Vec::new();
        if let Some(number) = machine.errno() {
            hints.push(format!("it says ERRNO={number} ({})", std::io::Error::from_raw_os_error(number)));
        }
        if self.passage.not_followed.get() {
            hints.push(
                "it left processes running, which were stopped; if it puts itself into the background, add \
                        --until exit or --until auto"
                    .into(),
            );
        }
        if *outcome != Outcome::TimedOut {
            // Whoever wanted to see nothing of its output has not seen why either.
            if self.options.quiet && *outcome != Outcome::Ready {
                hints.extend(self.last_lines());
            }
            return hints;
        }
        hints.push(format!("waited for {}", self.conditions.missing(machine.given()).join(" and ")));
        hints.extend(self.conditions.remarks());
        match world.addresses().as_slice() {
            [] if world.is_blind() => hints.push("its sockets cannot be seen".into()),
            [] => hints.push("it never listened".into()),
            all => hints.push(format!("it listens on {}", all.join(", "))),
        }
        match machine.status() {
            Some(status) => hints.push(format!("it sent STATUS={status}")),
            None if world.said_ready => hints.push("it sent READY=1".into()),
            None => hints.push("it sent no READY=1".into()),
        }
        hints.extend(self.last_lines());
        let try_next = "try `onready doctor -- COMMAND` to see which signs it gives, or a longer --timeout";
        hints.push(try_next.into());
        hints
    }
}

/// A server after its outcome: what is needed to go on with it. It ends with us until it is released.
pub struct Started {
    /// Its processes.
    pub family: SharedFamily,
    /// The main one.
    pub main: SharedProcess,
    /// Our signals are still caught.
    pub signals: Signals,
    /// It may still say something.
    pub receiver: Receiver,
    /// Its output, if that is to be carried on.
    pub tail: SharedTail,
    switch: Switch,
    passage: Rc<Passage>,
}

impl Started {
    /// It may outlive us.
    pub fn release(&self) {
        self.switch.disarm();
        self.passage.disarm();
        self.family.borrow().reap_strays();
    }

    /// The last look at the main process: to put the server on record took its time.
    pub fn has_ended(&self) -> Option<End> {
        self.main.borrow_mut().end()
    }

    /// Ends what is left of it, waits until it is gone, and shows what it has said last.
    pub fn end(&self) {
        self.family.borrow_mut().end();
        let mut tail = self.tail.borrow_mut();
        tail.settle();
        tail.collect(&Interest::default(), Duration::ZERO, &mut Vec::new());
    }

    /// The server has been let go of, and the caller will see our exit code: no signal changes that any more.
    pub fn exit_deaf(self) {
        // The rest is dropped: the switch is taken back once more, in case that failed the first time.
        std::mem::forget(self.signals);
    }
}

fn execute(
    blueprint: &Blueprint,
    logs: &Logs,
    others: Vec<(std::os::fd::OwnedFd, i32)>,
    notify_socket: &OsString,
    mark: &str,
) -> Result<Spawned, Refusal> {
    let failed = |why: String| StartError::io("prepare the server's streams", std::io::Error::other(why));
    let again = others.iter().map(|(fd, number)| Ok((fd.try_clone()?, *number))).collect::<std::io::Result<Vec<_>>>();
    let streams = logs.streams(others).map_err(failed)?;
    match blueprint.recipe(streams, Some(notify_socket), mark, false)?.spawn() {
        Err(StartError::Spawn { source, .. })
            if source.raw_os_error() == Some(libc::ENOEXEC) && command::is_text(&blueprint.program) =>
        {
            let again = again.map_err(|error| failed(error.to_string()))?;
            let streams = logs.streams(again).map_err(failed)?;
            Ok(blueprint.recipe(streams, Some(notify_socket), mark, true)?.spawn()?)
        }
        Err(StartError::Spawn { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound && blueprint.program.exists() =>
        {
            Err(Refusal::Command(Unusable::without_loader(&blueprint.program)))
        }
        spawned => Ok(spawned?),
    }
}
