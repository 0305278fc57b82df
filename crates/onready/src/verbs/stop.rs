//! `stop`: signals by a schedule, and the real end waited for; several names side by side.
//!
//! # References
//! pidfd_send_signal(2), poll(2)

use super::crew::{self, Crew, NamedProcess};
use super::schedule::{Schedule, Step};
use super::state::{Claim, Outcome, Record, State, StateDir};
use crate::error::{StartError, exit_code, human, signal_name};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io;
use std::time::{Duration, Instant};

/// What `status` and the other verbs exit with for a name that nothing is on record under.
pub const UNKNOWN_NAME: u8 = 4;

/// What a stop came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopOutcome {
    /// It ran, and has ended.
    Stopped,
    /// Nothing of it ran.
    NotRunning,
    /// Nothing is on record under this name.
    Unknown,
    /// These still run.
    StillRunning(Vec<NamedProcess>),
    /// It could not be tried, or not be written down.
    Failed(String),
}

/// What became of one server that was to be stopped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stopped {
    /// Its name.
    pub name: String,
    /// The pid that it had.
    pub pid: Option<i32>,
    /// What came of it.
    pub outcome: StopOutcome,
    /// The signals that were sent.
    pub signals: Vec<i32>,
    /// How long it took.
    pub elapsed: Duration,
    /// Processes of the server that left its group long ago, were not seen to descend from it any more, and still run.
    pub escaped: Vec<NamedProcess>,
}

impl Stopped {
    fn new(name: &str, outcome: StopOutcome) -> Stopped {
        let (signals, escaped) = (Vec::new(), Vec::new());
        Stopped { name: name.into(), pid: None, outcome, signals, elapsed: Duration::ZERO, escaped }
    }

    /// 0 if it does not run now, 4 for an unknown name, else 125.
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            StopOutcome::Stopped | StopOutcome::NotRunning => 0,
            StopOutcome::Unknown => UNKNOWN_NAME,
            StopOutcome::StillRunning(_) | StopOutcome::Failed(_) => exit_code::FAILED,
        }
    }

    /// It in one line, or two if something has escaped.
    pub fn text(&self) -> String {
        let pid = self.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let signals: Vec<String> = self.signals.iter().map(|&signal| signal_name(signal)).collect();
        let (name, signals) = (&self.name, signals.join(", "));
        let mut text = match &self.outcome {
            StopOutcome::Stopped => format!("{name} is stopped{pid}, {} after {signals}", human(self.elapsed)),
            StopOutcome::NotRunning => format!("{name} was not running"),
            StopOutcome::Unknown => format!("no server is called {name}"),
            StopOutcome::StillRunning(left) => format!("{name} is still running after {signals}: {}", listed(left)),
            StopOutcome::Failed(why) => format!("{name}: {why}"),
        };
        if !self.escaped.is_empty() {
            text += &format!("\n{name} has left processes that went their own way: {}", listed(&self.escaped));
        }
        text
    }

    /// It as JSON: `name`, `outcome`, `pid`, `signals`, `elapsed_ms`, `escaped` and `error`.
    pub fn json(&self) -> Value {
        let signals: Vec<String> = self.signals.iter().map(|&signal| signal_name(signal)).collect();
        let escaped: Vec<Value> =
            self.escaped.iter().map(|named| json!({ "pid": named.pid, "name": named.name })).collect();
        let outcome = match self.outcome {
            StopOutcome::Stopped => "stopped",
            StopOutcome::NotRunning => "not running",
            StopOutcome::Unknown => "unknown",
            StopOutcome::StillRunning(_) => "still running",
            StopOutcome::Failed(_) => "failed",
        };
        json!({
            "name": self.name,
            "outcome": outcome,
            "pid": self.pid,
            "signals": signals,
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "escaped": escaped,
            "error": (self.exit_code() != 0).then(|| self.text()),
        })
    }

    /// Whether there is something that a caller must know though he wants to hear nothing.
    pub fn is_trouble(&self) -> bool {
        self.exit_code() != 0 || !self.escaped.is_empty()
    }
}

fn listed(processes: &[NamedProcess]) -> String {
    processes.iter().map(NamedProcess::to_string).collect::<Vec<_>>().join(", ")
}

/// Stops the servers of these names, side by side: each gets the signals of the schedule, whole group and descendants,
/// until all of it has ended. One that is just being started is stopped too; its starter says that it failed.
///
/// The answers are in the order of the names, each once.
pub fn stop(state: &StateDir, names: &[String], schedule: &Schedule) -> Vec<Stopped> {
    let mut sorted: Vec<&String> = names.iter().collect();
    // In one order, so that two who stop the same names do not wait for each other.
    sorted.sort_unstable();
    sorted.dedup();
    let mut tasks: Vec<Task<'_>> = sorted.into_iter().map(|name| Task::begin(state, name, schedule)).collect();
    run(&mut tasks.iter_mut().filter_map(|task| task.job.as_mut()).collect::<Vec<_>>());
    let mut answers: Vec<Stopped> = tasks.into_iter().map(Task::end).collect();
    let place = |answer: &Stopped| names.iter().position(|name| *name == answer.name);
    answers.sort_by_key(place);
    answers
}

/// Stops the server of a name whose lock is held already.
pub fn stop_claimed(claim: &mut Claim, schedule: &Schedule) -> Stopped {
    let name = claim.name().to_owned();
    let Some(record) = claim.record().cloned() else { return Stopped::new(&name, StopOutcome::Unknown) };
    let mut job = Job::new(&record, schedule);
    run(&mut [&mut job]);
    job.conclude(claim, &record)
}

