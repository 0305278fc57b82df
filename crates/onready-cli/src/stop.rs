//! `onready stop NAME...`.

use crate::cli::Stop;
use crate::report::say;
use onready::verbs::state::StateDir;
use onready::verbs::{Schedule, Stopped, stop};
use std::io::Write;

/// Stops servers; the exit code is the worst of theirs.
pub fn run(arguments: &Stop) -> u8 {
    let (schedule, state) = match prepare(arguments) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let answers = stop(&state, &arguments.names, &schedule);
    answers.iter().for_each(|answer| tell(answer, arguments));
    answers.iter().map(Stopped::exit_code).max().unwrap_or(0)
}

/// What stopping needs, or the exit code.
pub fn prepare(arguments: &Stop) -> Result<(Schedule, StateDir), u8> {
    let schedule = arguments.retry.parse().map_err(|error: String| {
        say(&format!("--retry: {error}"));
        2
    })?;
    let state = StateDir::open(arguments.state_dir.as_deref()).map_err(|error| {
        say(&error.to_string());
        error.exit_code()
    })?;
    Ok((schedule, state))
}

/// One line on stderr, and with `--json` one object on stdout.
pub fn tell(answer: &Stopped, arguments: &Stop) {
    if answer.is_trouble() || !arguments.quiet && !arguments.json {
        answer.text().lines().for_each(say);
    }
    if arguments.json {
        // A closed stdout is no reason to fail: the server is stopped.
        let _ = writeln!(std::io::stdout(), "{}", answer.json());
    }
}
