//! `onready ensure NAME -- COMMAND`: ready already: success; else start it, once, however many ask.

use crate::cli::{Ensure, StartArguments};
use crate::run;

/// It is a start of a given name: that takes the name's lock, and looks under the lock whether there is anything left
/// to do, so that of all who ask at the same time one starts the server, and the others report what came of it.
pub fn run(arguments: &Ensure) -> u8 {
    run::start(&arguments.start_arguments())
}

impl Ensure {
    /// The start that it comes to.
    pub fn start_arguments(&self) -> StartArguments {
        let mut start = self.start.clone();
        start.options.usual.name = Some(self.server.clone());
        start
    }
}
