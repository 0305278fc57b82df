//! Tells on a descriptor that it is ready, as s6 wants it; or fails to.

use super::{Answer, Args, put, unescape};
use crate::sys::take_fd;
use std::thread::sleep;

pub(super) const USAGE: &str =
    "--fd N [--after-ms MS] [--text TEXT] [--split-ms MS] [--no-newline] [--no-line] [--keep-open] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    let fd: i32 = args.number("--fd")?.ok_or_else(|| super::usage("--fd N is missing"))?;
    let after = args.millis("--after-ms")?;
    let split = args.millis("--split-ms")?;
    let text = args.value("--text")?.unwrap_or_default();
    let end = if args.flag("--no-newline") { "" } else { "\n" };
    let silent = args.flag("--no-line");
    let keep = args.flag("--keep-open");
    sleep(after);
    if !silent {
        let bytes = unescape(&(text + end));
        let first = if split.is_zero() { bytes.len() } else { bytes.len() / 2 };
        put(fd, &bytes[..first])?;
        sleep(split);
        put(fd, &bytes[first..])?;
    }
    if !keep {
        // An inherited descriptor that is not there is this fixture's failure, not silence.
        drop(take_fd(fd)?);
    }
    args.then()
}
