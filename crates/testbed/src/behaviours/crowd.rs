//! Starts many children at once that hold everything open, each for a bounded time.

use super::{Answer, Args, again};

pub(super) const USAGE: &str = "[--count N (20)] [--seconds S (5)] [--own-session] [-- NEXT]";

/// More than this is no test but an attack.
const MOST: usize = 500;

pub(super) fn run(mut args: Args) -> Answer {
    let count: usize = args.number("--count")?.unwrap_or(20);
    let seconds: f64 = args.number("--seconds")?.unwrap_or(5.0);
    let session = args.flag("--own-session");
    for _ in 0..count.min(MOST) {
        let mut command = again()?;
        command.args(["--life", &seconds.to_string(), "session"]);
        if session {
            command.arg("--setsid");
        }
        // Not waited for: they are to outlive us.
        let _ = command.args(["--", "stay"]).spawn()?;
    }
    args.then()
}
