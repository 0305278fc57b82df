//! A start from the command line: the name, the server, the record, the report, and what is to be done with it then.

use crate::cli::{Options, StartArguments};
use crate::later::Later;
use crate::on_record::look_again;
use crate::report::{Report, say};
use crate::server_pid_file::ServerPidFile;
use crate::start::{Place, Start, Surroundings};
use crate::when::Sign;
use crate::{foreground, streams, then};
use onready::StartError;
use onready::engine::{Identity, close_inherited, exit_code};
use onready::verbs::state::{Claim, Outcome, Record, StateDir, check_name, default_name};
use onready::verbs::{Decision, Schedule, Wish, decide, stop_claimed};
use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A start that takes longer than this is put on record as one; before, the kernel ends the server with us if we are
/// killed, and there is nothing that anybody could do with a record.
const NOTE_AFTER: Duration = Duration::from_millis(50);

/// With as many conditions and listeners as this at most, none of our descriptors has a higher number than the second.
const FEW: usize = 16;
const ENOUGH_FOR_FEW: u32 = 63;

/// What is asked for: a command line, and from where.
pub struct Wanted<'a> {
    /// The options and the command.
    pub arguments: &'a StartArguments,
    /// The words behind `onready`, for a restart.
    pub words: Vec<OsString>,
    /// The environment and the directory.
    pub around: Surroundings,
}

impl<'a> Wanted<'a> {
    /// By the caller of this process, now.
    pub fn now(arguments: &'a StartArguments) -> Wanted<'a> {
        Wanted { arguments, words: std::env::args_os().skip(1).collect(), around: Surroundings::own() }
    }

    fn options(&self) -> &'a Options {
        &self.arguments.options
    }

    fn wish(&self) -> Wish<'_> {
        let options = self.options();
        Wish {
            argv: &self.arguments.command,
            fingerprint: options.special.fingerprint.as_deref(),
            fail_if_running: options.special.fail_if_running,
            restart_if_changed: options.special.replace,
        }
    }
}

/// Starts a server, tells what came of it, and returns the exit code.
pub fn start(arguments: &StartArguments) -> u8 {
    let mut wanted = Wanted::now(arguments);
    wanted.around.inherited = close_lowest(&arguments.options);
    go(&wanted)
}

/// What the caller has open is handed on to commands of his, and to nobody else. Ours get the lowest numbers, so that the
/// others need not be copied for the server; these are returned, to be closed while it executes.
fn close_lowest(options: &Options) -> Option<RangeInclusive<u32>> {
    let asks = options.until.iter().any(|when| matches!(when.sign, Sign::Exec(_)));
    if options.then.is_some() || asks || std::env::var_os("LISTEN_FDS").is_some() {
        return None;
    }
    let few = options.until.len() + options.special.listen.len() <= FEW;
    let last = if few { ENOUGH_FOR_FEW } else { u32::MAX };
    close_inherited(3..=last);
    few.then(|| last + 1..=u32::MAX)
}

/// Does what is wanted, and tells.
pub fn go(wanted: &Wanted<'_>) -> u8 {
    let options = wanted.options();
    let name = options
        .name
        .clone()
        .unwrap_or_else(|| default_name(wanted.arguments.command.first().cloned().unwrap_or_default()));
    match claim(wanted, &name) {
        Ok((dir, claim)) => with_claim(wanted, &dir, claim),
        Err(error) => tell(options, &could_not_start(&name, &error)),
    }
}

fn could_not_start(name: &str, error: &StartError) -> Report {
    Report::failed("could not start", name, error.exit_code(), error.to_string())
}

fn tell(options: &Options, report: &Report) -> u8 {
    report.tell(options.json, options.quiet);
    report.code
}

