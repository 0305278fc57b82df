//! Leaves its session or its process group, the directory, the streams.

use super::{Answer, Args};
use crate::sys::place_fd;
use rustix::process::{chdir, setpgid, setsid};
use std::fs::File;
use std::os::fd::AsRawFd;

pub(super) const USAGE: &str = "[--setsid] [--setpgid] [--null] [--chdir DIR] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    if args.flag("--setsid") {
        setsid()?;
    }
    if args.flag("--setpgid") {
        setpgid(None, None)?;
    }
    if let Some(dir) = args.value("--chdir")? {
        chdir(dir)?;
    }
    if args.flag("--null") {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        for fd in 0..=2 {
            place_fd(null.as_raw_fd(), fd)?;
        }
        if null.as_raw_fd() <= 2 {
            // It came to lie on a stream that was closed: it stays there.
            std::mem::forget(null);
        }
    }
    args.then()
}
