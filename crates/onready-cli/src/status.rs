//! `onready status NAME...`.

use crate::cli::Status;
use crate::on_record::teller;

/// Says how servers are; the exit code is the worst of theirs.
pub fn run(arguments: &Status) -> u8 {
    let teller = teller(arguments.json, arguments.quiet);
    let state = teller.open(arguments.state_dir.as_deref());
    state.map_or_else(|code| code, |state| teller.status(&state, &arguments.names))
}