fn claim(wanted: &Wanted<'_>, name: &str) -> Result<(StateDir, Claim), StartError> {
    check_name(name)?;
    let dir = StateDir::open(wanted.options().special.state_dir.as_deref())?;
    let limit = Some(wanted.options().timeout).filter(|time| !time.is_zero()).unwrap_or(Duration::MAX);
    let claim = if wanted.options().name.is_some() { dir.claim_within(name, limit)? } else { dir.claim_unique(name)? };
    Ok((dir, claim))
}

/// The name is ours: start, or say what it stands for already.
pub fn with_claim(wanted: &Wanted<'_>, dir: &StateDir, mut claim: Claim) -> u8 {
    let options = wanted.options();
    if options.name.is_some() {
        match decide(claim.record(), claim.state(), claim.waited(), &wanted.wish()) {
            Decision::Start => {}
            Decision::Running | Decision::Failed => return again(wanted, claim),
            Decision::Replace(_) => {
                let stopped = stop_claimed(&mut claim, &Schedule::default());
                if stopped.exit_code() != 0 {
                    return tell(
                        options,
                        &Report::failed("could not start", claim.name(), exit_code::FAILED, stopped.text()),
                    );
                }
            }
            Decision::Refuse(why) => {
                let report = Report::failed("already running", claim.name(), exit_code::ALREADY_RUNNING, why);
                let pid = claim.record().and_then(Record::pid);
                return tell(options, &Report { pid, ..report });
            }
        }
    }
    begin(wanted, dir, claim)
}

/// What is on record is the outcome of this start as well.
fn again(wanted: &Wanted<'_>, claim: Claim) -> u8 {
    let Some(mut record) = claim.record().cloned() else { return exit_code::FAILED };
    drop(claim);
    if wanted.options().tells_more() {
        if let Some(pid) = record.pid() {
            look_again(&mut [(&mut record, pid)]);
        }
    }
    let report = of_record(&record);
    match (&wanted.options().then, report.code) {
        (Some(command), 0) => then::beside_a_running(command, &report),
        _ => tell(wanted.options(), &report),
    }
}

fn of_record(record: &Record) -> Report {
    Report {
        outcome: record.outcome.as_str(),
        name: record.name.clone(),
        pid: record.pid(),
        elapsed: record.elapsed(),
        exit_code: record.exit_code,
        signal: record.signal,
        ready_by: (!record.ready_by.is_empty()).then(|| record.ready_by.join(", ")),
        listening: record.listening.clone(),
        status: record.status.clone(),
        stdout: record.stdout.clone(),
        stderr: record.stderr.clone(),
        error: record.error.clone(),
        code: record.code,
        kept: false,
    }
}

fn begin(wanted: &Wanted<'_>, dir: &StateDir, mut claim: Claim) -> u8 {
    let options = wanted.options();
    let pid_file = match options.special.pid_file.as_deref().map(ServerPidFile::take).transpose() {
        Ok(pid_file) => pid_file,
        Err(error) => {
            let report = Report { outcome: outcome_of(&error), ..could_not_start(claim.name(), &error) };
            forget(options, dir, claim);
            return tell(options, &report);
        }
    };
    let place = Place { name: claim.name().into(), state_dir: dir.path().into(), log_dir: dir.log_dir(claim.name()) };
    let start = match Start::begin(wanted.arguments, &wanted.around, place) {
        Ok(start) => start,
        Err(report) => {
            drop_pid_file(pid_file);
            forget(options, dir, claim);
            return tell(options, &report);
        }
    };
    let mut record = record(wanted, &claim, &start);
    pid_file.iter().for_each(|file| file.write(start.spawned.pid));
    claim.prepare(&record.environment);
    let mut noting = Later::new(NOTE_AFTER, || note(&mut claim, &record));
    let (mut report, started) = start.wait(&mut noting);
    drop(noting);
    let fail = |report, pid_file, claim, record| {
        let report = without_lost_logs(options, report);
        drop_pid_file(pid_file);
        note_outcome(options, dir, claim, record, &report);
        tell(options, &report)
    };
    if !report.is_running() {
        return fail(report, pid_file, claim, record);
    }
    pid_file.iter().for_each(|file| report.pid.into_iter().for_each(|pid| file.write(pid)));
    fill_in(&mut record, &report);
    note(&mut claim, &record);
    if options.special.foreground {
        return foreground::stay(started, &report, options, dir, claim, pid_file);
    }
    match &options.then {
        Some(command) => then::run(options, command, &report, started, dir, claim, pid_file),
        None => {
            started.release();
            let code = match started.has_ended() {
                None => tell(options, &report),
                Some(end) => {
                    started.end();
                    report.exited(end);
                    fail(report, pid_file, claim, record)
                }
            };
            started.exit_deaf();
            code
        }
    }
}

