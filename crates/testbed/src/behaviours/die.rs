//! Dies of a signal.

use super::{Answer, Args, usage};
use crate::signal_number;
use crate::sys::{default_signal, unblock_signals};
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
use std::thread::sleep;

pub(super) const USAGE: &str = "SIGNAL [--after-ms MS]";

pub(super) fn run(mut args: Args) -> Answer {
    let after = args.millis("--after-ms")?;
    let name = args.word("SIGNAL")?;
    args.done()?;
    let number = signal_number(&name).ok_or_else(|| usage(format!("no signal {name:?}")))?;
    let signal = Signal::from_named_raw(number).ok_or_else(|| usage("not that signal"))?;
    sleep(after);
    // No core file in the test's directory.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    if signal != Signal::KILL {
        default_signal(number)?;
        unblock_signals(&[number]);
    }
    kill_process(getpid(), signal)?;
    super::stay::wait()
}
