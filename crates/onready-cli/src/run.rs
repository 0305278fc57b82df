//! A start from the command line: the name, the server, the record, the report.

use crate::cli::{Options, StartArguments};
use crate::report::Report;
use crate::start::{Place, Start, Started, Surroundings};
use crate::streams::Paths;
use onready::StartError;
use onready::engine::exit_code;
use onready::verbs::state::{Claim, Outcome as OnRecord, Record, State, StateDir, check_name, default_name};
use std::ffi::OsString;
use std::path::Path;

/// Starts a server, tells what came of it, and returns the exit code.
pub fn start(arguments: &StartArguments) -> u8 {
    let report = attempt(arguments, &Surroundings::own(), std::env::args_os().skip(1).collect());
    report.tell(arguments.options.json, arguments.options.quiet);
    report.code
}

fn attempt(arguments: &StartArguments, around: &Surroundings, words: Vec<OsString>) -> Report {
    let options = &arguments.options;
    let name = options.name.clone().unwrap_or_else(|| default_name(arguments.command.first().cloned().unwrap_or_default()));
    let refused = |error: StartError| Report::failed("could not start", &name, error.exit_code(), error.to_string());
    if let Err(error) = check_name(&name) {
        return Report { code: 2, ..refused(error) };
    }
    let dir = match StateDir::open(options.state_dir.as_deref()) {
        Ok(dir) => dir,
        Err(error) => return refused(error),
    };
    let claim = if options.name.is_some() { dir.claim(&name) } else { dir.claim_unique(&name) };
    let claim = match claim {
        Ok(claim) => claim,
        Err(error) => return refused(error),
    };
    if let Some(report) = already(&claim, arguments) {
        return report;
    }
    begin(arguments, around, words, &dir, claim)
}

/// A given name that is in use already, or whose start was just waited for.
fn already(claim: &Claim, arguments: &StartArguments) -> Option<Report> {
    let options = &arguments.options;
    let record = claim.record().filter(|_| options.name.is_some())?;
    match claim.state()? {
        State::Ready if record.argv == arguments.command && !options.fail_if_running => Some(of_record(record)),
        State::Ready | State::Starting => {
            let running = shown(&record.argv);
            let pid = record.pid().map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            let error = format!("already running{pid}: {running}; asked for: {}", shown(&arguments.command));
            let report = Report::failed("already running", claim.name(), exit_code::ALREADY_RUNNING, error);
            Some(Report { pid: record.pid(), ..report })
        }
        _ if claim.waited() && record.argv == arguments.command && record.outcome.is_failure() => Some(of_record(record)),
        _ => None,
    }
}

/// A command line for people.
fn shown(argv: &[OsString]) -> String {
    argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
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
    }
}

fn begin(
    arguments: &StartArguments,
    around: &Surroundings,
    words: Vec<OsString>,
    dir: &StateDir,
    mut claim: Claim,
) -> Report {
    let options = &arguments.options;
    let logs = match prepare_logs(options, dir, claim.name()) {
        Ok(logs) => logs,
        Err(report) => return report,
    };
    let place = Place { name: claim.name().into(), state_dir: dir.path().into(), logs: logs.clone() };
    let start = match Start::begin(arguments, around, place) {
        Ok(start) => start,
        Err(report) => {
            forget(options, dir, claim, &logs);
            return *report;
        }
    };
    let mut record = Record::new(claim.name(), arguments.command.clone());
    record.environment = around.environment.clone();
    record.directory = Some(around.directory.clone());
    record.start_arguments = words;
    record.identity = onready::engine::Identity::of(start.spawned.pid).ok();
    record.group = start.spawned.group;
    record.mark = Some(start.mark.clone());
    record.stdout = Some(logs.stdout.clone());
    record.stderr = Some(logs.stderr.clone());
    record.fingerprint = options.fingerprint.clone();
    let _ = claim.write(&record);
    let (report, _started) = start.wait();
    conclude(options, dir, claim, record, &report, &logs);
    report
}

fn conclude(options: &Options, dir: &StateDir, mut claim: Claim, mut record: Record, report: &Report, logs: &Paths) {
    record.outcome = match report.outcome {
        "ready" => OnRecord::Ready,
        "exited" => OnRecord::Exited,
        "timed out" => OnRecord::TimedOut,
        "interrupted" => OnRecord::Interrupted,
        _ => OnRecord::CouldNotStart,
    };
    let kept = report.outcome == "ready" || options.on_timeout == crate::cli::OnTimeout::Keep;
    if !kept && options.name.is_none() {
        return forget(options, dir, claim, logs);
    }
    record.code = report.code;
    record.exit_code = report.exit_code;
    record.signal = report.signal;
    record.error = report.error.clone();
    record.elapsed_ms = u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX);
    record.ready_by = report.ready_by.iter().cloned().collect();
    record.listening = report.listening.clone();
    record.status = report.status.clone();
    record.identity = report.pid.and_then(|pid| onready::engine::Identity::of(pid).ok()).or(record.identity);
    let _ = claim.write(&record);
}

/// Nothing is left of an unnamed start that failed.
fn forget(options: &Options, dir: &StateDir, claim: Claim, logs: &Paths) {
    if options.name.is_none() {
        if logs.uses_folder {
            let _ = std::fs::remove_dir_all(dir.log_dir(claim.name()));
        }
        claim.forget();
    }
}

fn prepare_logs(options: &Options, dir: &StateDir, name: &str) -> Result<Paths, Report> {
    let folder = dir.log_dir(name);
    let paths = Paths::new(options, &folder);
    if paths.uses_folder {
        make_folder(&folder).map_err(|error| {
            let error = format!("cannot make the folder for the logs {}: {error}", folder.display());
            Report::failed("could not start", name, exit_code::FAILED, error)
        })?;
    }
    Ok(paths)
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