fn outcome_of(error: &StartError) -> &'static str {
    if matches!(error, StartError::AlreadyRunning { .. }) { "already running" } else { "could not start" }
}

fn drop_pid_file(file: Option<ServerPidFile>) {
    file.into_iter().for_each(ServerPidFile::remove);
}

fn record(wanted: &Wanted<'_>, claim: &Claim, start: &Start) -> Record {
    let mut record = Record::new(claim.name(), wanted.arguments.command.clone());
    record.environment = wanted.around.environment.clone();
    record.directory = Some(wanted.around.directory.clone());
    record.start_arguments = wanted.words.clone();
    record.identity = Identity::of_held(&start.main.borrow()).ok();
    record.group = start.spawned.group;
    record.mark = Some(start.mark.clone());
    (record.stdout, record.stderr) = start.logs();
    record.log_starts = start.log_starts();
    record.fingerprint = wanted.options().special.fingerprint.clone();
    record
}

/// A start whose record cannot be written is still a start: it is told, and `stop` by name is what is lost.
pub fn note(claim: &mut Claim, record: &Record) {
    if let Err(error) = claim.write(record) {
        say(&format!("{}: cannot write the record of it: {error}", claim.name()));
    }
}

/// The logs of an unnamed start that failed go with it: their paths would lead nowhere.
fn without_lost_logs(options: &Options, mut report: Report) -> Report {
    if options.name.is_none() && streams::uses_folder(options) {
        report.stdout = options.special.stdout.as_ref().and(report.stdout);
        report.stderr = options.special.stderr.as_ref().and(report.stderr);
    }
    report
}

fn note_outcome(options: &Options, dir: &StateDir, mut claim: Claim, mut record: Record, report: &Report) {
    if options.name.is_none() {
        return forget(options, dir, claim);
    }
    fill_in(&mut record, report);
    note(&mut claim, &record);
}

fn fill_in(record: &mut Record, report: &Report) {
    record.outcome = match report.outcome {
        "ready" => Outcome::Ready,
        "exited" => Outcome::Exited,
        "timed out" => Outcome::TimedOut,
        "interrupted" => Outcome::Interrupted,
        "failed" => Outcome::Failed,
        _ => Outcome::CouldNotStart,
    };
    record.code = report.code;
    record.exit_code = report.exit_code;
    record.signal = report.signal;
    record.error = report.error.clone();
    record.elapsed_ms = u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX);
    record.ready_by = report.ready_by.iter().cloned().collect();
    record.listening = report.listening.clone();
    record.status = report.status.clone();
    // A child of ours that nobody has reaped is who it was.
    let known = record.identity.as_ref().map(|identity| identity.pid);
    let another = report.pid.filter(|pid| report.is_running() && known != Some(*pid));
    record.identity = another.and_then(|pid| Identity::of(pid).ok()).or(record.identity.take());
}

/// Nothing is left of an unnamed start that failed.
pub fn forget(options: &Options, dir: &StateDir, claim: Claim) {
    if options.name.is_some() {
        return;
    }
    if streams::uses_folder(options) {
        let _ = std::fs::remove_dir_all(dir.log_dir(claim.name()));
    }
    claim.forget();
}
