//! Lives until it is ended, and does nothing.

use super::{Answer, Args};

pub(super) const USAGE: &str = "";

pub(super) fn run(mut args: Args) -> Answer {
    args.done()?;
    wait()
}

/// Never returns; a signal or the end of its life ends the process.
pub(super) fn wait() -> Answer {
    loop {
        std::thread::park();
    }
}
