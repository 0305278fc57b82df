//! `onready list`.

use crate::cli::List;
use crate::on_record::teller;

/// Lists all servers on record.
pub fn run(arguments: &List) -> u8 {
    let teller = teller(arguments.json, false);
    let state = teller.open(arguments.state_dir.as_deref());
    state.map_or_else(|code| code, |state| teller.list(&state))
}
