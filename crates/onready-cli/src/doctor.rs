//! `onready doctor`: runs a server for a while, tells each sign of readiness that it gives and when, and which flags
//! go by the best one.

mod advice;
mod witness;

use crate::cli::{Cli, Doctor};
use crate::report::say;
use crate::start::{Place, Start, Surroundings};
use advice::{Facts, advise};
use clap::Parser;
use onready::engine::{exit_code, human};
use onready::verbs::command_text;
use onready::verbs::state::{StateDir, default_name};
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use witness::Witness;

/// All signs are watched; the last one never comes, so that it is watched until the time is over.
const OPTIONS: [&str; 10] =
    ["onready", "--quiet", "--timeout", "0", "--until", "auto", "--until", "fd:3", "--until", "delay:100years"];

/// Runs it, tells what was seen, stops it, and returns the exit code.
pub fn run(arguments: &Doctor) -> u8 {
    let state_dir = match StateDir::open(arguments.state_dir.as_deref()) {
        Ok(state_dir) => state_dir,
        Err(error) => {
            say(&error.to_string());
            return error.exit_code();
        }
    };
    let log_dir = state_dir.path().join(format!("doctor-{}", std::process::id()));
    let code = examine(arguments, &state_dir, &log_dir);
    let _ = std::fs::remove_dir_all(&log_dir);
    code
}

fn examine(arguments: &Doctor, state_dir: &StateDir, log_dir: &Path) -> u8 {
    let words = OPTIONS.iter().map(OsString::from).chain(["--".into()]).chain(arguments.command.iter().cloned());
    let cli = Cli::try_parse_from(words).expect("our own words are understood");
    let name = default_name(arguments.command.first().cloned().unwrap_or_default());
    let place = Place { name: name.clone(), state_dir: state_dir.path().into(), log_dir: log_dir.into() };
    let mut start = match Start::begin(&cli.start, &Surroundings::own(), place) {
        Ok(start) => start,
        Err(report) => {
            report.tell(false, false);
            return report.code;
        }
    };
    if rustix::termios::isatty(rustix::stdio::stderr()) {
        say(&format!("watching {name} for {}", human(arguments.timeout)));
    }
    let facts = Rc::new(RefCell::new(Facts::default()));
    let logs = start.logs();
    let mut witness = Witness::new(start.seen(), logs, arguments.timeout, Rc::clone(&facts));
    let (report, _started) = start.wait(&mut witness);
    let facts = facts.take();
    let text = text(arguments, &facts, report.elapsed);
    // Who has seen enough may have gone.
    let _ = std::io::stdout().write_all(text.as_bytes());
    match report.outcome {
        "exited" | "interrupted" => report.code,
        _ if facts.watched => 0,
        _ => {
            report.tell(false, false);
            exit_code::FAILED
        }
    }
}

/// A time in a table.
fn time(at: Duration) -> String {
    match at.as_secs() {
        0 => format!("{:>7.1} ms", at.as_secs_f64() * 1000.0),
        _ => format!("{:>7.2} s ", at.as_secs_f64()),
    }
}

fn text(arguments: &Doctor, facts: &Facts, elapsed: Duration) -> String {
    let command = command_text(&arguments.command);
    let mut text = format!("{command}\n\n");
    let mut seen = facts.seen.clone();
    seen.sort_by_key(|(at, _)| *at);
    for (at, what) in seen {
        text += &format!("{}  {what}\n", time(at));
    }
    if facts.watched {
        text += &format!("{}  stopped; nothing of it is left\n", time(elapsed));
    }
    let advice = advise(facts);
    if let Some(flags) = advice.flags {
        let flags: String = flags.iter().map(|flag| format!("{flag} ")).collect();
        text += &format!("\nuse:  onready {flags}-- {command}\n");
    }
    for (number, reason) in advice.reasons.iter().enumerate() {
        text += &format!("{}{reason}\n", if number == 0 { "\nwhy:  " } else { "      " });
    }
    text
}
