//! `onready stop NAME...`.

use crate::cli::Stop;
use crate::on_record;
use onready::verbs::state::StateDir;
use onready::verbs::{Schedule, Teller};

/// Stops servers; the exit code is the worst of theirs.
pub fn run(arguments: &Stop) -> u8 {
    let teller = teller(arguments);
    match prepare(arguments, &teller) {
        Ok((schedule, state)) => teller.stop(&state, &arguments.names, &schedule),
        Err(code) => code,
    }
}

/// How what comes of it is told.
pub fn teller(arguments: &Stop) -> Teller {
    on_record::teller(arguments.json, arguments.quiet)
}

/// What stopping needs, or the exit code.
pub fn prepare(arguments: &Stop, teller: &Teller) -> Result<(Schedule, StateDir), u8> {
    let schedule = arguments.retry.parse().map_err(|error: String| {
        teller.say(&format!("--retry: {error}"));
        2
    })?;
    Ok((schedule, teller.open(arguments.state_dir.as_deref())?))
}
