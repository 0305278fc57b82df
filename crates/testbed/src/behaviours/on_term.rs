//! Takes its time at SIGTERM, and exits with a code of its own.

use super::{Answer, Args, put, unescape};
use crate::sys::{block_signals, exit_now, wait_for_signal};
use std::thread::{sleep, spawn};

pub(super) const USAGE: &str =
    "[--signal SIGNAL,... (TERM)] [--after-ms MS] [--code N] [--say TEXT] [--times N] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    let after = args.millis("--after-ms")?;
    let code = args.number("--code")?.unwrap_or(0);
    let say = args.value("--say")?;
    let times: u32 = args.number("--times")?.unwrap_or(1);
    let names = args.value("--signal")?;
    let signals = super::ignore::numbers(names.as_deref().unwrap_or("TERM"))?;
    // Blocked here, before any other thread exists, so that only the waiting thread gets them.
    block_signals(&signals);
    spawn(move || {
        for _ in 0..times {
            wait_for_signal(&signals);
            if let Some(say) = &say {
                // It goes down anyhow.
                let _ = put(1, &unescape(&format!("{say}\n")));
            }
        }
        sleep(after);
        exit_now(code)
    });
    args.then()
}
