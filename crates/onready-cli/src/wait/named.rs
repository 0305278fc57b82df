//! The server of a name, as it is on record and as it lives, while somebody waits for it.

use crate::report::Report;
use crate::tail::{Log, Tail};
use crate::until::Matcher;
use crate::world::SharedWorld;
use onready::engine::{Event, Interest, Process, SharedProcess, Source, exit_code, tree};
use onready::verbs::UNKNOWN_NAME;
use onready::verbs::state::{Record, State, StateDir, check_name};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// How often the record is read while the server starts: it is replaced as a whole, and small.
const STARTING_LOOK: Duration = Duration::from_millis(10);
/// The same for one that is ready, whose end the kernel tells.
const READY_LOOK: Duration = Duration::from_millis(200);

/// The server.
pub struct NamedServer {
    dir: StateDir,
    record: Record,
    main: SharedProcess,
    looked: Duration,
    over: bool,
    /// The numbers of the signs that it gives by being on record as ready.
    pub gives: Vec<usize>,
    /// The lines of its logs that are waited for, until it is known where these are.
    pub lines: Option<WantedLines>,
    tail: Option<Tail>,
}

/// Lines that are waited for.
pub struct WantedLines {
    /// What they match.
    pub matchers: Vec<Matcher>,
    /// Who is told that something was written.
    pub world: SharedWorld,
}

impl NamedServer {
    /// The one that starts or runs under this name.
    ///
    /// # Errors
    /// The report says why there is none.
    pub fn find(state_dir: Option<&Path>, name: &str) -> Result<NamedServer, Box<Report>> {
        let failed = |code: u8, why: String| Box::new(Report::failed("failed", name, code, why));
        let core = |error: onready::StartError| failed(error.exit_code(), error.to_string());
        check_name(name).map_err(core)?;
        let dir = StateDir::open(state_dir).map_err(core)?;
        let read = dir.read(name);
        let read = read.map_err(|error| failed(exit_code::FAILED, format!("cannot read its record: {error}")))?;
        let names = dir.path().display();
        let unknown = format!("no server is called so; `onready list` tells all names in {names}");
        let record = match read {
            Some(record) => record,
            None if dir.is_locked(name) => Record::new(name, Vec::new()),
            None => return Err(failed(UNKNOWN_NAME, unknown)),
        };
        let main = Rc::new(RefCell::new(held(&record)));
        let (looked, over, gives) = (Duration::ZERO, false, Vec::new());
        let mut server = NamedServer { dir, record, main, looked, over, gives, lines: None, tail: None };
        if matches!(server.read(), State::Starting | State::Ready) {
            return Ok(server);
        }
        let mut report = server.report();
        server.describe_end(&mut report);
        Err(Box::new(report))
    }

    /// Somebody at work on the name may be about to start it: what is on record then is its last life.
    fn state(&self) -> State {
        match self.dir.state(&self.record) {
            state @ (State::Starting | State::Ready) => state,
            _ if self.dir.is_locked(&self.record.name) => State::Starting,
            state => state,
        }
    }

    /// Finds its processes: what descends from the main one, and the group of that.
    pub fn members(&self) -> Box<dyn Fn() -> Vec<i32>> {
        let main = Rc::clone(&self.main);
        Box::new(move || {
            let pid = main.borrow().pid();
            let Some(stat) = tree::stat(pid).filter(|stat| stat.is_alive()) else { return Vec::new() };
            let mut found = Vec::new();
            tree::descendants(&[pid], &mut found);
            found.extend(tree::group_members(stat.pgrp));
            let mut seen = std::collections::HashSet::new();
            found.retain(|&pid| seen.insert(pid) && tree::stat(pid).is_some_and(|stat| stat.is_alive()));
            found
        })
    }

    /// Its logs, and where in them its start began.
    fn logs(&self) -> Vec<(PathBuf, u64)> {
        let paths = [&self.record.stdout, &self.record.stderr];
        let both = paths.into_iter().zip(self.record.log_starts);
        let mut logs: Vec<_> = both.filter_map(|(path, start)| Some((path.clone()?, start))).collect();
        logs.dedup();
        logs.retain(|(path, _)| path.is_file());
        logs
    }

