//! `onready status NAME...`.

use crate::cli::Status;
use onready::verbs::Teller;

/// Says how servers are; the exit code is the worst of theirs.
pub fn run(arguments: &Status) -> u8 {
    let teller = Teller { program: "onready".into(), json: arguments.json, quiet: arguments.quiet };
    let state = teller.open(arguments.state_dir.as_deref());
    state.map_or_else(|code| code, |state| teller.status(&state, &arguments.names))
}
