//! `onready ensure NAME -- COMMAND`: ready already: success; else start it, once, however many ask.

use crate::cli::Ensure;
use crate::run;

/// It is a start of a given name: that takes the name's lock, and looks under the lock whether there is anything left
/// to do, so that of all who ask at the same time one starts the server, and the others report what came of it.
pub fn run(arguments: &Ensure) -> u8 {
    let mut start = arguments.start.clone();
    start.options.name = Some(arguments.server.clone());
    run::start(&start)
}