/// One name.
struct Task<'a> {
    state: &'a StateDir,
    name: &'a str,
    claim: Option<Claim>,
    record: Option<Record>,
    job: Option<Job<'a>>,
    error: Option<StartError>,
}

impl<'a> Task<'a> {
    fn begin(state: &'a StateDir, name: &'a str, schedule: &'a Schedule) -> Task<'a> {
        let mut task = Task { state, name, claim: None, record: None, job: None, error: None };
        match task.find() {
            Ok(record) => task.record = record,
            Err(error) => task.error = Some(error),
        }
        task.job = task.record.as_ref().map(|record| Job::new(record, schedule));
        task
    }

    /// The record of what is to be stopped: under the lock, but for a server whose starter holds that.
    fn find(&mut self) -> Result<Option<Record>, StartError> {
        super::state::check_name(self.name)?;
        let read = self.state.read(self.name);
        let read = read.map_err(|error| StartError::io(format!("read the record of {}", self.name), error))?;
        if let Some(record) = read.filter(|record| self.state.state(record) == State::Starting && record.is_alive()) {
            return Ok(Some(record));
        }
        let claim = self.claim.insert(self.state.claim(self.name)?);
        Ok(claim.record().cloned())
    }

    fn end(self) -> Stopped {
        let name = self.name;
        let failed = |error: StartError| Stopped::new(name, StopOutcome::Failed(error.to_string()));
        let (record, job) = match (self.error, self.record, self.job) {
            (Some(error), ..) => return failed(error),
            (None, Some(record), Some(job)) => (record, job),
            _ => return Stopped::new(name, StopOutcome::Unknown),
        };
        // A starter lets go of the lock when it has seen its server end.
        match self.claim.map_or_else(|| self.state.claim(name), Ok) {
            Ok(mut claim) => job.conclude(&mut claim, &record),
            Err(error) => failed(error),
        }
    }
}

/// One server on its way out.
struct Job<'a> {
    crew: Crew,
    steps: &'a [Step],
    started: Instant,
    deadline: Option<Instant>,
    signals: Vec<i32>,
    ran: bool,
    over: Option<Duration>,
}

impl<'a> Job<'a> {
    fn new(record: &Record, schedule: &'a Schedule) -> Job<'a> {
        let crew = Crew::of(record);
        let ran = !crew.left().is_empty();
        let started = Instant::now();
        Job { crew, steps: schedule.steps(), started, deadline: Some(started), signals: Vec::new(), ran, over: None }
    }

    /// Does what is due; whether there is anything more to wait for.
    fn step(&mut self, now: Instant) -> bool {
        while self.over.is_none() {
            let is_due = self.deadline.is_some_and(|deadline| deadline <= now);
            match self.steps.split_first() {
                // Asked again after each signal: they may be gone before anybody waits for it.
                _ if self.crew.is_gone() => self.over = Some(self.started.elapsed()),
                _ if !is_due => return true,
                None => self.over = Some(self.started.elapsed()),
                Some((step, rest)) => {
                    self.steps = rest;
                    self.deadline = step.wait.map(|wait| now + wait);
                    self.send(step.signal);
                }
            }
        }
        false
    }

    fn send(&mut self, number: i32) {
        self.signals.push(number);
        let Some(signal) = Signal::from_named_raw(number) else { return };
        self.crew.signal(signal);
        // A stopped process cannot follow any other signal than SIGKILL.
        if !matches!(number, libc::SIGKILL | libc::SIGSTOP | libc::SIGTSTP) {
            self.crew.signal(Signal::CONT);
        }
    }

    /// Writes down what came of it.
    fn conclude(mut self, claim: &mut Claim, record: &Record) -> Stopped {
        let mut answer = Stopped::new(claim.name(), StopOutcome::NotRunning);
        answer.pid = record.identity.as_ref().filter(|_| self.ran).map(|identity| identity.pid);
        answer.elapsed = self.over.unwrap_or_default();
        answer.signals = std::mem::take(&mut self.signals);
        if !self.crew.is_gone() {
            answer.outcome = StopOutcome::StillRunning(self.crew.left());
            return answer;
        }
        if self.ran {
            answer.outcome = StopOutcome::Stopped;
            answer.escaped = self.crew.escaped();
        }
        if let Err(error) = note(claim, record, self.ran) {
            answer.outcome = StopOutcome::Failed(format!("cannot write its record: {error}"));
        }
        answer
    }
}

/// "Stopped" takes the place of "ready", and of what a starter has said of the server that was stopped under its hands.
fn note(claim: &mut Claim, stopped: &Record, ran: bool) -> io::Result<()> {
    let Some(record) = claim.record().filter(|record| record.identity == stopped.identity) else { return Ok(()) };
    if !ran && claim.state() != Some(State::Dead) {
        return Ok(());
    }
    let mut record = record.clone();
    record.outcome = Outcome::Stopped;
    claim.write(&record)
}

/// The one loop.
fn run(jobs: &mut [&mut Job<'_>]) {
    loop {
        let now = Instant::now();
        let mut limit: Option<Duration> = None;
        let mut crews = Vec::new();
        for job in jobs.iter_mut() {
            if job.step(now) {
                let left = job.deadline.map(|deadline| deadline.saturating_duration_since(now));
                limit = limit.into_iter().chain(left).min();
                crews.push(&mut job.crew);
            }
        }
        if crews.is_empty() {
            return;
        }
        crew::wait(&mut crews, limit);
    }
}
