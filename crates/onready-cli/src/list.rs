//! `onready list`.

use crate::cli::List;
use onready::verbs::Teller;

/// Lists all servers on record.
pub fn run(arguments: &List) -> u8 {
    let teller = Teller { program: "onready".into(), json: arguments.json, quiet: false };
    let state = teller.open(arguments.state_dir.as_deref());
    state.map_or_else(|code| code, |state| teller.list(&state))
}
