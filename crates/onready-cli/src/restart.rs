//! `onready restart NAME...`.

use crate::cli::Restart;
use crate::report::say;
use crate::{run, stop};
use onready::verbs::Schedule;
use onready::verbs::restart;
use onready::verbs::state::StateDir;

/// Restarts servers, one after the other, so that not all are away at the same time; the exit code is the worst of
/// theirs.
pub fn run(arguments: &Restart) -> u8 {
    let (schedule, state) = match stop::prepare(&arguments.stop) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let codes = arguments.stop.names.iter().map(|name| one(&state, name, &schedule, arguments));
    codes.max().unwrap_or(0)
}

fn one(state: &StateDir, name: &str, schedule: &Schedule, arguments: &Restart) -> u8 {
    let started = restart(state, name, schedule, run::can_start_again, run::start_again);
    match started {
        Ok((stopped, report)) => {
            if stopped.is_trouble() {
                stopped.text().lines().for_each(say);
            }
            report.tell(arguments.stop.json, arguments.stop.quiet);
            report.code
        }
        Err(error) => {
            error.to_string().lines().for_each(say);
            error.exit_code()
        }
    }
}
