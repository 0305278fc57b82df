//! Stops itself (SIGSTOP), as a server does that reads from a terminal in the background.

use super::{Answer, Args};
use rustix::process::{Signal, getpid, kill_process};
use std::thread::sleep;

pub(super) const USAGE: &str = "[--after-ms MS] [-- NEXT once it is continued]";

pub(super) fn run(mut args: Args) -> Answer {
    sleep(args.millis("--after-ms")?);
    kill_process(getpid(), Signal::STOP)?;
    args.then()
}
