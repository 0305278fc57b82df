//! `onready restart NAME...`.

use crate::cli::Restart;
use crate::{run, stop};
use onready::verbs::state::StateDir;
use onready::verbs::{Schedule, Teller, restart};

/// Restarts servers, one after the other, so that not all are away at the same time; the exit code is the worst of
/// theirs.
pub fn run(arguments: &Restart) -> u8 {
    let teller = stop::teller(&arguments.stop);
    let (schedule, state) = match stop::prepare(&arguments.stop, &teller) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let codes = arguments.stop.names.iter().map(|name| one(&state, name, &schedule, &teller));
    codes.max().unwrap_or(0)
}

fn one(state: &StateDir, name: &str, schedule: &Schedule, teller: &Teller) -> u8 {
    match restart(state, name, schedule, run::can_start_again, run::start_again) {
        Ok((stopped, report)) => {
            if stopped.is_trouble() {
                teller.say(&stopped.text());
            }
            report.tell(teller.json, teller.quiet);
            report.code
        }
        Err(error) => {
            teller.say(&error.to_string());
            error.exit_code()
        }
    }
}