    /// What is known of it.
    pub fn report(&self) -> Report {
        Report {
            name: self.record.name.clone(),
            pid: self.record.pid(),
            status: self.record.status.clone(),
            stdout: self.record.stdout.clone(),
            stderr: self.record.stderr.clone(),
            ..Report::default()
        }
    }

    /// The signs by which its starter has believed it.
    pub fn ready_by(&self) -> Option<String> {
        Some(self.record.ready_by.join(", ")).filter(|signs| !signs.is_empty())
    }

    /// Why nothing more can be expected of it.
    pub fn describe_end(&self, report: &mut Report) {
        let record = &self.record;
        report.pid = None;
        (report.outcome, report.code) = ("exited", exit_code::FAILED);
        (report.exit_code, report.signal) = (record.exit_code, record.signal);
        let why = match self.state() {
            State::Stopped => "it was stopped".to_owned(),
            State::Failed => {
                report.outcome = record.outcome.as_str();
                report.code = if record.code == 0 { exit_code::FAILED } else { record.code };
                format!("its start failed: {}", record.error.as_deref().unwrap_or(record.outcome.as_str()))
            }
            _ => "it has ended".to_owned(),
        };
        report.error = Some(format!(
            "{why}; `onready logs {0}` shows its output, `onready restart {0}` starts it again",
            record.name
        ));
    }

    /// As soon as it is known where they are, its logs are read.
    fn open_logs(&mut self, events: &mut Vec<Event>) {
        if self.record.pid().is_none() {
            return;
        }
        let Some(WantedLines { matchers, world }) = self.lines.take() else { return };
        let logs: std::io::Result<Vec<Log>> =
            self.logs().into_iter().map(|(path, start)| Log::since(&path, start)).collect();
        match logs {
            Ok(logs) => self.tail = Some(Tail::new(logs, matchers, world)),
            Err(error) => events.push(Event::Failed(format!("cannot read its log: {error}"))),
        }
    }

    /// Reads the record again: its starter may have followed it into the background, or said what came of it.
    fn look(&mut self, events: &mut Vec<Event>) {
        let state = self.read();
        let pid = self.record.pid();
        if pid.is_some_and(|pid| pid != self.main.borrow().pid()) {
            self.main.replace(held(&self.record));
        }
        match state {
            State::Ready => events.extend(self.gives.iter().map(|&sign| Event::Sign(sign))),
            State::Starting => {}
            _ => {
                self.over = true;
                events.push(Event::Exited(onready::engine::End::Unknown));
            }
        }
        self.open_logs(events);
    }

    /// What cannot be read leaves what was known: another is being written, or the disk is in trouble.
    fn read(&mut self) -> State {
        let mut state = State::Dead;
        // The last word is written before the lock is let go: it may not have been there at the first look.
        for _ in 0..2 {
            if let Ok(Some(record)) = self.dir.read(&self.record.name) {
                self.record = record;
            }
            state = self.state();
            if matches!(state, State::Starting | State::Ready) {
                break;
            }
        }
        state
    }
}

fn held(record: &Record) -> Process {
    record.identity.as_ref().and_then(|identity| identity.hold()).unwrap_or_else(Process::none)
}

impl Source for NamedServer {
    fn interest(&self, want: &mut Interest) {
        if self.over {
            return;
        }
        if self.looked.is_zero() {
            want.within(Duration::ZERO);
        }
        let ready = self.state() == State::Ready;
        want.within(if ready { READY_LOOK } else { STARTING_LOOK });
        self.main.borrow().fd().into_iter().filter(|_| ready).for_each(|fd| want.read(fd));
        self.tail.iter().for_each(|tail| tail.interest(want));
    }

    fn collect(&mut self, ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        let told = self.main.borrow().fd().is_some_and(|fd| ready.has(fd));
        let first = self.looked.is_zero();
        if !self.over && (told || first || now >= self.looked + STARTING_LOOK) {
            self.looked = now.max(Duration::from_nanos(1));
            self.look(events);
        }
        self.tail.iter_mut().for_each(|tail| tail.collect(ready, now, events));
    }

    fn last_look(&mut self, _now: Duration, events: &mut Vec<Event>) {
        self.look(events);
    }
}
